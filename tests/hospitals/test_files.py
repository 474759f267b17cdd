"""Files of every form, references, versions, what is broken. By hand from docs/files.md and docs/results.md."""

from __future__ import annotations

import gzip
import io
import json
import random
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.hospitals.builder import (
    ATC,
    CLOFARABINE,
    EDI,
    ETOPOSIDE,
    KCD,
    LOINC,
    Outcome,
    Resource,
    bundle,
    complete,
    concept,
    counts,
    day,
    given,
    leukaemia,
    marrow,
    ndjson,
    observed,
    person,
    reaction,
    run,
    run_files,
    transplant,
    treated,
    visit,
    write,
)

# Its runs take half a minute together.
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FATES = ("landed", "mapped", "quarantined", "superseded", "not_asked_for")


def fates(outcome: Outcome, site: str) -> tuple[int, ...]:
    values = [outcome.value("quality.resources", "n", fate, group=f"site={site}") for fate in FATES]
    return tuple(int(value or 0) for value in values)


def zipped(files: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return held.getvalue()


def text(resource: Any) -> bytes:
    return json.dumps(resource, ensure_ascii=False).encode()


@pytest.mark.slow
def test_every_form_of_file_gives_the_same(tmp_path: Path) -> None:
    """Each site sends the same six resources, packed otherwise; their person has a complete remission."""
    six = treated("p", complete(30))
    by_type = {
        kind: [one for one in six if one["resourceType"] == kind]
        for kind in ("Patient", "Condition", "MedicationAdministration", "Observation")
    }
    forms: dict[str, Any] = {
        "ndjson": {"all.ndjson": six},
        "by-type": {f"{kind}.ndjson": ones for kind, ones in by_type.items()},
        "nested": {f"a/b {kind}/{kind}.ndjson": ones for kind, ones in by_type.items()},
        "gz": {"all.ndjson.gz": gzip.compress(ndjson(six))},
        "zip": {"all.zip": zipped({"x/one.ndjson": ndjson(six[:3]), "two.ndjson": ndjson(six[3:])})},
        "gz-in-zip": {"all.zip": zipped({"one.ndjson.gz": gzip.compress(ndjson(six))})},
        "json-gz": {"bundle.json.gz": gzip.compress(text(bundle(six)))},
        "each-alone": {f"{number}.json": one for number, one in enumerate(six)},
        "pretty": {f"{n}.json": json.dumps(one, indent=2) for n, one in enumerate(six)},
        "array": {"all.json": text(six)},
        "bom": {"all.ndjson": b"\xef\xbb\xbf" + ndjson(six)},
        "bom-json": {"all.json": b"\xef\xbb\xbf" + text(bundle(six))},
        "crlf": {"all.ndjson": ndjson(six).replace(b"\n", b"\r\n")},
        "blank-lines": {"all.ndjson": b"\n" + ndjson(six).replace(b"\n", b"\n\n  \n\r\n")},
        "no-last-newline": {"all.ndjson": ndjson(six).rstrip(b"\n")},
        **{
            kind: {"bundle.json": bundle(six, kind)}
            for kind in ("collection", "searchset", "batch", "transaction", "history", "document", "message")
        },
        "bundle-lines": {"bundles.ndjson": [bundle(six[:2]), bundle(six[2:])]},
        "bundle-in-bundle": {"bundle.json": bundle([bundle(six)])},
        "responses": {"bundle.json": bundle([bundle(six, "searchset")], "batch-response")},
        "서울 병원": {"환자.ndjson": six},
        "unusual.name_1": {"all.NDJSON": six},
    }
    outcome = run(tmp_path, **forms)
    assert outcome.code == 0
    assert {site: fates(outcome, site) for site in forms} == dict.fromkeys(forms, (6, 6, 0, 0, 0))
    assert {site: outcome.counts("response.best", f"site={site}") for site in forms} == {
        site: {"CR": 1} for site in forms
    }
    # The same id at another site is another person.
    assert outcome.value("attrition", "n", "treated") == len(forms)


def broken(line: bytes) -> bytes:
    return ndjson(treated("p", complete(30))) + line


# what follows six good lines → (landed, mapped, quarantined, superseded, not asked for), in one file
BROKEN: dict[str, tuple[bytes, tuple[int, int, int, int, int]]] = {
    "cut-line": (b'{"resourceType": "Observation", "id": "x", "sta', (7, 6, 1, 0, 0)),
    "no-json": (b"nothing\n", (7, 6, 1, 0, 0)),
    "bad-utf8": (b'{"resourceType": "Patient", "id": "x", "gender": "\xff\xfe"}\n', (7, 6, 1, 0, 0)),
    "birth-date-number": (b'{"resourceType": "Patient", "id": "x", "birthDate": 0}\n', (7, 6, 1, 0, 0)),
    "value-text": (
        text(
            {
                **observed(30, LOINC, "11150-0", valueQuantity={"value": "41"}),
                "id": "x",
                "subject": {"reference": "Patient/p"},
            }
        ),
        (7, 6, 1, 0, 0),
    ),
    "code-as-list": (b'{"resourceType": "Condition", "id": "x", "code": []}\n', (7, 6, 1, 0, 0)),
    "no-type": (b'{"id": "x"}\n', (7, 6, 1, 0, 0)),
    "type-number": (b'{"resourceType": 7, "id": "x"}\n', (7, 6, 1, 0, 0)),
    "number": (b"42\n", (7, 6, 1, 0, 0)),
    "two-on-a-line": (b'{"resourceType": "Basic"} {"resourceType": "Basic"}\n', (7, 6, 1, 0, 0)),
    "unknown-type": (b'{"resourceType": "Nonsense", "id": "x"}\n', (7, 6, 0, 0, 1)),
    "not-asked-for": (b'{"resourceType": "Basic", "id": "x"}\n', (7, 6, 0, 0, 1)),
    "wrong-elsewhere": (
        b'{"resourceType": "Patient", "id": "x", "multipleBirthBoolean": "no", "maritalStatus": 3}\n',
        (7, 7, 0, 0, 0),
    ),
    "unknown-field": (b'{"resourceType": "Patient", "id": "x", "favourite": {"a": [1]}}\n', (7, 7, 0, 0, 0)),
    "copy": (ndjson(treated("p", complete(30))), (12, 6, 0, 6, 0)),
    "older": (
        text({**treated("p")[0], "gender": "female", "meta": {"versionId": "1"}}),
        (7, 6, 0, 1, 0),
    ),
    "operation-outcome": (
        text(bundle([{"resourceType": "OperationOutcome", "issue": []}], "searchset")),
        (7, 6, 0, 0, 1),
    ),
    "empty-bundle": (text(bundle([])), (6, 6, 0, 0, 0)),
    "contained": (
        text(
            {
                **given(1),
                "id": "x",
                "subject": {"reference": "Patient/p"},
                "contained": [{"resourceType": "Medication", "id": "m", "code": concept(ATC, CLOFARABINE)}],
                "medicationCodeableConcept": None,
                "medicationReference": {"reference": "#m"},
            }
        ).replace(b'"medicationCodeableConcept": null, ', b""),
        (7, 7, 0, 0, 0),
    ),
    "separators": (
        text({"resourceType": "Patient", "id": "x", "name": [{"text": "a\u2028b\u0085c"}]}),
        (7, 7, 0, 0, 0),
    ),
}
PAGE = b"<!DOCTYPE html>\n<html><body>\n<h1>504 Gateway Timeout</h1>\n</body></html>\n"


@pytest.fixture(scope="module")
def accounted(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("broken")
    sites: dict[str, Any] = {name: {"all.ndjson": broken(line)} for name, (line, _) in BROKEN.items()}
    return run(folder, **sites, page={"Patient.ndjson": PAGE, "all.ndjson": treated("p", complete(30))})


def test_odd_entries_and_archives_lose_nothing(tmp_path: Path) -> None:
    six = treated("p", complete(30))
    deletion = {
        "fullUrl": "Observation/p-2",
        "request": {"method": "DELETE", "url": "Observation/p-2"},
        "response": {"status": "204", "lastModified": "2024-01-01T00:00:00Z"},
    }
    urls = [
        {"fullUrl": f"http://x/fhir/{one['resourceType']}/{one['id']}", "resource": without(one, "id")}
        for one in six
    ]
    listed = [{"resource": one} for one in six]
    sites: dict[str, Any] = {
        # The marrow is deleted: five stay.
        "deletion": {"a.json": {"resourceType": "Bundle", "type": "history", "entry": [*listed, deletion]}},
        "ids-of-urls": {"a.json": {"resourceType": "Bundle", "type": "searchset", "entry": urls}},
        "odd": {
            "a.json": {"resourceType": "Bundle", "type": "searchset", "entry": [*listed, {"resource": 3}, 7]}
        },
        "lines-as-json": {"a.json": ndjson(six)},
        "pretty-as-lines": {"a.ndjson": json.dumps(bundle(six), indent=1)},
        "not-fhir-beside": {"a.ndjson": six, "README.md": "hello", ".DS_Store": b"\0", "log.csv": "a,b"},
        "from-a-mac": {"a.zip": zipped({"__MACOSX/._a.ndjson": b"\0", "a.ndjson": ndjson(six)})},
        "zip-in-zip": {"a.zip": zipped({"b.zip": zipped({"a.ndjson": ndjson(six)})})},
        "utf-16": {"a.ndjson": ndjson(six), "b.ndjson": ndjson(six).decode().encode("utf-16")},
        "infinite": {"a.ndjson": ndjson(six) + text(marrow(9, 1)).replace(b": 1,", b": 1e999,")},
        "patient-broken": [{**six[0], "birthDate": 0}, *six[1:]],
        "patient-unknown": [*six, {**given(3), "id": "x", "subject": {"reference": "Patient/none"}}],
    }
    outcome = run(tmp_path, **sites)
    found = {site: fates(outcome, site) for site in sites}
    assert found == dict.fromkeys(sites, (6, 6, 0, 0, 0)) | {
        "deletion": (6, 5, 0, 1, 0),
        "odd": (8, 6, 2, 0, 0),
        "utf-16": (7, 6, 1, 0, 0),
        "infinite": (7, 6, 1, 0, 0),
        "patient-broken": (6, 5, 1, 0, 0),
        "patient-unknown": (7, 7, 0, 0, 0),
    }
    best = {
        site: outcome.counts("response.best", f"site={site}") for site in sites if site != "patient-broken"
    }
    assert best == {site: {"NE": 1} if site == "deletion" else {"CR": 1} for site in best}
    # A person whose Patient is quarantined isn't known.
    assert outcome.counts("attrition", "site=patient-broken") == {}


def test_damaged_files_keep_what_is_whole_in_them(tmp_path: Path) -> None:
    six = treated("p", complete(30))
    document, packed = text(bundle(six)), gzip.compress(ndjson(six))
    # files, and the fates of what is in them
    damaged: dict[str, tuple[dict[str, Any], tuple[int, int, int, int, int]]] = {
        "bundle": ({"a.json": document[: document.rindex(b'"valueQuantity"')]}, (6, 5, 1, 0, 0)),
        "array": ({"a.json": text(six)[:-40]}, (6, 5, 1, 0, 0)),
        "gz": ({"a.ndjson.gz": packed[:-20]}, (6, 5, 1, 0, 0)),
        "zip": ({"a.zip": zipped({"a.ndjson": ndjson(six)})[:-30]}, (1, 0, 1, 0, 0)),
        "page": ({"a.ndjson": six, "b.json": PAGE}, (7, 6, 1, 0, 0)),
        "page-gz": ({"a.ndjson": six, "b.ndjson.gz": gzip.compress(PAGE)}, (7, 6, 1, 0, 0)),
        "no-gz": ({"a.ndjson": six, "b.ndjson.gz": b"hello"}, (7, 6, 1, 0, 0)),
        "gz-by-name-only": ({"a.ndjson.gz": ndjson(six)}, (6, 6, 0, 0, 0)),
        "empty": ({"a.ndjson": six, "b.ndjson": b"", "c.json": b" \n", "d.json": b"[]"}, (6, 6, 0, 0, 0)),
        "bundle-line": ({"a.ndjson": ndjson([bundle(six[:3])]) + document[:-30]}, (4, 3, 1, 0, 0)),
        "bad-utf8": ({"a.ndjson": ndjson(six).replace(b'"male"', b'"m\xffle"')}, (6, 5, 1, 0, 0)),
        "bom-crlf": (
            {"a.json": b"\xef\xbb\xbf" + json.dumps(six, indent=1).replace("\n", "\r\n").encode()},
            (6, 6, 0, 0, 0),
        ),
    }
    sites: dict[str, Any] = {site: files for site, (files, _) in damaged.items()}
    outcome = run(tmp_path, **sites)
    assert {site: fates(outcome, site) for site in damaged} == {
        site: kept for site, (_, kept) in damaged.items()
    }
    assert outcome.code == 1


def test_each_resource_has_one_fate(accounted: Outcome) -> None:
    found = {name: fates(accounted, name) for name in BROKEN}
    assert found == {name: wanted for name, (_, wanted) in BROKEN.items()}
    # One in seven lines is more than the protocol's 5 percent.
    assert accounted.code == 1
    assert {accounted.value("response.remission", "n", group=f"site={name}") for name in BROKEN} == {1}


def test_an_html_page_is_quarantined(accounted: Outcome) -> None:
    landed, mapped, quarantined, *_ = fates(accounted, "page")
    assert mapped == 6 and quarantined == landed - 6 > 0


def test_the_quarantine_names_the_line_and_no_value(accounted: Outcome) -> None:
    with duckdb.connect(str(accounted.home / "warehouse.duckdb"), read_only=True) as con:
        lines = con.execute("select line from quality.quarantine where site = 'cut-line'").fetchall()
        columns = [name for name, *_ in con.execute("describe quality.quarantine").fetchall()]
    assert lines == [(7,)]
    assert columns[:4] == ["site", "file", "line", "rule"]


def with_id(name: str, resource: Resource, subject: Resource | None = None) -> Resource:
    return {"id": name, "subject": subject or {"reference": "Patient/p"}} | resource


def without(resource: Resource, *names: str) -> Resource:
    return {name: value for name, value in resource.items() if name not in names}


def entries(*pairs: tuple[str, Resource]) -> Resource:
    listed = [{"fullUrl": url, "resource": resource} for url, resource in pairs]
    return {"resourceType": "Bundle", "type": "transaction", "entry": listed}


def test_references_of_every_kind_find_the_patient_and_the_drug(tmp_path: Path) -> None:
    number = {"system": "urn:mrn", "value": "77"}
    who = {"resourceType": "Patient", "id": "p", "identifier": [number], "birthDate": "2010-03-01"}
    named: dict[str, Resource] = {
        "relative": {"reference": "Patient/p"},
        "absolute": {"reference": "https://fhir.example/r4/Patient/p"},
        "versioned": {"reference": "Patient/p/_history/2"},
        "absolute-versioned": {"reference": "https://fhir.example/r4/Patient/p/_history/2"},
        "conditional": {"reference": "Patient?identifier=urn:mrn|77"},
        "identifier": {"identifier": number, "type": "Patient"},
        "identifier-untyped": {"identifier": number},
    }
    sites: dict[str, Any] = {
        name: [who, with_id("c", leukaemia(), subject), with_id("d", given(), subject)]
        for name, subject in named.items()
    }
    full, second, third = (f"urn:uuid:5f0e9a3c-2c54-4a6a-8d2a-0c1f4d9be00{number}" for number in (1, 2, 3))
    sites["urn-uuid"] = {
        "bundle.json": entries(
            (full, without(who, "id")),
            (
                "urn:uuid:5f0e9a3c-2c54-4a6a-8d2a-0c1f4d9be002",
                without(with_id("c", leukaemia(), {"reference": full}), "id"),
            ),
            (
                "urn:uuid:5f0e9a3c-2c54-4a6a-8d2a-0c1f4d9be003",
                without(with_id("d", given(), {"reference": full}), "id"),
            ),
        )
    }
    sites["full-url-with-id"] = {
        "bundle.json": entries(
            (full, who),
            (second, with_id("c", leukaemia(), {"reference": full})),
            (third, with_id("d", given(), {"reference": full})),
        )
    }
    dose = without(given(), "medicationCodeableConcept")
    drug = {"resourceType": "Medication", "id": "m", "code": concept(ATC, CLOFARABINE)}
    parts = {
        "resourceType": "Medication",
        "id": "m",
        "ingredient": [
            {"itemCodeableConcept": concept(ATC, ETOPOSIDE)},
            {"itemCodeableConcept": concept(ATC, CLOFARABINE)},
        ],
    }
    sites |= {
        "medication": {
            "Medication.ndjson": [drug],
            "rest.ndjson": person(
                "p", leukaemia(), {**dose, "medicationReference": {"reference": "Medication/m"}}
            ),
        },
        "medication-absolute": [
            drug,
            *person(
                "p", leukaemia(), {**dose, "medicationReference": {"reference": "http://x/fhir/Medication/m"}}
            ),
        ],
        "contained": person(
            "p",
            leukaemia(),
            {**dose, "contained": [{**drug, "id": "med1"}], "medicationReference": {"reference": "#med1"}},
        ),
        "ingredients": [
            parts,
            *person("p", leukaemia(), {**dose, "medicationReference": {"reference": "Medication/m"}}),
        ],
        "ingredients-r5": [
            {
                "resourceType": "Medication",
                "id": "m",
                "ingredient": [{"item": {"concept": concept(ATC, CLOFARABINE)}}],
            },
            *person(
                "p",
                leukaemia(),
                {
                    **without(dose, "effectiveDateTime"),
                    "occurenceDateTime": day(0),
                    "medication": {"reference": {"reference": "Medication/m"}},
                },
            ),
        ],
        "mapped-drug": [
            mapping("urn:hospital:drugs", ATC, {"CLO": CLOFARABINE}),
            *person(
                "p", leukaemia(), {**dose, "medicationCodeableConcept": concept("urn:hospital:drugs", "CLO")}
            ),
        ],
        "text-reference": person(
            "p", leukaemia(), {**dose, "medicationReference": {"display": "clofarabine"}}
        ),
        "map-of-another-site": person(
            "p", leukaemia(), {**dose, "medicationCodeableConcept": concept("urn:hospital:drugs", "CLO")}
        ),
        "korean": [
            {"resourceType": "Medication", "id": "m", "ingredient": parts["ingredient"][1:]},
            *person(
                "p",
                leukaemia(code=concept(KCD, "C91.0")),
                {
                    "resourceType": "MedicationRequest",
                    "status": "completed",
                    "intent": "order",
                    "authoredOn": day(0),
                    "medicationReference": {"reference": "Medication/m"},
                },
                {
                    **observed(3, EDI, "D0002"),
                    "component": [
                        {"code": concept(EDI, "D0002070"), "valueQuantity": {"value": 20, "unit": "10*3/uL"}}
                    ],
                },
            ),
        ],
    }
    outcome = run(tmp_path, **sites)
    treated_at = {site: outcome.value("attrition", "n", "treated", group=f"site={site}") for site in sites}
    assert treated_at == {
        site: float(site not in ("text-reference", "map-of-another-site")) for site in sites
    }
    assert outcome.value("exposure.regimen", "n", "combination") == 1
    assert outcome.value("lab.worst_grade", "n", "Platelet count decreased grade 4") == 1


def mapping(source: str, target: str, codes: dict[str, str], name: str = "map") -> Resource:
    elements = [
        {"code": one, "target": [{"code": other, "equivalence": "equivalent"}]}
        for one, other in codes.items()
    ]
    group = {"source": source, "target": target, "element": elements}
    return {"resourceType": "ConceptMap", "id": name, "status": "active", "group": [group]}


def stamped(resource: Resource, version: str | None = None, updated: str | None = None) -> Resource:
    meta = {"versionId": version} if version else {}
    return {**resource, "meta": meta | ({"lastUpdated": updated} if updated else {})}


def test_the_newest_version_counts_and_merged_patients_are_one(tmp_path: Path) -> None:
    base = treated("p")
    old, new = ({**base[0], "gender": gender} for gender in ("female", "male"))
    dead = {**base[0], "deceasedDateTime": day(50)}
    late, early = "2021-05-02T00:00:00Z", "2021-05-01T20:00:00-05:00"
    link = {"other": {"reference": "Patient/p"}, "type": "replaced-by"}
    former = person("q", given(9), link=[link])
    sites: dict[str, Any] = {
        "by-time": [*base[1:], stamped(new, "1", "2021-05-02T02:00:00Z"), stamped(old, "2", early)],
        "by-number": [*base[1:], stamped(new, "10"), stamped(old, "9")],
        "time-first": [*base[1:], stamped(new, "1", late), stamped(old, "7", "2021-05-01T00:00:00Z")],
        "resurrected": [*base[1:], stamped(new, "3"), stamped(dead, "2")],
        "merged": [*base, *former],
        "mirror": [
            {**base[0], "link": [{"other": {"reference": "Patient/q"}, "type": "replaces"}]},
            *base[1:],
            *person("q", given(9)),
        ],
        "see-also": [*base, *person("q", leukaemia(), given(9), link=[{**link, "type": "seealso"}])],
        "chain": [
            *base,
            *former,
            *person("r", given(20), link=[{"other": {"reference": "Patient/q"}, "type": "replaced-by"}]),
        ],
        "newest-broken": {
            "one.ndjson": [*base[1:], stamped(new, "1")],
            "two.ndjson": text({**stamped(old, "2"), "birthDate": 7}),
        },
    }
    outcome = run(tmp_path, **sites)
    persons = {site: outcome.value("attrition", "n", "treated", group=f"site={site}") for site in sites}
    assert persons == {site: 2.0 if site == "see-also" else 1.0 for site in sites}
    known = {site: outcome.value("attrition", "n", "known", group=f"site={site}") for site in sites}
    assert known == persons
    for site in ("by-time", "by-number", "time-first", "resurrected", "newest-broken"):
        assert outcome.counts("baseline.sex", f"site={site}") == {"male": 1}
        expected = (4, 3, 1, 0, 0) if site == "newest-broken" else (4, 3, 0, 1, 0)
        assert fates(outcome, site) == expected
    assert outcome.value("death", "n", "all") == 0
    days = outcome.each("cohort", "record.site, exposure_days")["p"]
    assert {site: count for site, count in days if count > 1} == {"merged": 10, "mirror": 10, "chain": 21}


def one_hospital() -> dict[str, Any]:
    return {
        "a": {
            "Patient.ndjson": [one for one in treated("p", complete(30)) if one["resourceType"] == "Patient"],
            "rest.ndjson": [one for one in treated("p", complete(30)) if one["resourceType"] != "Patient"],
            "more.json": bundle(treated("q", marrow(20, 60), reaction(5), deceasedDateTime=day(40))),
        },
        "b c": {"all.ndjson.gz": gzip.compress(ndjson(treated("p", transplant(60), visit(200))))},
    }


@pytest.mark.slow
def test_a_second_run_and_other_names_and_orders_of_lines_give_the_same_bytes(tmp_path: Path) -> None:
    first = run(tmp_path / "first", **one_hospital())
    results = (first.out / "results.csv").read_bytes()
    landed = sorted(path.name for path in (first.home / "landing").rglob("*"))
    again = run_files(tmp_path / "first")
    assert (again.out / "results.csv").read_bytes() == results
    assert sorted(path.name for path in (first.home / "landing").rglob("*")) == landed
    chance = random.Random(1)
    for site, files in one_hospital().items():
        people = [one for name in files for one in resources_of(tmp_path / "first/files" / site / name)]
        chance.shuffle(people)
        write(tmp_path / "other/files" / site, {"z.ndjson": people[:4], "y.json": bundle(people[4:])})
    other = run_files(tmp_path / "other")
    assert (other.out / "results.csv").read_bytes() == results


def resources_of(path: Path) -> list[Resource]:
    content = path.read_bytes()
    lines = (gzip.decompress(content) if path.suffix == ".gz" else content).splitlines()
    read = [json.loads(line) for line in lines]
    return [
        one
        for each in read
        for one in ([e["resource"] for e in each["entry"]] if "entry" in each else [each])
    ]


@pytest.mark.slow
def test_without_a_stamp_the_later_load_wins_and_a_stamp_wins_over_none(tmp_path: Path) -> None:
    people = treated("p", complete(30))
    versions: list[Resource] = [
        {"gender": "male"},
        {"gender": "female"},
        {"gender": "other", "meta": {"lastUpdated": "2001-01-01T00:00:00Z"}},
        {"gender": "male", "meta": {"lastUpdated": "2000-01-01T00:00:00Z"}},
        {"gender": "female"},
    ]
    sex = []
    for number, fields in enumerate(versions):
        write(tmp_path / "files/a", {f"{number}.ndjson": [{**people[0], **fields}, *people[1:]]})
        outcome = run_files(tmp_path)
        sex.append(outcome.counts("baseline.sex"))
    assert sex == [{"male": 1}, {"female": 1}, {"other": 1}, {"other": 1}, {"other": 1}]
    # The fifth file is the second again, and no new one.
    assert fates(outcome, "a") == (24, 6, 0, 18, 0)


@pytest.mark.slow
def test_one_more_file_changes_the_numbers(tmp_path: Path) -> None:
    first = run(tmp_path, a=treated("p", marrow(30, 2)))
    assert first.counts("response.best") == {"NE": 1}
    write(tmp_path / "files/a", {"later.ndjson": person("p", counts(30))[1:]})
    write(tmp_path / "files/b", {"new.ndjson": treated("p", complete(20))})
    # The copies of what has landed add nothing.
    shutil.copy(tmp_path / "files/a/all.ndjson", tmp_path / "files/a/copy.ndjson")
    second = run_files(tmp_path)
    assert second.counts("response.best") == {"CR": 2}
    assert fates(second, "a") == (6, 6, 0, 0, 0)


@pytest.mark.slow
def test_extreme_hospitals_are_reported_without_a_defect(tmp_path: Path) -> None:
    nobody = run(tmp_path / "nobody", a=[{"resourceType": "Patient", "id": "x"}])
    assert nobody.code in (0, 1)
    assert nobody.value("attrition", "n", "known") == 1
    assert nobody.value("response.remission", "percent", method="clopper-pearson") is None
    assert nobody.value("overall_survival", "n") == 0
    no_patients = run(tmp_path / "no-patients", a=[{"resourceType": "Basic", "id": "x"}])
    assert no_patients.value("attrition", "n", "known") == 0
    all_dead = run(
        tmp_path / "dead", a=treated("p", deceasedDateTime=day(0)) + treated("q", deceasedDateTime=day(0))
    )
    assert all_dead.value("overall_survival", "events") == 2
    assert all_dead.value("overall_survival", "median", method="km log-log") == 0
    alone = run(tmp_path / "alone", a=treated("p", complete(30)))
    assert alone.value("response.remission", "ci_low", method="clopper-pearson") == pytest.approx(2.5)
    assert alone.value("baseline.age", "sd") is None
    page = run(tmp_path / "page", a={"Patient.ndjson": PAGE})
    assert page.code == 1


KILLED = """
import os, signal
from pathlib import Path
import {module} as module
kept, calls = module.{function}, []

def dying(*args, **fields):
    calls.append(1)
    if len(calls) > {calls}:
        os.kill(os.getpid(), signal.SIGKILL)
    return kept(*args, **fields)

module.{function} = dying
from flows.execute import execute, request_of
folder = Path({folder!r})
execute(request_of("clofarabine", home=folder / "home", files=folder / "files", out=folder / "out"))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "function", "calls"),
    [
        ("flows.landing", "copy_to", 1),
        ("flows.mapping", "_write", 3),
        ("flows.loading", "commit_load", 0),
        ("sql.runner", "create", 20),
        ("flows.warehouse", "publish", 0),
        ("flows.reporting", "write_manifest", 0),
        ("flows.reporting", "replace_folder", 0),
    ],
)
def test_a_killed_run_is_finished_by_the_same_command(
    tmp_path: Path, module: str, function: str, calls: int
) -> None:
    whole = run(tmp_path / "whole", **one_hospital())
    killed = tmp_path / "killed"
    for site, files in one_hospital().items():
        write(killed / "files" / site, files)
    program = KILLED.format(module=module, function=function, calls=calls, folder=str(killed))
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, cwd=ROOT)
    assert ended.returncode == -signal.SIGKILL
    assert not (killed / "out").exists()
    finished = run_files(killed)
    assert finished.code == 0
    assert (killed / "out/results.csv").read_bytes() == (whole.out / "results.csv").read_bytes()
    assert [path.name for path in killed.iterdir() if ".part" in path.name] == []


def test_no_value_of_a_patient_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    secret = "Q7S3CRET"
    noted = observed(3, LOINC, "11150-0", valueString=f"blasts seen by {secret}", note=[{"text": secret}])
    people = treated("p", noted, identifier=[{"system": "urn:mrn", "value": secret}])
    people[0]["name"] = [{"family": secret, "given": [secret]}]
    site: dict[str, Any] = {
        f"{secret}.ndjson": ndjson(people)
        + f'{{"resourceType": "Patient", "gender": "{secret}", "birthDa'.encode(),
        f"{secret}.json": text({"resourceType": "Patient", "id": "y", "birthDate": [secret]}),
        "c.ndjson": [{"resourceType": "Patient", "id": "x", "gender": {"value": secret}}],
    }
    outcome = run(tmp_path, a=site)
    said = capfd.readouterr()
    assert secret not in said.out + said.err
    holding = [
        path.name
        for folder in (outcome.out, outcome.home)
        for path in folder.rglob("*")
        if path.is_file() and "landing" not in path.parts and secret.encode() in path.read_bytes()
    ]
    assert holding == []
