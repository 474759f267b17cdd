"""From landed files to Parquet: rows with their lineage, the books, and what a second run does."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.home import Home, open_home
from flows.landing import land_files, land_part, landed_files
from flows.load_records import fhir_relations
from flows.loading import LoadReport, load
from mappers.view import View, view_from

WHEN = datetime(2026, 1, 1, tzinfo=UTC)
MIMIC = Path(__file__).parents[2].parent / "shared/data/mimic-iv-fhir-demo"


def view(name: str, resource: str, *columns: tuple[str, str]) -> View:
    select = [{"column": [{"name": column, "path": path} for column, path in columns]}]
    content = {
        "resourceType": "ViewDefinition",
        "name": name,
        "resource": resource,
        "status": "active",
        "select": select,
    }
    return view_from(content, file=f"{name}.json")


VIEWS = [
    view("patient", "Patient", ("birth_date", "birthDate"), ("gender", "gender")),
    view("medication", "Medication", ("code", "code.coding.first().code")),
    view(
        "medication_request",
        "MedicationRequest",
        ("patient_key", "subject.getReferenceKey()"),
        ("medication_key", "medication.ofType(Reference).getReferenceKey()"),
    ),
    view("observation", "Observation", ("value", "value.ofType(Quantity).value")),
]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return open_home(tmp_path / "home")


def put(tmp_path: Path, site: str, name: str, *resources: Any) -> None:
    path = tmp_path / "in" / site / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in resources))


def run(home: Home, tmp_path: Path, views: list[View] = VIEWS) -> LoadReport:
    for folder in sorted((tmp_path / "in").iterdir()):
        land_files(home, folder.name, folder, landed_at=WHEN)
    return load(home, views=views)


def rows(home: Home, name: str, columns: str) -> list[tuple[Any, ...]]:
    paths = [str(path) for path in fhir_relations(home)[name]]
    return (
        duckdb.read_parquet(paths, union_by_name=True)
        .select(duckdb.SQLExpression(columns))
        .order("all")
        .fetchall()
        if "," not in columns
        else duckdb.sql(
            f"select {columns} from read_parquet({paths}, union_by_name = true) order by all"
        ).fetchall()
    )


def bundle(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": list(entries)}


def test_rows_carry_their_lineage(home: Home, tmp_path: Path) -> None:
    meta = {"versionId": "3", "lastUpdated": "2024-05-01T10:00:00+09:00"}
    put(
        tmp_path,
        "snuh",
        "a.ndjson",
        "",
        {"resourceType": "Patient", "id": "1", "meta": meta, "birthDate": "2010-03"},
    )
    report = run(home, tmp_path)
    columns = (
        "site, line, type, id, version, last_updated::varchar, landed_at::varchar, resource_key, birth_date"
    )
    assert rows(home, "patient", columns) == [
        (
            "snuh",
            2,
            "Patient",
            "1",
            "3",
            "2024-05-01 01:00:00+00",
            "2026-01-01 00:00:00+00",
            "Patient/1",
            "2010-03",
        )
    ]
    ((file, part),) = rows(home, "patient", "file, part")
    assert part == 0
    ((_, digest),) = rows(home, "_resource", "file, hash")
    line = (home.landing / "snuh" / file).read_bytes().split(b"\n")[1]
    assert digest == duckdb.execute("select sha256($1::blob)", [line]).fetchall()[0][0]
    assert (report.mapped, report.quarantined, report.mismatches) == (1, 0, ())
    manifest = json.loads((home.landing / "snuh" / f"{file}.json").read_text())
    assert (manifest["resources"], manifest["types"]) == (1, {"Patient": 1})


def test_every_resource_has_one_row_that_says_what_became_of_it(home: Home, tmp_path: Path) -> None:
    put(
        tmp_path,
        "a",
        "mixed.ndjson",
        {"resourceType": "Patient", "id": "1", "birthDate": 12},
        {"resourceType": "Patient", "id": "2", "telecom": "x"},
        {"resourceType": "Organization", "id": "3"},
        {"resourceType": "OperationOutcome"},
        '{"resourceType":"Patient","id":"4","birthDate":"2010","birthDate":"2011"}',
        bundle(
            {"resource": {"resourceType": "Patient", "id": "5"}},
            {"request": {"method": "DELETE", "url": "Patient/9"}},
        ),
        '{"resourceType":"Patient","id":',
        {"resourceType": "ConceptMap", "id": "6", "status": "active"},
    )
    report = run(home, tmp_path)
    assert rows(home, "_resource", "line, type, id, status") == [
        (1, "Patient", "1", "quarantined"),
        (2, "Patient", "2", "mapped"),
        (3, "Organization", "3", "not_asked_for"),
        (4, "OperationOutcome", None, "not_asked_for"),
        (5, "Patient", "4", "quarantined"),
        (6, "Patient", "5", "mapped"),
        (7, None, None, "quarantined"),
        (8, "ConceptMap", "6", "mapped"),
    ]
    assert rows(home, "_quarantine", "line, rule") == [
        (1, "type:Patient.birthDate"),
        (5, "unreadable"),
        (7, "not-json"),
    ]
    assert rows(home, "_finding", "line, rule") == [(2, "type:Patient.telecom")]
    assert rows(home, "_deletion", "line, type, id") == [(6, "Patient", "9")]
    assert rows(home, "_file", "site, landed") == [("a", 8)]
    assert rows(home, "patient", "line, id") == [(2, "2"), (6, "5")]
    assert report.mismatches == ()


def test_of_a_history_only_the_deletions_count(home: Home, tmp_path: Path) -> None:
    """It also tells of patients outside the group that was asked for."""
    put(
        tmp_path,
        "a",
        "a.ndjson",
        {"resourceType": "Patient", "id": "1"},
        {"resourceType": "Patient", "id": "2"},
    )
    run(home, tmp_path)
    history = bundle(
        {"resource": {"resourceType": "Patient", "id": "3", "meta": {"versionId": "1"}}},
        {"request": {"method": "DELETE", "url": "Patient/1/_history/2"}},
        {
            "resource": {
                "resourceType": "Bundle",
                "entry": [{"resource": {"resourceType": "Patient", "id": "4"}}],
            }
        },
    )
    part = home.landing / "a" / "page.part"
    part.write_text(json.dumps(history))
    digest = duckdb.execute("select sha256($1::blob)", [part.read_bytes()]).fetchall()[0][0]
    size = part.stat().st_size
    land_part("a", part, sha256=digest, size=size, source="x", landed_at=WHEN, has_only_deletions=True)
    report = load(home, views=VIEWS)
    assert (report.mapped, report.not_asked_for, report.mismatches) == (0, 2, ())
    assert rows(home, "patient", "id") == [("1",), ("2",)]
    assert rows(home, "_deletion", "type, id, version") == [("Patient", "1", "2")]
    (manifest,) = [file for file in landed_files(home) if file.sha256 == digest]
    assert manifest.has_only_deletions


def test_a_type_twice_makes_the_line_unreadable_and_a_contained_type_does_not(
    home: Home, tmp_path: Path
) -> None:
    put(
        tmp_path,
        "a",
        "a.ndjson",
        '{"resourceType":"Patient","id":"1"}',
        '{"resourceType":"Patient","resourceType":"Observation","id":"2"}',
        '{"resourceType":"Patient","id":"3","contained":[{"resourceType":"Medication","id":"m"}]}',
        '{"resourceType":"Patient","id":"4","x":{"resourceType":"Observation"}}',
    )
    report = run(home, tmp_path)
    assert rows(home, "patient", "id") == [("1",), ("3",), ("4",)]
    assert rows(home, "_quarantine", "line, rule") == [(2, "unreadable")]
    assert report.mismatches == ()


@pytest.mark.parametrize("again", ['"resourceType"', '"resourceTyp\\u0065"'])
@pytest.mark.parametrize(
    "beside", ['{"id":"3"}', '{"resourceType":"Observation","id":"3","status":"final","code":{}}']
)
def test_the_same_type_twice_makes_the_line_unreadable(
    again: str, beside: str, home: Home, tmp_path: Path
) -> None:
    right = '{"resourceType":"Observation","id":"%s","status":"final","code":{}}'
    twice = (right % 2)[:-1] + f',{again}:"Observation"}}'
    put(tmp_path, "a", "a.ndjson", right % 1, twice, beside)
    run(home, tmp_path)
    refused = [] if "Observation" in beside else [(3, "not-a-resource")]
    assert rows(home, "_quarantine", "line, rule") == [(2, "unreadable"), *refused]


def test_a_resource_over_several_lines_is_mapped_as_one_on_one_line(home: Home, tmp_path: Path) -> None:
    patients = [{"resourceType": "Patient", "id": str(n), "gender": "female"} for n in range(3)]
    pretty = json.dumps(bundle(*({"resource": patient} for patient in patients)), indent=2)
    for name, text in (("bundle.json", pretty), ("a.ndjson", json.dumps(patients[0]) + "\r\n" + "\r\n")):
        (tmp_path / "in" / "a").mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / "a" / name).write_text(text, newline="")
    assert run(home, tmp_path).mapped == 4
    assert rows(home, "patient", "id, gender") == [(n, "female") for n in ("0", "0", "1", "2")]


def test_a_number_whose_precision_counts_is_read_as_it_was_written(home: Home, tmp_path: Path) -> None:
    lowest = view("lowest", "Observation", ("low", "value.ofType(Quantity).value.lowBoundary()"))
    written = (
        '{"resourceType":"Observation","id":"%s","status":"final","code":{},"valueQuantity":{"value":%s}}'
    )
    put(tmp_path, "a", "a.ndjson", written % ("1", "1.0"), written % ("2", "1.00"), written % ("3", "1"))
    run(home, tmp_path, [*VIEWS, lowest])
    assert rows(home, "lowest", "id, low") == [("1", 0.95), ("2", 0.995), ("3", 0.5)]
    assert rows(home, "observation", "id, value") == [("1", 1.0), ("2", 1.0), ("3", 1.0)]


def test_a_key_twice_in_what_a_view_repeats_makes_the_line_unreadable(home: Home, tmp_path: Path) -> None:
    content = {
        "resourceType": "ViewDefinition",
        "name": "item",
        "resource": "QuestionnaireResponse",
        "status": "active",
        "select": [{"repeat": ["item"], "column": [{"name": "link", "path": "linkId"}]}],
    }
    answer = (
        '{"resourceType":"QuestionnaireResponse","id":"%s","status":"completed","item":[{"linkId":"1"%s}]}'
    )
    put(tmp_path, "a", "a.ndjson", answer % ("1", ""), answer % ("2", ',"linkId":"2"'))
    report = run(home, tmp_path, [*VIEWS, view_from(content, file="item.json")])
    assert rows(home, "item", "id, link") == [("1", "1")]
    assert rows(home, "_quarantine", "line, rule") == [(2, "unreadable")]
    assert report.mismatches == ()


def test_a_resource_without_id_takes_its_entry_s_url(home: Home, tmp_path: Path) -> None:
    put(
        tmp_path,
        "a",
        "b.json",
        bundle(
            {"fullUrl": "urn:uuid:0A", "resource": {"resourceType": "Patient"}},
            {"fullUrl": "https://h/fhir/Patient/7", "resource": {"resourceType": "Patient"}},
            {"fullUrl": "urn:uuid:0b", "resource": {"resourceType": "Patient", "id": "8"}},
            {"resource": {"resourceType": "Patient", "gender": "male"}},
        ),
    )
    run(home, tmp_path)
    digest = rows(home, "_resource", "hash, line")
    last = next(h for h, line in digest if line == 4)
    assert rows(home, "patient", "line, resource_key") == [
        (1, "Patient/urn:uuid:0A"),
        (2, "Patient/7"),
        (3, "Patient/8"),
        (4, f"Patient/sha256:{last}"),
    ]
    assert rows(home, "_alias", "alias, resource_key") == [
        ("urn:uuid:0a", "Patient/urn:uuid:0A"),
        ("urn:uuid:0b", "Patient/8"),
    ]


def test_contained_resources_are_rows_of_their_own_and_not_counted(home: Home, tmp_path: Path) -> None:
    medication = {"resourceType": "Medication", "id": "m", "code": {"coding": [{"code": "L01BB06"}]}}
    request = {
        "resourceType": "MedicationRequest",
        "id": "77",
        "status": "active",
        "intent": "order",
        "contained": [medication],
        "subject": {"reference": "Patient/1"},
        "medicationReference": {"reference": "#m"},
    }
    put(tmp_path, "a", "a.ndjson", request)
    report = run(home, tmp_path)
    assert rows(home, "medication", "resource_key, code") == [
        ("Medication/MedicationRequest/77#m", "L01BB06")
    ]
    ((patient, reference),) = rows(home, "medication_request", "patient_key, medication_key")
    assert patient == "Patient/1"
    assert (reference, "Medication/MedicationRequest/77#m") in rows(home, "_alias", "alias, resource_key")
    assert (report.resources, report.mapped, report.mismatches) == (1, 1, ())


def test_resources_of_one_line_are_numbered_whatever_becomes_of_them(home: Home, tmp_path: Path) -> None:
    def patient(identity: str, **fields: Any) -> dict[str, Any]:
        return {"resource": {"resourceType": "Patient", "id": identity, **fields}}

    def order(identity: str) -> dict[str, Any]:
        drugs = [{"resourceType": "Medication", "id": name} for name in ("m", "n")]
        fields = {"id": identity, "status": "active", "intent": "order", "subject": {}, "contained": drugs}
        return {"resourceType": "MedicationRequest", **fields}

    put(
        tmp_path,
        "a",
        "a.ndjson",
        order("1"),
        bundle(
            patient("2"),
            {"request": {"method": "DELETE", "url": "Patient/9"}},
            {"resource": bundle(patient("2"), {"resource": order("3")}, patient("4", birthDate=4))},
            {"resource": {"resourceType": "Organization", "id": "5"}},
        ),
        patient("6")["resource"],
    )
    report = run(home, tmp_path)
    places = [
        (line, part, name, owner)
        for line, part, name, owner in rows(home, "_resource", "line, part, id, owner_part")
    ]
    assert places == [
        (1, 0, "1", None),
        (1, 1, "MedicationRequest/1#m", 0),
        (1, 2, "MedicationRequest/1#n", 0),
        # The Bundle itself would be 0; a deletion and a Bundle take a number too.
        (2, 1, "2", None),
        (2, 4, "2", None),
        (2, 5, "3", None),
        (2, 6, "MedicationRequest/3#m", 5),
        (2, 7, "MedicationRequest/3#n", 5),
        (2, 8, "4", None),
        (2, 9, "5", None),
        (3, 0, "6", None),
    ]
    assert rows(home, "patient", "line, part, id") == [(2, 1, "2"), (2, 4, "2"), (3, 0, "6")]
    assert rows(home, "medication", "line, part") == [(1, 1), (1, 2), (2, 6), (2, 7)]
    assert (report.resources, report.mapped, report.mismatches) == (7, 5, ())


def test_a_view_may_ask_for_the_boundaries_of_a_date(home: Home, tmp_path: Path) -> None:
    put(tmp_path, "a", "in.ndjson", {"resourceType": "Patient", "id": "p", "birthDate": "1980-02"})
    paths = (("first", "birthDate.lowBoundary()"), ("last", "birthDate.highBoundary()"))
    run(home, tmp_path, [view("patient", "Patient", *paths)])
    assert rows(home, "patient", "first, last") == [("1980-02-01", "1980-02-29")]


def test_a_ledger_has_a_file_only_of_sites_with_rows_of_it(home: Home, tmp_path: Path) -> None:
    put(tmp_path, "a", "in.ndjson", {"resourceType": "Patient", "id": "p"})
    put(tmp_path, "b", "in.ndjson", {"resourceType": "Patient", "id": "p"}, "no JSON")
    run(home, tmp_path)
    assert rows(home, "_quarantine", "site, line") == [("b", 2)]
    assert [path.parent.name for path in (home.fhir / "_quarantine").glob("*/*.parquet")] == ["b"]
    assert not list((home.fhir / "_deletion").glob("*/*.parquet"))
    assert rows(home, "_deletion", "site, line") == []


def test_a_reference_by_identifier_finds_its_patient(home: Home, tmp_path: Path) -> None:
    request = {"resourceType": "MedicationRequest", "id": "1", "status": "active", "intent": "order"}
    identifier = {"system": "http://h/mrn", "value": "12345"}
    put(
        tmp_path,
        "a",
        "a.ndjson",
        {"resourceType": "Patient", "id": "p", "identifier": [identifier]},
        {**request, "subject": {"identifier": identifier}},
        {**request, "id": "2", "subject": {"identifier": identifier, "type": "Patient"}},
        {**request, "id": "3", "subject": {"reference": "Patient?identifier=http://h/mrn|12345"}},
    )
    run(home, tmp_path)
    aliases = dict(rows(home, "_alias", "alias, resource_key"))
    keys = [key for _, key in rows(home, "medication_request", "line, patient_key")]
    assert [aliases[key] for key in keys] == ["Patient/p"] * 3
    everything = b"".join(path.read_bytes() for path in home.fhir.rglob("*.parquet"))
    assert b"12345" not in everything


def test_code_maps_of_both_versions_are_read(home: Home, tmp_path: Path) -> None:
    def code_map(identity: str, **word: str) -> dict[str, Any]:
        words = [{**word, "code": "X"}, {next(iter(word)): "disjoint", "code": "Y"}, dict(word)]
        element = [{"code": "a", "target": words}]
        group = [{"source": "http://own", "target": "http://loinc.org", "element": element}]
        return {"resourceType": "ConceptMap", "id": identity, "status": "active", "group": group}

    put(
        tmp_path,
        "a",
        "a.ndjson",
        code_map("1", equivalence="equivalent"),
        code_map("2", relationship="equivalent"),
    )
    run(home, tmp_path)
    columns = "line, source_system, source_code, target_system, target_code, relationship"
    found = ("http://own", "a", "http://loinc.org", "X", "equivalent")
    assert [row for row in rows(home, "_concept_map", columns) if row[4] == "X"] == [(1, *found), (2, *found)]


def test_r5_and_r4_lines_of_one_file_go_their_own_ways(home: Home, tmp_path: Path) -> None:
    four = {
        "resourceType": "MedicationRequest",
        "id": "1",
        "status": "active",
        "intent": "order",
        "subject": {},
    }
    put(
        tmp_path,
        "a",
        "a.ndjson",
        {**four, "medicationReference": {"reference": "Medication/4"}},
        {**four, "id": "2", "medication": {"reference": {"reference": "Medication/5"}}},
    )
    run(home, tmp_path)
    assert rows(home, "_resource", "line, fhir_version") == [(1, "R4B"), (2, "R5")]
    assert rows(home, "medication_request", "line, medication_key")[0] == (1, "Medication/4")


def test_a_second_run_does_nothing_and_a_later_file_is_added(home: Home, tmp_path: Path) -> None:
    put(tmp_path, "a", "a.ndjson", {"resourceType": "Patient", "id": "1"})
    run(home, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in home.fhir.rglob("*")}
    assert run(home, tmp_path) == LoadReport(None, 0, 0, 0, 0, 0)
    assert {path: path.stat().st_mtime_ns for path in home.fhir.rglob("*")} == before
    put(tmp_path, "a", "b.ndjson", {"resourceType": "Patient", "id": "2"})
    assert run(home, tmp_path).files == 1
    assert rows(home, "patient", "line, id") == [(1, "1"), (1, "2")]


@pytest.mark.parametrize("left", [None, b"", b'{"mappings":3}', "as it was"])
def test_what_a_load_works_out_for_the_next_may_be_lost(
    left: bytes | str | None, home: Home, tmp_path: Path
) -> None:
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {},
        "valueQuantity": {"value": 1},
    }
    put(tmp_path, "a", "a.ndjson", {**observation, "id": "1"})
    run(home, tmp_path)
    (memory,) = (home.fhir / "_loads").rglob("memory")
    if left is None:
        memory.unlink()
    elif isinstance(left, bytes):
        memory.write_bytes(left)
    request = {"resourceType": "MedicationRequest", "status": "active", "intent": "order", "subject": {}}
    r5 = {"medication": {"reference": {"reference": "Medication/5"}}}
    wrong = {"valueQuantity": {"value": "1"}}
    lines = [{**observation, "id": "2"}, {**observation, **wrong, "id": "3"}, {**request, **r5, "id": "4"}]
    put(tmp_path, "a", "b.ndjson", *lines)
    run(home, tmp_path)
    assert rows(home, "observation", "id, value") == [("1", 1.0), ("2", 1.0)]
    assert rows(home, "_quarantine", "line, rule") == [(2, "type:Observation.valueQuantity.value")]
    assert rows(home, "_resource", "id, fhir_version") == [
        ("1", "R4B"),
        ("2", "R4B"),
        ("3", "R4B"),
        ("4", "R5"),
    ]


def test_a_killed_load_leaves_nothing_visible_and_is_done_again(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "a", "a.ndjson", {"resourceType": "Patient", "id": "1"})

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("flows.loading.commit_load", killed)
        with pytest.raises(KeyboardInterrupt):
            run(home, tmp_path)
    assert fhir_relations(home) == {}
    assert run(home, tmp_path).mapped == 1
    assert rows(home, "patient", "line, id") == [(1, "1")]


def test_a_changed_view_maps_everything_again(home: Home, tmp_path: Path) -> None:
    put(tmp_path, "a", "a.ndjson", {"resourceType": "Patient", "id": "1", "language": "ko"})
    run(home, tmp_path)
    changed = [view("patient", "Patient", ("language", "language")), *VIEWS[1:]]
    assert run(home, tmp_path, changed).mapped == 1
    assert rows(home, "patient", "id, language") == [("1", "ko")]
    run(home, tmp_path)
    assert rows(home, "patient", "id, gender") == [("1", None)]


def test_every_relation_is_there_without_any_file(home: Home) -> None:
    load(home, views=VIEWS)
    names = {"_resource", "_quarantine", "_finding", "_alias", "_deletion", "_file", "_concept_map"}
    assert set(fhir_relations(home)) == names | {v.name for v in VIEWS}
    assert rows(home, "patient", "site, birth_date") == []
    assert rows(home, "_resource", "site, landed_at") == []


def test_sites_are_kept_apart_also_where_their_names_are_odd(home: Home, tmp_path: Path) -> None:
    for site in ("서울 병원", "a.b", "A_b-1"):
        put(tmp_path, site, "a.ndjson", {"resourceType": "Patient", "id": site[0]})
    run(home, tmp_path)
    assert rows(home, "patient", "site, id") == [("A_b-1", "A"), ("a.b", "a"), ("서울 병원", "서")]
    assert (home.fhir / "patient" / "서울 병원").is_dir()


def shuffled(lines: list[str]) -> list[str]:
    return lines[3:] + lines[1:3] + lines[:1]


@pytest.mark.parametrize("order", [list, shuffled])
def test_many_refused_lines_are_each_found(
    order: Callable[[list[str]], list[str]], home: Home, tmp_path: Path
) -> None:
    good = [json.dumps({"resourceType": "Patient", "id": str(n)}) for n in range(9000)]
    bad = [f'{{"resourceType":"Patient","id":"x{n}","gender":"male","gender":"female"}}' for n in range(7)]
    lines = order([*good[:4000], *bad[:5], *good[4000:], *bad[5:]])
    put(tmp_path, "a", "a.ndjson", *lines)
    report = run(home, tmp_path)
    assert (report.mapped, report.quarantined, report.mismatches) == (9000, 7, ())
    expected = [n for n, line in enumerate(lines, 1) if '"x' in line]
    assert [line for line, _ in rows(home, "_quarantine", "line, rule")] == expected
    assert len(rows(home, "patient", "line, id")) == 9000


@pytest.mark.skipif(not MIMIC.is_dir(), reason="the MIMIC demo is not at ../shared/data")
def test_the_mimic_demo_is_loaded_whole(home: Home, tmp_path: Path) -> None:
    (tmp_path / "in/site").mkdir(parents=True)
    for name in ("MimicPatient", "MimicObservationMicroTest", "MimicOrganization"):
        shutil.copy(MIMIC / f"{name}.ndjson.gz", tmp_path / "in/site")
    report = run(home, tmp_path)
    # zcat … | wc -l: 100 patients, 1,893 tests, 1 organization
    assert (report.mapped, report.quarantined, report.not_asked_for) == (1993, 0, 1)
    assert report.mismatches == ()
