"""Code maps of a site: a CSV acts as a ConceptMap does, for its own site only, and its newest content counts."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.config import Config, ConfigError
from flows.errors import UserError
from flows.maps import check_maps, land_maps, read_csv_map
from tests.configuration.configured import FILES, read
from tests.sql.clinical_files import ATC, LOINC, build, land, rows

# Its runs take half a minute together.
pytestmark = pytest.mark.slow

HEADER = "source_system,source_code,target_system,target_code\n"
LATER = datetime(2024, 2, 1, tzinfo=UTC)


def mapped(folder: Path) -> Config:
    """A configuration of site `a` with a folder of maps."""
    (folder / "maps").mkdir(exist_ok=True)
    return read(folder, FILES + 'maps = "maps"\n')


def write(folder: Path, text: str, name: str = "codes.csv") -> Path:
    path = folder / "maps" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_csv_acts_as_the_site_s_concept_map(tmp_path: Path) -> None:
    config = mapped(tmp_path)
    write(
        tmp_path,
        HEADER + f"urn:lab,NEUT,{LOINC},751-8\nurn:lab,NEUT,{LOINC},26499-4\nurn:drug,CLO,{ATC},L01BB06\n",
    )
    by_resource = {
        "resourceType": "ConceptMap", "id": "own", "status": "active",
        "group": [{"source": "urn:lab", "target": LOINC, "element": [
            {"code": "PLT", "target": [{"code": "777-3", "equivalence": "equivalent"}]}]}],
    }  # fmt: skip
    write(tmp_path, json.dumps(by_resource), "own.json")
    patient = {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "2010-05-01"}
    land(tmp_path, {"a": {"p.ndjson": [patient]}, "b": {"p.ndjson": [patient]}})
    land_maps(config, tmp_path / "home", LATER)
    con = build(tmp_path)
    columns = "site, source_system, source_code, target_system, target_code"
    assert rows(con, "current.concept_map", columns) == [
        ("a", "urn:drug", "CLO", ATC, "L01BB06"),
        ("a", "urn:lab", "NEUT", LOINC, "26499-4"),
        ("a", "urn:lab", "NEUT", LOINC, "751-8"),
        ("a", "urn:lab", "PLT", LOINC, "777-3"),
    ]
    assert rows(con, "quality.quarantine") == []
    assert rows(con, "quality.finding") == []
    con.close()
    # As of a time before the map came, nothing was translated.
    con = build(tmp_path, as_of=LATER - timedelta(days=1))
    assert rows(con, "current.concept_map") == []
    con.close()


def test_a_csv_that_changes_changes_back_or_goes_counts_as_it_is_now(tmp_path: Path) -> None:
    config, home = mapped(tmp_path), tmp_path / "home"
    first, second = f"urn:x,A,{LOINC},1-8\n", f"urn:x,A,{LOINC},2-6\n"
    for day, (text, landed) in enumerate(
        [(first, 1), (first, 0), (second, 1), (first, 1), (None, 1), (None, 0), (first, 1)]
    ):
        if text is None:
            (tmp_path / "maps" / "codes.csv").unlink(missing_ok=True)
        else:
            write(tmp_path, HEADER + text)
        notes = land_maps(config, home, LATER + timedelta(days=day)).notes
        assert notes == ((f"a: {landed} new files of code maps",) if landed else ()), day
    for day, expected in ((0, ["1-8"]), (2, ["2-6"]), (3, ["1-8"]), (4, []), (6, ["1-8"])):
        con = build(tmp_path, as_of=LATER + timedelta(days=day, hours=1))
        assert rows(con, "current.concept_map", "target_code") == [(code,) for code in expected], day
        con.close()


WRONG = [
    ("source_system,source_code\n", "line 1: not the header of a map"),
    ("", "line 1: not the header of a map"),
    (HEADER + "urn:x,A,urn:y\n", "line 2: 3 fields; write 4"),
    (HEADER + "urn:x,A,urn:y,B\nurn:x,,urn:y,B\n", "line 3: source_code is empty"),
    (HEADER + "urn:x, A,urn:y,B\n", "line 2: source_code is empty, or has spaces around it"),
    (HEADER + 'urn:x,"A,urn:y,B\n', "line 2: no CSV"),
]


@pytest.mark.parametrize(("text", "line"), WRONG)
def test_an_error_in_a_csv_has_file_and_line(tmp_path: Path, text: str, line: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        read_csv_map(path)
    assert caught.value.errors[0].startswith(f"{path} {line}")


def test_all_errors_of_all_maps_are_told_before_anything_is_written(tmp_path: Path) -> None:
    config = mapped(tmp_path)
    write(tmp_path, HEADER + "urn:x,A,urn:y\nurn:x,A\n", "one.csv")
    write(tmp_path, "nothing\n", "two.csv")
    with pytest.raises(ConfigError) as caught:
        land_maps(config, tmp_path / "home", LATER)
    assert len(caught.value.errors) == 3
    assert not (tmp_path / "home").exists()


def test_a_folder_of_maps_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r'site "a": maps .*: there is no such folder'):
        check_maps(read(tmp_path, FILES + 'maps = "gone"\n'))


def unmapped(folder: Path) -> Config:
    """The configuration of site `a` after its `maps` was taken out."""
    return read(folder, FILES)


def resource(target: str, updated: str | None = "2023-05-01T00:00:00Z", id: str = "own") -> str:
    content = {
        "resourceType": "ConceptMap", "id": id, "status": "active",
        "group": [{"source": "urn:y", "target": LOINC, "element": [
            {"code": "B", "target": [{"code": target, "equivalence": "equivalent"}]}]}],
    }  # fmt: skip
    return json.dumps(content | ({"meta": {"lastUpdated": updated}} if updated else {}))


def codes_by_day(folder: Path, days: int) -> list[list[str]]:
    """What was in force on each day, by a build as of it from a home that has the landing zone only."""
    found = []
    for day in range(days):
        con = build(folder, as_of=LATER + timedelta(days=day, hours=1))
        found.append(sorted(code for (code,) in rows(con, "current.concept_map", "target_code")))
        con.close()
    return found


def test_maps_end_with_the_key_of_the_site_and_come_back_with_it(tmp_path: Path) -> None:
    config, home = mapped(tmp_path), tmp_path / "home"
    write(tmp_path, HEADER + f"urn:x,A,{LOINC},1-8\n")
    write(tmp_path, resource("3-4"), "own.json")
    told = []
    for day, keyed in enumerate([True, False, False, True, True, False]):
        config = mapped(tmp_path) if keyed else unmapped(tmp_path)
        told.append(land_maps(config, home, LATER + timedelta(days=day)).notes)
    ended = ("a: has no `maps` any more; 2 code maps that it had are ended",)
    new = ("a: 2 new files of code maps",)
    assert told == [new, ended, (), new, (), ended]
    shutil.rmtree(home / "fhir")
    both: list[str] = ["1-8", "3-4"]
    assert codes_by_day(tmp_path, 6) == [both, [], [], both, both, []]


@pytest.mark.parametrize("updated", [None, "2023-05-01T00:00:00Z", "2031-01-01T00:00:00+09:00"])
def test_a_concept_map_that_is_taken_out_of_the_folder_changed_or_put_back_counts_as_it_is_now(
    tmp_path: Path, updated: str | None
) -> None:
    config, home = mapped(tmp_path), tmp_path / "home"
    first, second = resource("1-8", updated), resource("2-6", updated)
    write(tmp_path, resource("9-9", updated, "other"), "other.json")
    for day, text in enumerate([first, None, first, second, first, None]):
        if text is None:
            (tmp_path / "maps" / "own.json").unlink()
        else:
            write(tmp_path, text, "own.json")
        land_maps(config, home, LATER + timedelta(days=day))
    assert codes_by_day(tmp_path, 6) == [
        ["1-8", "9-9"], ["9-9"], ["1-8", "9-9"], ["2-6", "9-9"], ["1-8", "9-9"], ["9-9"],
    ]  # fmt: skip


def test_concept_maps_that_the_site_itself_sent_stay_when_the_key_goes(tmp_path: Path) -> None:
    home = tmp_path / "home"
    land(tmp_path, {"a": {"own.json": [json.loads(resource("5-5"))]}})
    write(tmp_path, HEADER + f"urn:x,A,{LOINC},1-8\n")
    land_maps(mapped(tmp_path), home, LATER)
    land_maps(unmapped(tmp_path), home, LATER + timedelta(days=1))
    assert codes_by_day(tmp_path, 2) == [["1-8", "5-5"], ["5-5"]]


def test_a_configuration_that_never_had_maps_makes_no_home(tmp_path: Path) -> None:
    assert land_maps(unmapped(tmp_path), tmp_path / "home", LATER).notes == ()
    assert not (tmp_path / "home").exists()
