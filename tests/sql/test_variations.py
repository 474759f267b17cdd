"""Variations of a study: what is built for one has the rows that building everything under its rules gives."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from sql.build_study import MODELS, build_study
from sql.rebuilding import OF_EVERYBODY
from sql.runner import needs, read_models
from sql.variations import build_variations
from studies.protocol import Variation
from studies.reading import load_study
from studies.variations import varied_protocol
from studies.varied_analyses import sources_of
from tests.sql.clinical_tables import day
from tests.sql.drawn_study import History

pytestmark = pytest.mark.slow

REFERENCE = load_study("clofarabine").protocol
CHANGING = [name for name, variation in REFERENCE.sensitivity.items() if variation.change]
CLINICIAN = [{"system": "urn:cove:response", "code": "CR"}]


@pytest.fixture(scope="module")
def history() -> History:
    """Persons on whom the variations of the reference study show, their tables, and those of the variations."""
    history = History()
    for person in "abcdefgh":
        history.patient(person, birth="2010-05" if person in "ah" else "2010-05-17")
    for person in "abc":
        history.remission(30, person)
    history.value("blood_blasts", 31, 0.0, "b")
    history.item("extramedullary_disease", 20, False, "c")
    history.value("marrow_blasts", 200, 40.0, "a")
    history.value("marrow_blasts", 60, 2.0, "b")
    history.value("marrow_blasts", 30, 2.0, "d")
    history.value("anc", 30, 2.0, "d")
    history.value("investigator_response", 45, person="e", value_codes=CLINICIAN, value_boolean=None)
    history.procedure("hsct", 90, "b")
    history.dose(120, "c", codelist="antileukaemic", concept="etoposide")
    history.draw("death_record", "h", died="2021-03")
    history.draw("person", "j")
    history.draw("diagnosis", "j", codelist="diagnosis", onset="2020")
    history.dose(0, "j", evidence_level="ordered")
    history.draw("contact", "j", starts_on="2020-04-01")
    history.build()
    build_variations(history.con, history.rules)
    return history


def tables_in(history: History, schema: str) -> set[str]:
    found = history.con.execute(
        "select table_name from duckdb_tables() where schema_name = $schema", {"schema": schema}
    )
    return {name for (name,) in found.fetchall()}


def rows_in(history: History, schema: str, table: str) -> list[tuple[object, ...]]:
    return history.rows(f'from "{schema}"."{table}" order by all')


@pytest.mark.parametrize("name", CHANGING)
def test_a_variation_built_in_part_has_the_rows_of_one_built_whole(history: History, name: str) -> None:
    compare_with_whole(history, name)


@pytest.mark.parametrize("seed", range(3))
def test_so_it_has_for_persons_of_all_kinds(seed: int) -> None:
    """Drawn persons, of whom a change touches some: with partial dates, orders, transplants, or without."""
    history = drawn(Random(seed))
    for name in CHANGING:
        compare_with_whole(history, name)


def compare_with_whole(history: History, name: str) -> None:
    schema, varied = f"clofarabine.{name}", varied_protocol(REFERENCE, name)
    own = tables_in(history, schema)
    asked = sources_of(varied, REFERENCE.sensitivity[name].analyses)

    def rows(schema: str, table: str) -> list[tuple[object, ...]]:
        if table != "endpoint":
            return rows_in(history, schema, table)
        return [row for row in rows_in(history, schema, table) if row[0] in asked.endpoints]

    tables = sorted(own | asked.tables)
    part = {table: rows(schema if table in own else "clofarabine", table) for table in tables}
    build_study(history.con, replace(history.rules, protocol=varied))
    whole = {table: rows("clofarabine", table) for table in tables}
    build_study(history.con, history.rules)
    for table in tables:
        assert part[table] == whole[table], table


def test_of_the_endpoints_those_are_built_that_are_asked_for(history: History) -> None:
    own = history.rows('select distinct endpoint from "clofarabine.assessment_gap".endpoint')
    assert own == [("duration_of_remission",)]


def drawn(random: Random) -> History:
    """Some thirty persons with their variations; of every other one a time is sometimes a month or a year."""
    history = History()
    for number in range(30):
        person, is_whole = f"p{number:02}", number % 2 == 0

        def time(number: int, is_whole: bool = is_whole) -> str:
            return day(number)[: 10 if is_whole else random.choice((10, 10, 10, 10, 7, 4))]

        history.draw("person", person, birth="2010-05-17" if is_whole else random.choice(("2010-05", "2010")))
        history.draw("diagnosis", person, codelist="diagnosis", onset=time(-100))
        for dose in (0, 1, 28):
            level = "administered" if number % 3 else random.choice(("ordered", "dispensed"))
            history.dose(dose, person, evidence_level=level, exposed=time(dose))
        history.draw("contact", person, starts_on=day(random.randrange(60, 500)))
        for visit in (30, 60, 120):
            history.value(
                "marrow_blasts", visit, random.choice((1.0, 3.0, 12.0, 40.0)), person, measured=time(visit)
            )
            for codelist, values in (
                ("anc", (0.5, 2.0)),
                ("platelets", (50.0, 150.0)),
                ("blood_blasts", (0.0, 3.0)),
            ):
                if random.random() < 0.7:
                    history.value(codelist, visit, random.choice(values), person, measured=time(visit))
        if random.random() < 0.4:
            history.procedure(
                "hsct", random.randrange(20, 150), person, performed=time(random.randrange(20, 150))
            )
        if random.random() < 0.3:
            history.dose(random.randrange(40, 90), person, codelist="antileukaemic", concept="etoposide")
        if random.random() < 0.3:
            code = [{"system": "urn:cove:response", "code": random.choice(("CR", "CRp", "NR"))}]
            history.value("investigator_response", 45, person=person, value_codes=code, value_boolean=None)
        if random.random() < 0.4:
            history.draw("death_record", person, died=time(random.randrange(100, 500)))
    history.build()
    build_variations(history.con, history.rules)
    return history


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("certain_remission", {"rated_assessment", "response"}),
        ("at_hsct", {"endpoint"}),
        ("at_new_therapy", {"endpoint"}),
        ("assessment_gap", {"endpoint"}),
        ("dates_middle", set()),
    ],
)
def test_only_what_differs_is_built(history: History, name: str, expected: set[str]) -> None:
    rules = {"setting", "endpoint_rule", "endpoint_event"}
    assert tables_in(history, f"clofarabine.{name}") - rules == expected


def test_building_again_changes_nothing(history: History) -> None:
    def everything() -> dict[str, list[tuple[object, ...]]]:
        schemas = [f"clofarabine.{name}" for name in CHANGING]
        return {
            f"{schema}.{table}": rows_in(history, schema, table)
            for schema in schemas
            for table in tables_in(history, schema)
        }

    before = everything()
    build_variations(history.con, history.rules)
    assert everything() == before


def remitters(history: History, schema: str) -> list[object]:
    """Persons in remission, in the order of their names."""
    found = history.rows(f'select person_id from "{schema}".response where is_main_outcome order by all')
    return [person for (person,) in found]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # d lacks platelets only; blood blasts are known of b, an item on extramedullary disease of c.
        ("certain_remission", ["a", "b", "c", "d"]),
        ("blood_blasts_unknown", ["b"]),
        ("extramedullary_unknown", ["c"]),
        ("investigator", ["e"]),
    ],
)
def test_who_is_in_remission_under_changed_rules(history: History, name: str, expected: list[str]) -> None:
    assert remitters(history, "clofarabine") == ["a", "b", "c"]
    assert remitters(history, f"clofarabine.{name}") == expected


def test_persons_with_other_evidence_than_administrations_leave_the_treated(history: History) -> None:
    everyone = {person for person, *_ in rows_in(history, "clofarabine", "treated")}
    varied = {person for person, *_ in rows_in(history, "clofarabine.administered", "treated")}
    assert everyone - varied == {"j"}


@pytest.mark.parametrize(("name", "days"), [("dates_first", 365), ("dates_last", 395)])
def test_a_partial_date_of_death_is_taken_by_the_changed_rule(history: History, name: str, days: int) -> None:
    # March 2021, of a person whose first dose was on 1 March 2020; in the middle it is day 379.
    query = "select days from {} where endpoint = 'overall_survival' and person_id = 'h'"
    assert history.rows(query.format("clofarabine.endpoint")) == [(379,)]
    assert history.rows(query.format(f'"clofarabine.{name}".endpoint')) == [(days,)]


@pytest.mark.parametrize("name", ["dates_first", "dates_last"])
def test_the_cut_off_of_all_holds_for_those_whom_a_change_touches(name: str) -> None:
    """The latest contact is of one without a partial date; who has one, has an order after the own last contact."""
    history = History()
    history.patient("a", birth="2010-05-17", last_contact=700)
    history.patient("b", birth="2010-05", last_contact=200)
    history.dose(300, "b")
    history.build()
    build_variations(history.con, history.rules)
    assert history.rows(
        f"select person_id, last_dose_on - index_date, data_cutoff - index_date "
        f'from "clofarabine.{name}".treated order by all'
    ) == [("a", 0, 700), ("b", 300, 700)]


def test_sources_are_told_of_the_changed_rules(history: History) -> None:
    query = (
        "select person_id, count(*) from {} where analysis = 'response.remission' and statistic = 'n' "
        "group by 1 order by 1"
    )
    # The marrow and the neutrophils of d; of the others the platelets too, and what else is known.
    assert history.rows(query.format('"clofarabine.certain_remission".contribution')) == [
        ("a", 3), ("b", 4), ("c", 4), ("d", 2),
    ]  # fmt: skip


def test_sources_of_the_investigators_remission_are_the_investigators_items(history: History) -> None:
    found = history.rows(
        "select person_id, resource_type, resource_id from {} "
        "where analysis = 'response.remission' and statistic = 'n'".format(
            '"clofarabine.investigator".contribution'
        )
    )
    item = "codelist = 'investigator_response'"
    assert found == history.rows(
        f"select person_id, resource_type, resource_id from clinical.measurement where {item}"
    )


def test_sources_of_other_landmarks_are_told_though_no_table_differs() -> None:
    landmarks = Variation(
        reason="other landmarks", analyses=["survival_by_hsct"], change={"survival_by.landmarks": [45]}
    )
    history = History().under(sensitivity={"landmarks": landmarks}).patient("a").build()
    build_variations(history.con, history.rules)
    query = "select distinct level from {} where analysis = 'survival_by_hsct' and level like 'landmark%' order by all"
    assert history.rows(query.format('"clofarabine.landmarks".contribution')) == [("landmark_45",)]


def test_no_other_table_than_the_cut_off_sums_up_persons_whom_a_change_may_not_touch(
    history: History,
) -> None:
    found = history.rows(
        "select table_name, bool_or(column_name = 'person_id') from duckdb_columns() "
        "where schema_name = 'clofarabine' group by table_name"
    )
    of_person, models = dict(found), read_models(MODELS)
    summing = {
        name
        for name, model in models.items()
        if not of_person[name] and any(of_person[read] for read in needs(model, models, "clofarabine"))
    }
    # A pattern of what is known is decided alike, whoever has it.
    assert summing == {OF_EVERYBODY, "criterion_result"}
