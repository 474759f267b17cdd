"""Which source codes fed each concept, and which near it fed none: hospitals made by hand, expected rows by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from sql.build_codes import READ_FROM, codelist_sources
from studies.checks import named_codelists
from studies.reading import bundled_studies, load_study
from tests.hospitals.builder import (
    ATC,
    EDI,
    LOINC,
    Outcome,
    Resource,
    anc,
    concept,
    done,
    given,
    item,
    leukaemia,
    measured,
    observed,
    ordered,
    person,
    run,
    treated,
    visit,
)
from tests.hospitals.test_codes import count, mapping, own

pytestmark = pytest.mark.slow

PLATELET_PANEL: Resource = {
    "component": [
        {"code": concept(EDI, "D0002070"), **count(150, "천/㎣")},
        {"code": concept(EDI, "D0002010"), **count(4, "천/㎣")},
    ]
}


def rows(outcome: Outcome, table: str, columns: str, where: str = "true") -> list[tuple[Any, ...]]:
    with duckdb.connect(str(outcome.home / "warehouse.duckdb"), read_only=True) as con:
        return con.execute(f"select {columns} from quality.{table} where {where} order by all").fetchall()


def fed(outcome: Outcome, site: str, codelist: str) -> list[tuple[Any, ...]]:
    columns = "resource_type, system, code, mapped_by, resources, persons, treated_persons"
    return rows(outcome, "code_use", columns, f"site = '{site}' and codelist = '{codelist}'")


def neighbours(outcome: Outcome, site: str, codelist: str) -> list[tuple[Any, ...]]:
    """(rank, resource type, code, reason) of the orphans of a codelist's only concept."""
    where = f"site = '{site}' and codelist = '{codelist}' and concept = codelist"
    return rows(outcome, "orphan_code", "rank, resource_type, code, reason", where)


def test_codes_of_the_codelist_of_a_concept_map_and_of_components_feed_a_concept(tmp_path: Path) -> None:
    outcome = run(
        tmp_path,
        listed=[
            *treated("p", anc(5, 1.0), anc(6, 1.0), measured(7, "26499-4", 1.0, "10*9/L")),
            *person("q", leukaemia(), anc(5, 1.0)),
        ],
        mapped=[
            mapping(LOINC, {"NE": "751-8", "NEW": "751-8"}),
            *treated("p", own(5, "NE", **count(1, "K/uL"))),
        ],
        korea=treated("p", {**observed(5, EDI, "D0002"), **PLATELET_PANEL}),
    )
    assert fed(outcome, "listed", "anc") == [
        ("Observation", LOINC, "26499-4", "codelist", 1, 1, 1),
        ("Observation", LOINC, "751-8", "codelist", 3, 2, 1),
    ]
    assert fed(outcome, "mapped", "anc") == [
        ("Observation", "urn:own", "NE", "concept map", 1, 1, 1),
        (None, "urn:own", "NEW", "concept map", 0, 0, 0),
    ]
    assert fed(outcome, "korea", "platelets") == [("Observation", EDI, "D0002070", "codelist", 1, 1, 1)]
    assert fed(outcome, "korea", "leukocytes") == [("Observation", EDI, "D0002010", "codelist", 1, 1, 1)]
    dates = rows(outcome, "code_use", "first_on, last_on", "site = 'listed' and code = '751-8'")
    assert [tuple(map(str, row)) for row in dates] == [("2020-03-06", "2020-03-07")]


def test_a_concept_that_nothing_feeds_at_a_site_is_a_row_with_zero(tmp_path: Path) -> None:
    outcome = run(tmp_path, a=treated("p", anc(5, 1.0)), b=treated("p"))
    assert fed(outcome, "b", "anc") == [(None, None, None, None, 0, 0, 0)]
    codelists = load_study("clofarabine").codelists.values()
    concepts = {(codelist.name, row.concept) for codelist in codelists for row in codelist.rows}
    for site in ("a", "b"):
        assert set(rows(outcome, "code_use", "codelist, concept", f"site = '{site}'")) == concepts


def test_a_code_counts_only_in_the_resources_that_the_study_reads_it_from(tmp_path: Path) -> None:
    transplanted: Resource = {
        "resourceType": "Condition",
        "code": concept("http://snomed.info/sct", "234336002"),
    }
    outcome = run(tmp_path, a=treated("p", transplanted))
    assert fed(outcome, "a", "hsct") == [(None, None, None, None, 0, 0, 0)]
    assert neighbours(outcome, "a", "hsct") == [(1, "Condition", "234336002", "same code")]


