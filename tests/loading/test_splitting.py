"""Each form in which files arrive, taken apart: (line, resource's id or rule), in order."""

import gzip
import io
import json
import pickle
import zipfile
from pathlib import Path

import pytest

from flows.splitting import blocks_of, split

PATIENT = '{"resourceType":"Patient","id":"%s"}'
ONE, TWO = PATIENT % "1", PATIENT % "2"
ENTRIES = f'{{"fullUrl":"urn:uuid:a","resource":{ONE}}},{{"resource":{TWO}}}'
BUNDLE = f'{{"resourceType":"Bundle","type":"collection","entry":[{ENTRIES}]}}'
PRETTY = json.dumps(json.loads(BUNDLE), indent=2)


def pieces(tmp_path: Path, content: bytes) -> list[tuple[int, str]]:
    path = tmp_path / "landed"
    path.write_bytes(content)
    found = [piece for batch in split(path, tmp_path) for piece in batch]
    return [
        (p.line, p.rule or json.loads(p.data).get("id", json.loads(p.data)["resourceType"])) for p in found
    ]


def zipped(*members: tuple[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return target.getvalue()


FORMS = {
    "lines": (f"{ONE}\n{TWO}\n", [(1, "1"), (2, "2")]),
    "lines with a blank line between them": (f"{ONE}\n\n  \n{TWO}\n", [(1, "1"), (4, "2")]),
    "lines that begin with a blank one": (f"\n{ONE}\n{TWO}\n", [(2, "1"), (3, "2")]),
    "lines ended by CRLF": (f"{ONE}\r\n{TWO}\r\n", [(1, "1"), (2, "2")]),
    "lines with a byte order mark": (f"\ufeff{ONE}\n{TWO}\n", [(1, "1"), (2, "2")]),
    "a last line without its end": (f"{ONE}\n{TWO}", [(1, "1"), (2, "2")]),
    "a last line that is cut": (f"{ONE}\n{TWO[:-5]}", [(1, "1"), (2, "truncated")]),
    "lines of which one is a bundle": (f"{ONE}\n{BUNDLE}\n", [(1, "1"), (2, "Bundle")]),
    "lines of which the first is broken": (f"{ONE[3:]}\n{TWO}\n", [(1, ONE[3:]), (2, "2")]),
    "one resource": (ONE, [(1, "1")]),
    "one resource over several lines": (json.dumps(json.loads(ONE), indent=2), [(1, "1")]),
    "a bundle in one line": (BUNDLE, [(1, "1"), (2, "2")]),
    "a bundle in one line with its end": (BUNDLE + "\n", [(1, "1"), (2, "2")]),
    "a bundle over several lines": (PRETTY, [(1, "1"), (2, "2")]),
    "a bundle with a byte order mark": ("\ufeff" + PRETTY, [(1, "1"), (2, "2")]),
    "a bundle without entries": ('{"resourceType":"Bundle","type":"searchset","total":0}', []),
    "an array": (f"[{ONE}, {TWO}]", [(1, "1"), (2, "2")]),
    "an array over several lines": (f"[\n{ONE},\n{TWO}\n]\n", [(1, "1"), (2, "2")]),
    "an empty array": ("[]", []),
    "a bundle with two lists of entries, of which one is spelt with an escape": (
        BUNDLE[:-1] + f',"\\u0065ntry":[{{"resource":{ONE}}}]}}',
        [(1, "unreadable")],
    ),
    "a bundle with texts that are spelt with escapes": (
        BUNDLE[:-1] + ',"id":"\\u0065ntry","\\u0069dentifier":{"value":"entry"}}',
        [(1, "1"), (2, "2")],
    ),
    "a bundle with two lists of entries": (
        BUNDLE[:-1] + f',"entry":[{{"resource":{ONE}}}]}}',
        [(1, "unreadable")],
    ),
    "a bundle that only speaks of entries": (BUNDLE.replace('"collection"', '"entry"'), [(1, "1"), (2, "2")]),
    "an entry with two resources": (
        BUNDLE.replace(f'{{"resource":{TWO}', f'{{"resource":{ONE},"resource":{TWO}'),
        [(1, "1"), (2, "unreadable")],
    ),
    "an entry whose resource speaks of one": (
        BUNDLE.replace(TWO, TWO[:-1] + ',"x":{"resource":1,"fullUrl":"a"}}'),
        [(1, "1"), (2, "2")],
    ),
    "an entry with two addresses beside one without": (
        BUNDLE.replace('"urn:uuid:a",', '"urn:uuid:a","fullUrl":"urn:uuid:b",'),
        [(1, "unreadable"), (2, "2")],
    ),
    "an entry with a second address behind its resource": (
        BUNDLE.replace(f"{TWO}}}", f'{TWO},"fullUrl":"urn:uuid:b","fullUrl":null}}'),
        [(1, "1"), (2, "unreadable")],
    ),
    "an entry with a second resource that is spelt with an escape": (
        BUNDLE.replace(f"{TWO}}}", f'{TWO},"\\u0072esource":{ONE}}}'),
        [(1, "1"), (2, "unreadable")],
    ),
    "an entry with a resource under a name that ends like the right one": (
        BUNDLE.replace(f'{{"resource":{TWO}', f'{{"a\\"resource":{TWO},"resource":{ONE}'),
        [(1, "1"), (2, "1")],
    ),
    "an entry with a name that no JSON is": (
        BUNDLE.replace(f'{{"resource":{TWO}', f'{{"\\x":1,"\\u0065":2,"resource":{TWO}'),
        [(1, "1"), (2, "not-json")],
    ),
    "a bundle with an entry before and an entry behind that is none": (
        BUNDLE.replace(ENTRIES, f"7,{ENTRIES},null"),
        [(1, "not-an-entry"), (2, "1"), (3, "2"), (4, "not-an-entry")],
    ),
    "a cut array": (f"[{ONE}, {TWO[:-3]}", [(1, "1"), (2, "truncated")]),
    "a bundle cut within an entry": (BUNDLE[:-20], [(1, "1"), (2, "truncated")]),
    "a bundle cut between entries": (
        BUNDLE[: BUNDLE.index(',{"resource"')],
        [(1, "1"), (2, "truncated")],
    ),
    "a bundle over several lines with a missing quote": (
        PRETTY.replace('"1"', '"1'),
        [(1, "not-json"), (2, "2")],
    ),
    "a bundle with an entry that is no JSON": (BUNDLE.replace('"1"', "tru"), [(1, "not-json"), (2, "2")]),
    "a page of HTML": ("<!DOCTYPE html>\n<html>\n</html>\n", [(1, "html")]),
    "an empty file": ("", []),
    "a blank file": (" \n\n", []),
    "a text": ("Dear colleague,\n\nplease find\n", [(1, "not-json")]),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_file_gives_its_resources_with_their_places(name: str, tmp_path: Path) -> None:
    content, expected = FORMS[name]
    if name == "lines of which the first is broken":
        path = tmp_path / "landed"
        path.write_text(content)
        found = [piece for batch in split(path, tmp_path) for piece in batch]
        assert [(p.line, p.data.decode()) for p in found] == [(1, ONE[3:]), (2, TWO)]
    else:
        assert pieces(tmp_path, content.encode()) == expected


@pytest.mark.parametrize("name", [name for name in FORMS if not name.startswith("lines of which the first")])
def test_gzip_and_zip_change_nothing(name: str, tmp_path: Path) -> None:
    content, expected = FORMS[name]
    packed = gzip.compress(content.encode())
    assert pieces(tmp_path, packed) == expected
    assert pieces(tmp_path, zipped(("data.json", content.encode()))) == expected
    assert pieces(tmp_path, zipped(("data.json.gz", packed))) == expected


def test_lines_of_a_zip_count_on_through_its_members(tmp_path: Path) -> None:
    content = zipped(
        ("a.ndjson", f"{ONE}\n\n{TWO}\n".encode()),
        ("__MACOSX/._a.ndjson", b"\0\5\26\7"),
        ("folder/b.json", BUNDLE.encode()),
        ("c.ndjson.gz", gzip.compress(ONE.encode())),
    )
    assert pieces(tmp_path, content) == [(1, "1"), (3, "2"), (4, "1"), (5, "2"), (6, "1")]


def test_gzips_put_together_are_one(tmp_path: Path) -> None:
    content = gzip.compress(f"{ONE}\n".encode()) + gzip.compress(f"{TWO}\n".encode()) + b"\0" * 512
    assert pieces(tmp_path, content) == [(1, "1"), (2, "2")]


def test_a_cut_gzip_keeps_its_whole_lines(tmp_path: Path) -> None:
    lines = "".join(PATIENT % f"{n:05}{n * 7919 % 10007}" + "\n" for n in range(5000))
    content = gzip.compress(lines.encode())
    found = pieces(tmp_path, content[: len(content) // 2])
    assert [line for line, _ in found] == list(range(1, len(found) + 1))
    assert 2000 < len(found) < 3000
    assert [rule for _, rule in found if rule.startswith("gzip")] == ["gzip-truncated"]
    assert found[-1][1] == "gzip-truncated"


def test_a_broken_member_of_a_zip_costs_only_itself(tmp_path: Path) -> None:
    content = bytearray(zipped(("a.ndjson", ONE.encode() * 1), ("b.ndjson", TWO.encode())))
    content[35 + 8] ^= 0xFF
    found = pieces(tmp_path, bytes(content))
    assert found[0] == (1, "zip")
    assert found[-1][1] == "2"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_of_unicode_are_refused_once(encoding: str, tmp_path: Path) -> None:
    assert pieces(tmp_path, f"{ONE}\n{TWO}\n".encode(encoding)) == [(1, "encoding")]


def test_a_line_that_is_not_utf8_is_refused_alone(tmp_path: Path) -> None:
    bad = b'{"resourceType":"Patient","id":"3","name":[{"text":"M\xfcller"}]}\n'
    assert pieces(tmp_path, f"{ONE}\n".encode() + bad + f"{TWO}\n".encode()) == [
        (1, "1"),
        (2, "encoding"),
        (3, "2"),
    ]
    entry = BUNDLE.encode().replace(b'"1"', b'"\xfc"')
    assert pieces(tmp_path, entry) == [(1, "encoding"), (2, "2")]


def test_entries_tell_of_outcomes_deletions_and_nothing(tmp_path: Path) -> None:
    outcome = '{"response":{"status":"404","outcome":{"resourceType":"OperationOutcome"}}}'
    deletion = (
        '{"request":{"method":"DELETE","url":"Patient/9"},"response":{"lastModified":"2024-01-01T00:00:00Z"}}'
    )
    content = BUNDLE[:-2] + f',{outcome},{deletion},{{"request":{{"method":"GET","url":"Patient"}}}},5]}}'
    path = tmp_path / "landed"
    path.write_text(content)
    found = [piece for batch in split(path, tmp_path) for piece in batch]
    assert [(p.line, p.rule, p.deleted, p.deleted_at) for p in found[2:]] == [
        (3, None, None, None),
        (4, None, "Patient/9", "2024-01-01T00:00:00Z"),
        (5, "no-resource", None, None),
        (6, "not-an-entry", None, None),
    ]
    assert json.loads(found[2].data) == {"resourceType": "OperationOutcome"}
    assert found[0].full_url == "urn:uuid:a"


def test_what_an_entry_of_a_deletion_repeats_is_deleted_all_the_same(tmp_path: Path) -> None:
    deletion = f'{{"resource":{ONE},"request":{{"method":"DELETE","url":"Patient/1"}}}}'
    path = tmp_path / "landed"
    path.write_text(f'{{"resourceType":"Bundle","type":"history","entry":[{deletion}]}}')
    found = [piece for batch in split(path, tmp_path) for piece in batch]
    assert [(p.line, p.data, p.deleted) for p in found] == [(1, b"", "Patient/1")]


@pytest.mark.parametrize("name", ["./x.ndjson", "../x.ndjson", ".hidden/x.ndjson", "__MACOSX/x.ndjson"])
def test_a_member_of_a_zip_is_read_whatever_its_name(tmp_path: Path, name: str) -> None:
    content = zipped(
        (name, ONE.encode()), ("__MACOSX/._x.ndjson", b"\0\5\x16\7"), (".DS_Store", b"\0\0\0\1Bud1")
    )
    assert pieces(tmp_path, content) == [(1, "1")]


def test_a_long_line_is_a_line(tmp_path: Path) -> None:
    long = '{"resourceType":"Binary","id":"3","data":"' + "A" * 20_000_000 + '"}'
    assert pieces(tmp_path, f"{ONE}\n{long}\n{TWO}\n".encode()) == [(1, "1"), (2, "3"), (3, "2")]
    assert pieces(tmp_path, f"{long}\n{TWO}\n".encode()) == [(1, "3"), (2, "2")]


def test_another_process_takes_the_same_pieces_out_of_a_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.line_splitting.CHUNK", 100)
    monkeypatch.setattr("flows.line_splitting.BLOCK", 64)
    monkeypatch.setattr("flows.line_splitting.MAX_LINE", 400)
    monkeypatch.setattr("flows.unpacking.HEAD", 128)
    path = tmp_path / "landed"
    lines = [PATIENT % number for number in range(40)]
    too_long = PATIENT % ("x" * 1000)
    path.write_text("\ufeff" + "\n".join([*lines[:20], too_long, "", *lines[20:]]), encoding="utf-8")
    blocks = list(blocks_of(path, tmp_path))
    there = [piece for block in blocks for piece in pickle.loads(pickle.dumps(block)).pieces()]
    assert len(blocks) > 10
    assert there == [piece for block in blocks for piece in block.pieces()]
    assert [piece.line for piece in there] == [*range(1, 22), *range(23, 43)]
    assert [piece.rule for piece in there if piece.rule] == ["too-large"]


def test_a_line_beyond_the_limit_is_refused_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("blocks", "line_splitting"):
        monkeypatch.setattr(f"flows.{module}.MAX_LINE", 8 << 20)
    for size in (8_388_700, 12_000_000, 30_000_000):
        long = '{"resourceType":"Binary","data":"' + "A" * size + '"}'
        expected = [(1, "1"), (2, "too-large"), (3, "2")]
        assert pieces(tmp_path, f"{ONE}\n{long}\n{TWO}\n".encode()) == expected


def test_an_archive_that_grows_beyond_the_limit_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.unpacking.RATIO_COUNTS_FROM", 4 << 20)
    bomb = gzip.compress(b" " * (40 << 20))
    assert pieces(tmp_path, bomb) == [(1, "archive-limit")]
    assert pieces(tmp_path, zipped(("a.json", b" " * (40 << 20)), ("b.json", ONE.encode()))) == [
        (1, "archive-limit")
    ]
