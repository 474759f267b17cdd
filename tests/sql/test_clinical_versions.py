"""Which version of a resource is current, what becomes of the others, and who a person is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.sql.clinical_files import (
    LOINC,
    WHEN,
    Resource,
    build,
    bundle,
    clinical,
    coded,
    findings,
    land,
    observation,
    patient,
    persons,
    ref,
    rows,
)

LATER = WHEN + timedelta(days=1)


def version(sex: str, **meta: str) -> Resource:
    return patient("p", gender=sex, meta=meta)


def sexes(root: Path) -> list[tuple[Any, ...]]:
    return rows(build(root), "clinical.person", "site, patient_key, sex")


def test_the_latest_last_updated_is_current_whatever_the_order_and_the_offset(tmp_path: Path) -> None:
    newest = version("female", lastUpdated="2024-01-01T23:30:00-09:00", versionId="1")
    older = version("male", lastUpdated="2024-01-02T08:00:00Z", versionId="2")
    land(tmp_path, {"a": {"1.ndjson": [newest, older]}})
    land(tmp_path, {"a": {"2.ndjson": [older]}}, LATER)
    con = build(tmp_path)
    assert rows(con, "clinical.person", "sex, resource_version, line") == [("female", "1", 1)]
    assert rows(con, "quality.resources", "landed, mapped, superseded") == [(1, 0, 1), (2, 1, 1)]


def test_a_leap_second_and_a_time_without_seconds_are_instants(tmp_path: Path) -> None:
    written = [
        version("male", lastUpdated="2016-12-31T23:59:59.9Z"),
        version("female", lastUpdated="2017-01-01T08:59:60+09:00"),
        patient("q", gender="male", meta={"lastUpdated": "2020-01-01T00:00:59+09:00"}),
        patient("q", gender="female", meta={"lastUpdated": "2020-01-01T00:01+09:00"}),
    ]
    land(tmp_path, {"a": {"1.ndjson": written}})
    assert [sex for _, _, sex in sexes(tmp_path)] == ["female", "female"]


def test_version_ids_count_as_numbers_and_then_the_load_decides(tmp_path: Path) -> None:
    land(tmp_path, {"a": {"1.ndjson": [version("female", versionId="10"), version("male", versionId="9")]}})
    land(tmp_path, {"b": {"1.ndjson": [version("male")]}})
    land(tmp_path, {"b": {"2.ndjson": [version("other")]}}, LATER)
    assert sexes(tmp_path) == [("a", "Patient/p", "female"), ("b", "Patient/p", "other")]


def test_without_any_sign_of_age_the_content_decides_and_never_the_file(tmp_path: Path) -> None:
    one, other = version("female"), version("male")
    land(
        tmp_path,
        {"a": {"1.ndjson": [one], "2.ndjson": [other]}, "b": {"2.ndjson": [one], "1.ndjson": [other]}},
    )
    (_, _, first), (_, _, second) = sexes(tmp_path)
    assert first == second


def test_a_copy_is_superseded_and_an_identical_file_counts_once(tmp_path: Path) -> None:
    land(tmp_path, {"a": {"1.ndjson": [patient()], "2.ndjson": [patient(), patient("q")]}})
    land(tmp_path, {"a": {"again.ndjson": [patient()]}}, LATER)
    con = build(tmp_path)
    assert rows(con, "clinical.person", "patient_key") == [("Patient/p",), ("Patient/q",)]
    counts = rows(con, "quality.resources", "sum(landed), sum(mapped), sum(superseded)")
    assert counts == [(3, 2, 1)]


def test_a_resource_twice_on_one_line_is_one_person_and_one_death(tmp_path: Path) -> None:
    dead = patient(deceasedDateTime="2020-05-01")
    con = clinical(tmp_path, bundle(("http://h/Patient/p", dead), ("http://h/Patient/p", dead)))
    assert rows(con, "clinical.person", "patient_key") == [("Patient/p",)]
    assert rows(con, "clinical.death_record", "kind, died_text") == [("patient", "2020-05-01")]


def test_a_resource_twice_in_a_bundle_on_one_line_has_its_rows_once(tmp_path: Path) -> None:
    weight = observation("o", LOINC, "29463-7", valueInteger=40)
    once = ("http://h/Observation/o", weight)
    con = clinical(tmp_path, patient(), bundle(once, ("http://h/Bundle/b", bundle(once)), once))
    assert rows(con, "current.observation", "line, resource_id") == [(2, "o")]
    assert rows(con, "quality.resources", "landed, mapped, superseded") == [(4, 2, 2)]


def test_one_id_at_two_sites_is_two_persons(tmp_path: Path) -> None:
    land(tmp_path, {"a": {"1.ndjson": [patient()]}, "b": {"1.ndjson": [patient()]}})
    con = build(tmp_path)
    assert rows(con, "clinical.person", "count(distinct person_id), min(length(person_id))") == [(2, 16)]


def test_when_the_newest_version_is_quarantined_the_former_stays_with_a_finding(tmp_path: Path) -> None:
    bad = {"resourceType": "Patient", "id": "p", "meta": {"versionId": "3"}, "birthDate": 0}
    land(tmp_path, {"a": {"1.ndjson": [version("female", versionId="2"), version("male", versionId="1")]}})
    land(tmp_path, {"a": {"2.ndjson": [bad]}}, LATER)
    con = build(tmp_path)
    assert rows(con, "clinical.person", "sex") == [("female",)]
    assert findings(con) == [("Patient", "p", "version:newest-quarantined")]
    assert rows(con, "quality.resources", "sum(mapped), sum(quarantined), sum(superseded)") == [(1, 1, 1)]


def test_a_newest_version_without_a_mark_of_its_age_is_known_by_its_load(tmp_path: Path) -> None:
    land(tmp_path, {"a": {"1.ndjson": [patient(gender="male")]}})
    land(tmp_path, {"a": {"2.ndjson": [{"resourceType": "Patient", "id": "p", "birthDate": 0}]}}, LATER)
    assert findings(build(tmp_path)) == [("Patient", "p", "version:newest-quarantined")]


def test_an_older_quarantined_version_is_no_finding(tmp_path: Path) -> None:
    bad = {"resourceType": "Patient", "id": "p", "meta": {"versionId": "1"}, "birthDate": 0}
    con = clinical(tmp_path, bad, version("female", versionId="2"))
    assert findings(con) == []
    assert rows(con, "clinical.person", "sex") == [("female",)]


def test_a_person_whose_patient_is_quarantined_is_not_known_and_the_rest_are_findings(tmp_path: Path) -> None:
    bad = {"resourceType": "Patient", "id": "p", "birthDate": 0}
    con = clinical(tmp_path, bad, observation("o", LOINC, "777-3", valueInteger=1))
    assert rows(con, "clinical.person") == []
    assert findings(con) == [("Observation", "o", "reference:unresolved-patient")]
    assert rows(con, "clinical.contact") == []


def test_a_deletion_ends_a_resource_until_it_is_written_again(tmp_path: Path) -> None:
    def deletion(url: str, at: str | None = None) -> Resource:
        answer = {"response": {"status": "204", "lastModified": at}} if at else {}
        return {"request": {"method": "DELETE", "url": url}} | answer

    names = ("gone", "renewed", "older", "undated")
    written = [patient(name, meta={"lastUpdated": "2024-01-01T00:00:00Z"}) for name in names]
    dated = "2024-02-01T00:00:00Z"
    deletions = [deletion(f"Patient/{name}", dated) for name in ("gone", "renewed", "older")]
    deletions.append(deletion("Patient/undated"))
    deleted = {"resourceType": "Bundle", "type": "history", "entry": deletions}
    land(tmp_path, {"a": {"1.ndjson": written}})
    land(tmp_path, {"a": {"2.json": [deleted]}}, LATER)
    again = [
        patient("renewed", meta={"lastUpdated": "2024-03-01T00:00:00Z"}),
        patient("older", meta={"lastUpdated": "2023-03-01T00:00:00Z"}),
    ]
    land(tmp_path, {"a": {"3.ndjson": again}}, LATER + timedelta(days=1))
    con = build(tmp_path)
    assert rows(con, "clinical.person", "patient_key") == [("Patient/renewed",)]
    assert rows(con, "quality.resources", "sum(mapped), sum(superseded)") == [(1, 5)]


def test_a_deletion_that_tells_its_version_ends_the_versions_before_it(tmp_path: Path) -> None:
    def entry(name: str, number: int, day: int) -> Resource:
        return {
            "resource": patient(
                name, meta={"versionId": f"{number}", "lastUpdated": f"2024-01-{day:02}T00:00:00Z"}
            )
        }

    entries = [
        entry("back", 4, 4),
        {"request": {"method": "DELETE", "url": "Patient/back/_history/3"}},
        entry("back", 2, 2),
        {"request": {"method": "DELETE", "url": "https://h.example/fhir/Patient/gone/_history/10"}},
        entry("gone", 9, 9),
    ]
    land(tmp_path, {"a": {"1.json": [{"resourceType": "Bundle", "type": "history", "entry": entries}]}})
    con = build(tmp_path)
    assert rows(con, "clinical.person", "patient_key") == [("Patient/back",)]
    assert rows(con, "fhir.deletion", "id, version") == [("back", "3"), ("gone", "10")]


def test_a_deletion_by_identifier_ends_what_has_it_and_one_that_says_nothing_is_a_finding(
    tmp_path: Path,
) -> None:
    def named(name: str, value: str) -> Resource:
        return patient(name, identifier=[{"system": "urn:hospital", "value": value}])

    urls = (
        "Patient?identifier=urn:hospital%7C1",
        "Patient?identifier=urn:hospital|twice",
        "Patient?identifier=urn:hospital|nobody",
        "Patient?birthdate=2001-01-01",
        "Patient/nobody",
        "",
    )
    entries = [{"request": {"method": "DELETE", "url": url}} for url in urls]
    people = [named("gone", "1"), named("stays", "11"), named("one", "twice"), named("other", "twice")]
    land(tmp_path, {"a": {"1.ndjson": people}})
    land(tmp_path, {"a": {"2.json": [{"resourceType": "Bundle", "type": "batch", "entry": entries}]}}, LATER)
    con = build(tmp_path)
    assert rows(con, "clinical.person", "patient_key") == [
        ("Patient/one",),
        ("Patient/other",),
        ("Patient/stays",),
    ]
    assert rows(con, "quality.finding", "line", "rule = 'deletion:unresolved'") == [(2,), (3,), (4,), (6,)]


def test_what_landed_after_the_as_of_is_not_known_and_its_lines_are_superseded(tmp_path: Path) -> None:
    land(tmp_path, {"a": {"1.ndjson": [version("male", versionId="1")]}})
    land(tmp_path, {"a": {"2.ndjson": [version("female", versionId="2"), patient("q")]}}, LATER)
    con = build(tmp_path, as_of=WHEN)
    assert rows(con, "clinical.person", "patient_key, sex") == [("Patient/p", "male")]
    counts = rows(con, "quality.resources", "landed, mapped, superseded")
    assert counts == [(1, 1, 0), (2, 0, 2)]


def replaced_by(to: str) -> list[Resource]:
    return [{"other": ref(to), "type": "replaced-by"}]


def replaces(former: str) -> list[Resource]:
    return [{"other": ref(former), "type": "replaces"}]


def of(name: str, to: str | None = None) -> Resource:
    return observation(f"of-{name}", LOINC, "777-3", subject=ref(to or f"Patient/{name}"), valueInteger=1)


def test_merged_patients_are_one_person_by_either_link_and_along_a_chain(tmp_path: Path) -> None:
    con = clinical(
        tmp_path,
        patient("a1", link=replaced_by("Patient/a2"), deceasedDateTime="2020-05-01"),
        patient("a2", link=replaced_by("https://h.example/fhir/Patient/a3")),
        patient("a3"),
        patient("b1"),
        patient("b2", link=replaces("Patient/b1")),
        patient("c1", link=[{"other": ref("Patient/c2"), "type": "seealso"}]),
        patient("c2", link=[{"other": ref("Patient/c1"), "type": "refer"}]),
        *(of(name) for name in ("a1", "a2", "b1", "c1")),
    )
    known = [(f"Patient/{name}",) for name in ("a3", "b2", "c1", "c2")]
    assert rows(con, "clinical.person", "patient_key") == known
    assert persons(con, "measurement") == [
        ("of-a1", "Patient/a3"),
        ("of-a2", "Patient/a3"),
        ("of-b1", "Patient/b2"),
        ("of-c1", "Patient/c1"),
    ]
    assert persons(con, "death_record") == [("a1", "Patient/a3")]
    assert findings(con) == []


def test_patients_merged_in_a_circle_are_one_person_with_a_finding(tmp_path: Path) -> None:
    con = clinical(
        tmp_path,
        patient("z", link=replaced_by("Patient/x")),
        patient("y", link=replaced_by("Patient/z")),
        patient("x", link=replaced_by("Patient/y")),
        of("y"),
    )
    assert rows(con, "clinical.person", "patient_key") == [("Patient/x",)]
    assert persons(con, "measurement") == [("of-y", "Patient/x")]
    assert findings(con) == [("Patient", name, "link:circular") for name in ("x", "y", "z")]


def test_a_person_merged_into_two_is_one_of_them_with_a_finding(tmp_path: Path) -> None:
    con = clinical(
        tmp_path,
        patient("fork", link=[*replaced_by("Patient/z"), *replaced_by("Patient/y")]),
        patient("y"),
        patient("z"),
        # Two ways to one person are no fork.
        patient("way", link=[*replaced_by("Patient/by"), *replaced_by("Patient/end")]),
        patient("by", link=replaced_by("Patient/end")),
        patient("end"),
        of("fork"),
    )
    assert persons(con, "measurement") == [("of-fork", "Patient/y")]
    assert findings(con) == [("Patient", "fork", "link:forked")]


def test_a_person_merged_into_an_unknown_one_stays_with_a_finding(tmp_path: Path) -> None:
    con = clinical(tmp_path, patient("p", link=replaced_by("Patient/nobody")), of("p"), of("nobody"))
    assert persons(con, "measurement") == [("of-nobody", None), ("of-p", "Patient/p")]
    assert findings(con) == [
        ("Observation", "of-nobody", "reference:unresolved-patient"),
        ("Patient", "p", "reference:unresolved-link"),
    ]


def test_what_refers_to_a_patient_that_another_replaces_is_the_others(tmp_path: Path) -> None:
    con = clinical(tmp_path, patient("new", link=replaces("Patient/old")), of("old"))
    assert persons(con, "measurement") == [("of-old", "Patient/new")]


def test_an_identifier_of_a_merged_and_its_surviving_patient_is_that_person(tmp_path: Path) -> None:
    mrn = [{"system": "urn:mrn", "value": "7"}]
    con = clinical(
        tmp_path,
        patient("old", identifier=mrn, link=replaced_by("Patient/new")),
        patient("new", identifier=mrn),
        of("mrn", "Patient?identifier=urn:mrn|7"),
    )
    assert persons(con, "measurement") == [("of-mrn", "Patient/new")]
    assert findings(con) == []


def test_a_contained_resource_has_the_version_of_its_owner(tmp_path: Path) -> None:
    def order(code: str, version: str) -> Resource:
        drug = {
            "resourceType": "Medication",
            "id": "m",
            "code": {"coding": [{"system": "s:s", "code": code}]},
        }
        return {
            "resourceType": "MedicationRequest",
            "id": "r",
            "meta": {"versionId": version},
            "status": "active",
            "intent": "order",
            "contained": [drug],
            "medicationReference": ref("#m"),
            "subject": ref("Patient/p"),
        }

    codes = ("one", "two", "three", "four")
    orders = [order(code, str(version)) for version, code in enumerate(codes)]
    con = clinical(tmp_path, patient(), *orders[::-1])
    assert rows(con, "clinical.drug_coding", "code") == [("four",)]
    assert rows(con, "quality.resources", "landed, mapped, superseded") == [(5, 2, 3)]


def ordered(version: str, *codes: str) -> Resource:
    """An order with a drug `m` inside for each code."""
    drugs = [{"resourceType": "Medication", "id": "m", "code": coded("s:s", code)} for code in codes]
    told = {"id": "r", "meta": {"versionId": version}, "status": "active", "intent": "order"}
    meant = {"contained": drugs, "medicationReference": ref("#m"), "subject": ref("Patient/p")}
    return {"resourceType": "MedicationRequest"} | told | meant


@pytest.mark.parametrize("newest", [0, 1, 2])
def test_of_versions_on_one_line_the_newest_brings_what_it_contains(newest: int, tmp_path: Path) -> None:
    codes = ("one", "two", "three")
    orders = [ordered("9" if number == newest else str(number), code) for number, code in enumerate(codes)]
    con = clinical(tmp_path, patient(), bundle(*(("http://h/MedicationRequest/r", one) for one in orders)))
    assert rows(con, "clinical.drug_coding", "code") == [(codes[newest],)]
    assert rows(con, "quality.resources", "landed, mapped, superseded") == [(4, 2, 2)]


def test_of_two_contained_resources_with_one_id_one_is_current(tmp_path: Path) -> None:
    con = clinical(tmp_path, patient(), ordered("1", "one", "two"), ordered("2", "same", "same"))
    assert rows(con, "clinical.drug_coding", "code") == [("same",)]
    contained = rows(con, "current.version", "line, part, is_current", "is_contained")
    assert sorted(is_current for _, _, is_current in contained) == [False, False, False, True]
    assert [line for line, _, is_current in contained if is_current] == [3]
    assert rows(con, "quality.resources", "landed, mapped, superseded") == [(3, 2, 1)]