def test_one_resource_with_two_values_of_a_code_counts_once(tmp_path: Path) -> None:
    twice = concept("urn:cove:response", "CR", "CRp")
    outcome = run(tmp_path, a=treated("p", item(30, "investigator-response", valueCodeableConcept=twice)))
    assert fed(outcome, "a", "investigator_response") == [
        ("Observation", "urn:cove:study-item", "investigator-response", "codelist", 1, 1, 1)
    ]


def named(system: str, code: str, display: str, **fields: Any) -> Resource:
    return observed(5, system, code, **fields) | {"code": concept(system, code, display=display)}


# what the hospital sends → codelist, and why it is a neighbour of it
ORPHANS: dict[str, tuple[Resource, str, str]] = {
    "system": (
        named("urn:loinc", "751-8", "X", **count(1, "K/uL")),
        "anc",
        "same code; same dimension of unit",
    ),
    "word": (
        named("urn:own", "A1", "PLATELET COUNT", **count(1, "K/uL")),
        "platelets",
        "words: platelet count; same dimension of unit",
    ),
    "code": (
        named("urn:own", "platelets", "", **count(1, "K/mm3")),
        "platelets",
        "words: platelet; same dimension of unit",
    ),
    "spelling": (
        named("urn:own", "A2", "Hemoglobin", **count(1, "g/dL")),
        "haemoglobin",
        "words: hemoglobin; same dimension of unit",
    ),
    "stem": (
        named(EDI, "D0002099", "혈소판", **count(1, "천/㎣")),
        "platelets",
        "begins with D00020; same dimension of unit",
    ),
    "unit": (named("urn:own", "A3", "혈색소", **count(1, "g/㎗")), "haemoglobin", "same dimension of unit"),
    "boolean": (named("urn:own", "Q1", "재발", valueBoolean=True), "disease_relapse", "same kind of value"),
}


@pytest.fixture(scope="module")
def orphaned(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    sites: dict[str, Any] = {name: treated("p", record) for name, (record, _, _) in ORPHANS.items()}
    return run(tmp_path_factory.mktemp("orphans"), **sites)


@pytest.mark.parametrize("site", sorted(ORPHANS))
def test_a_code_is_a_neighbour_for_a_reason(orphaned: Outcome, site: str) -> None:
    _, codelist, reason = ORPHANS[site]
    assert [row[3] for row in neighbours(orphaned, site, codelist)] == [reason]


def test_a_unit_alone_makes_no_neighbour_of_a_concept_that_is_fed(tmp_path: Path) -> None:
    other = named("urn:own", "A3", "혈색소", **count(9, "g/dL"))
    outcome = run(tmp_path, a=treated("p", other, measured(5, "718-7", 9, "g/dL")), b=treated("p", other))
    assert neighbours(outcome, "a", "haemoglobin") == []
    assert [row[2] for row in neighbours(outcome, "b", "haemoglobin")] == ["A3"]


def test_a_code_that_feeds_another_concept_of_the_study_is_no_orphan(tmp_path: Path) -> None:
    outcome = run(
        tmp_path,
        a=treated(
            "p", measured(5, "777-3", 9, "10*9/L") | {"code": concept(LOINC, "777-3", display="Leukocytes")}
        ),
    )
    assert rows(outcome, "orphan_code", "codelist, code", "code = '777-3'") == []


def test_neighbours_stand_by_their_strongest_reason_then_by_how_many_treated_have_them(
    tmp_path: Path,
) -> None:
    def platelets(code: str, display: str) -> Resource:
        return named("urn:own", code, display, **count(1, "K/uL"))

    outcome = run(
        tmp_path,
        a=[
            *treated(
                "p",
                platelets("B", "혈소판"),
                platelets("C", "Platelets (estimate)"),
                platelets("D", "Platelets"),
            ),
            *treated("q", platelets("D", "Platelets")),
            *person("r", platelets("C", "Platelets (estimate)"), platelets("C", "Platelets (estimate)")),
            *treated("s", named("urn:loinc", "777-3", "", **count(1, "K/uL"))),
        ],
    )
    assert [(rank, code) for rank, _, code, _ in neighbours(outcome, "a", "platelets")] == [
        (1, "777-3"), (2, "D"), (3, "C"), (4, "B"),
    ]  # fmt: skip


def test_a_word_of_many_names_at_the_site_makes_no_neighbour(tmp_path: Path) -> None:
    def named_alike(number: int) -> list[Resource]:
        return [
            done(n, "1")
            | {"code": concept("urn:own", f"P{n}", display=f"Puncture of a peripheral vein, {n}")}
            for n in range(number)
        ]

    outcome = run(tmp_path, some=treated("p", named_alike(20)), many=treated("p", named_alike(21)))
    assert len(neighbours(outcome, "some", "hsct")) == 20
    assert neighbours(outcome, "many", "hsct") == []


def test_any_other_discharge_is_shown_where_no_discharge_is_a_death(tmp_path: Path) -> None:
    died: Any = {"hospitalization": {"dischargeDisposition": concept("urn:own", "9")}}
    outcome = run(tmp_path, a=treated("p", visit(0, 5, **died)))
    assert neighbours(outcome, "a", "discharge_died") == [(1, "Encounter", "9", "same element")]


def test_drugs_and_procedures_without_a_concept_map_are_orphans(tmp_path: Path) -> None:
    order = ordered(0, medicationCodeableConcept=concept("urn:own", "D7", display="CLOFARABINE INJ 20MG"))
    marrow = done(9, "1") | {"code": concept("urn:own", "P1", display="Stem cell transplantation")}
    outcome = run(tmp_path, a=[*treated("p", order, marrow), *person("q", given(drug="L01BB07"))])
    drugs = rows(
        outcome,
        "orphan_code",
        "concept, system, code, reason, resources, treated_persons",
        "codelist = 'index_drug'",
    )
    assert drugs == [("clofarabine", "urn:own", "D7", "words: clofarabine", 1, 1)]
    assert neighbours(outcome, "a", "hsct") == [(1, "Procedure", "P1", "words: stem transplantation cell")]
    assert rows(outcome, "orphan_code", "code", f"system = '{ATC}'") == []


def test_units_that_do_not_convert_are_counted_by_site_and_as_written(tmp_path: Path) -> None:
    quantity = {"value": 5, "unit": "per field", "system": "http://unitsofmeasure.org", "code": "/[HPF]"}
    outcome = run(
        tmp_path,
        a=[
            *treated(
                "p", anc(1, 1, "zzz"), anc(2, 1, "zzz"), observed(3, LOINC, "751-8", valueQuantity=quantity)
            ),
            *treated("q", anc(1, 1, "zzz"), anc(2, 1, "K/uL"), anc(3, 1, None)),
        ],
        b=treated("p", anc(1, 1, "103/uL")),
    )
    columns = "site, study, codelist, source_code, source_unit, unit, measurements, persons"
    assert rows(outcome, "unit", columns) == [
        ("a", "clofarabine", "anc", "/[HPF]", "per field", "10*9/L", 1, 1),
        ("a", "clofarabine", "anc", "zzz", "zzz", "10*9/L", 3, 2),
        ("b", "clofarabine", "anc", "103/uL", "103/uL", "10*9/L", 1, 1),
    ]
    kept = rows(outcome, "finding", "site, count(*)", "rule = 'unit:not-convertible' group by site")
    assert kept == [("a", 4), ("b", 1)]


@pytest.mark.parametrize("study_id", bundled_studies())
def test_every_place_of_a_protocol_that_names_a_codelist_says_where_it_is_read(study_id: str) -> None:
    protocol = load_study(study_id).protocol
    assert {name for name, _, _ in codelist_sources(protocol)} == {
        name for _, name in named_codelists(protocol)
    }


def test_a_variation_reads_codelists_where_its_rules_say() -> None:
    protocol = load_study("clofarabine").protocol
    change = {
        "events.relapse": {"from": "procedure", "codelist": "hsct"},
        "population.index_drug.routes": "death",
    }
    variation = protocol.sensitivity["dates_first"].model_copy(update={"change": change})
    varied = protocol.model_copy(update={"sensitivity": {"x": variation}})
    own, all_of_them = set(codelist_sources(protocol)), set(codelist_sources(varied))
    assert all_of_them - own == {("death", "route", None)}
    assert ("disease_relapse", "observation", "boolean") in all_of_them


def test_where_codelists_are_read_is_said_of_places_that_there_are() -> None:
    named_places = {path for path, _ in named_codelists(load_study("clofarabine").protocol)}
    forms = set(named_places) | {(*path[:-1], "*") for path in named_places}
    unnamed = {("population", "index_drug", "routes"), ("deaths", "discharge"), ("deaths", "cause")}
    unnamed |= {("control", "codelist")}
    assert set(READ_FROM) - forms - unnamed == set()
