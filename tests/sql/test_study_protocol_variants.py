"""Other protocols on the same tables: what a key of the protocol changes. Expected rows by hand."""

from __future__ import annotations

from dataclasses import replace

from studies.protocol import CriteriaSet, Incidence, NamedEvent, Subgroup
from studies.reading import Codelist, CodelistRow, load_study
from tests.sql.clinical_tables import day
from tests.sql.drawn_study import History, on

REFERENCE = load_study("clofarabine").protocol


def test_prevalent_events_leave_the_risk_set_where_the_protocol_says_so() -> None:
    incidence = Incidence(events=["hsct"], competing=["death"], exclude_prevalent=True)
    history = History().under(incidences={"hsct": incidence}).patient("p").patient("q")
    history.procedure("hsct", -1)
    history.procedure("hsct", 50, "q")
    history.build()
    assert history.all("person_id, days, status", "endpoint", "endpoint = 'hsct_incidence'") == [("q", 50, 1)]


def test_incidence_of_a_drug_is_of_its_doses() -> None:
    event = NamedEvent.model_validate({"from": "drug", "codelist": "antileukaemic"})
    incidence = Incidence(events=["other"], competing=["death"])
    history = History().under(events={**REFERENCE.events, "other": event}, incidences={"other": incidence})
    history.patient()
    history.dose(5, codelist="antileukaemic", concept="etoposide")
    history.build()
    assert history.one("days, status", "endpoint", "endpoint = 'other_incidence'") == (5, 1)


def test_of_two_values_at_one_time_the_higher_tells_an_event() -> None:
    event = NamedEvent.model_validate({"from": "observation", "codelist": "anc", "below": 0.5})
    incidence = Incidence(events=["low"], competing=["death"])
    history = History().under(events={**REFERENCE.events, "low": event}, incidences={"low": incidence})
    history.patient()
    for number, values in ((10, (2.0, 0.4)), (20, (0.4, 0.3))):
        for value in values:
            history.value("anc", number, value)
    history.build()
    assert history.one("days, status", "endpoint", "endpoint = 'low_incidence'") == (20, 1)


def test_a_route_counts_only_where_the_protocol_names_it() -> None:
    history = History().patient()
    history.dose(4, routes=["urn:route|iv"])
    assert history.build().one("doses", "cohort") == (2,)
    drug = REFERENCE.population.index_drug.model_copy(update={"routes": "route"})
    history.under(population=REFERENCE.population.model_copy(update={"index_drug": drug}))
    route = Codelist("route", (CodelistRow("urn:route", "iv", "into a vein", "route"),))
    history.rules = replace(history.rules, codelists={**history.rules.codelists, "route": route})
    assert history.build().one("doses, index_date", "cohort") == (1, on(4))


def test_subgroups_are_cut_at_their_bounds() -> None:
    history = History().under(
        subgroups={"age_group": Subgroup(variable="age", cuts=[10, 18]), "sex": Subgroup(variable="sex")}
    )
    for person, birth in (("p", "2010-03-02"), ("q", "2010-03-01"), ("r", "2002-03-01"), ("s", None)):
        history.patient(person, birth=birth)
    history.build()
    assert history.all("person_id, level", "subgroup", "variable = 'age_group'") == [
        ("p", "<10"),
        ("q", "10-<18"),
        ("r", ">=18"),
        ("s", "missing"),
    ]
    assert history.all("distinct level", "subgroup", "variable = 'sex'") == [("male",)]


def test_missing_blood_blasts_are_unknown_unless_the_protocol_takes_them_as_none() -> None:
    assert REFERENCE.response
    strict = REFERENCE.response.model_copy(update={"missing_means": {"blood_blasts": "unknown"}})
    history = History().under(response=strict).patient()
    history.remission(30)
    assert history.build().one("response, missing", "assessment") == ("NE", "blood_blasts_missing")


def test_exclusive_bounds_are_kept_apart_from_inclusive_ones() -> None:
    assert REFERENCE.response
    # ELN: CR asks for ANC above 1.0 and platelets above 100; CRi is the rest of those with marrow below 5 %.
    criteria = [
        {
            "response": "CR",
            "all": [
                {"variable": "marrow", "below": 5},
                {"variable": "anc", "above": 1.0},
                {"variable": "platelets", "above": 100},
            ],
        },
        {
            "response": "CRi",
            "all": [{"variable": "marrow", "below": 5}],
            "any": [{"variable": "anc", "at_most": 1.0}, {"variable": "platelets", "at_most": 100}],
        },
    ]
    reference = REFERENCE.response.criteria_sets["reference"]
    exclusive = CriteriaSet.model_validate(
        {
            **reference.model_dump(),
            "criteria": criteria,
            "labels": {},
            "outcomes": {"remission": {"responses": ["CR", "CRi"]}},
        }
    )
    rules = REFERENCE.response.model_copy(update={"criteria_sets": {"reference": exclusive}})
    history = History().under(response=rules)
    for person, anc, platelets in (
        ("p", 1.0, 150.0),
        ("q", 1.1, 100.0),
        ("r", 1.1, 101.0),
        ("s", None, None),
    ):
        history.patient(person)
        history.value("marrow_blasts", 30, 2.0, person)
        for codelist, value in (("anc", anc), ("platelets", platelets)):
            if value is not None:
                history.value(codelist, 30, value, person)
    history.build()
    # Nobody knows the counts of the last one, who is in remission whatever they were.
    assert history.all("person_id, best_response, main_outcome_certain", "response") == [
        ("p", "CRi", True),
        ("q", "CRi", True),
        ("r", "CR", True),
        ("s", "NE", True),
    ]


def test_investigators_response_is_primary_where_the_protocol_says_so() -> None:
    assert REFERENCE.response
    rules = REFERENCE.response.model_copy(update={"primary": "investigator"})
    history = History().under(response=rules).patient("p").patient("q")
    history.value(
        "investigator_response",
        40,
        value_codes=[{"system": "urn:cove:response", "code": "CRp"}],
        value_boolean=None,
    )
    history.remission(30, "q")
    history.build()
    assert history.all("person_id, best_response, main_outcome_on, derived_response", "response") == [
        ("p", "CRp", on(40), "NE"),
        ("q", "NE", None, "CR"),
    ]


def test_persons_traced_from_a_count_are_as_many_as_the_count() -> None:
    history = History()
    for number, person in enumerate("pqrs"):
        history.patient(person)
        history.value("marrow_blasts", 30, [2.0, 60.0, 2.0, 90.0][number], person)
        history.value("anc", 30, 2.0, person)
    history.value("platelets", 30, 90.0, "p")
    history.procedure("hsct", 60, "p")
    history.death(90, "q")
    history.draw("adverse_event", "q", onset=day(5), is_fatal=True, grade=5)
    history.build()
    traced = history.all(
        "analysis, level, count(distinct person_id)",
        "contribution",
        "statistic in ('n', '') and analysis in ('response.remission', 'response.best', 'death', 'teae',"
        " 'disposition', 'baseline.sex', 'overall_survival', 'duration_of_remission',"
        " 'response.not_evaluable')"
        " group by 1, 2",
    )
    assert traced == [
        ("baseline.sex", "male", 4),
        ("death", "all", 1),
        ("death", "due_to_teae", 1),
        ("death", "later", 1),
        ("disposition", "died", 1),
        ("disposition", "hsct", 1),
        ("disposition", "treated", 4),
        ("duration_of_remission", "", 1),
        ("overall_survival", "", 4),
        ("response.best", "CRp", 1),
        ("response.best", "NE", 1),
        ("response.best", "NR", 2),
        ("response.not_evaluable", "platelets_missing", 1),
        ("response.remission", "", 1),
        ("teae", "any", 1),
        ("teae", "fatal", 1),
        ("teae", "grade_3_plus", 1),
    ]


def under_endpoint(history: History, name: str, **keys: object) -> History:
    """The study with keys of one endpoint changed."""
    endpoint = REFERENCE.endpoints[name].model_copy(update=keys)
    return history.under(endpoints={**REFERENCE.endpoints, name: endpoint})


def test_an_endpoint_ends_at_the_events_that_the_protocol_names() -> None:
    history = under_endpoint(History(), "overall_survival", ends_at=["hsct"])
    for person in "pqrs":
        history.patient(person)
    history.procedure("hsct", 50, "p")
    history.death(80, "p")
    history.procedure("hsct", 90, "q")
    history.death(90, "q")
    history.procedure("hsct", 400, "r")
    history.build()
    # A death on the day of the transplant counts; a transplant at the last contact ends nothing earlier.
    assert history.all("person_id, days, status", "endpoint", "endpoint = 'overall_survival'") == [
        ("p", 50, 0),
        ("q", 90, 1),
        ("r", 400, 0),
        ("s", 400, 0),
    ]


def test_follow_up_of_a_remission_ends_before_a_gap_between_evaluations() -> None:
    history = under_endpoint(History(), "duration_of_remission", assessment_gap_days=60)
    marrows = {
        "p": [(90, 1.0), (150, 40.0)],  # 60 days apart: no gap
        "q": [(90, 1.0), (151, 40.0)],  # 61 days: the relapse isn't seen
        "r": [(60, 1.0), (200, 1.0), (210, 40.0)],
        "s": [],
        "t": [(80, 1.0)],
    }
    for person, values in marrows.items():
        history.patient(person)
        history.remission(30, person)
        for number, value in values:
            history.value("marrow_blasts", number, value, person)
    history.death(90, "s")  # 60 days after the remission
    history.death(141, "t")  # 61 days after the last evaluation
    history.build()
    found = history.all("person_id, days, status", "endpoint", "endpoint = 'duration_of_remission'")
    assert found == [("p", 120, 1), ("q", 60, 0), ("r", 30, 0), ("s", 60, 1), ("t", 50, 0)]
    gap = history.one("description", "endpoint", "endpoint = 'duration_of_remission' and person_id = 'r'")
    assert gap == ("no evaluation for more than 60 days",)


def test_a_remission_that_is_certain_counts_where_the_protocol_says_so() -> None:
    assert REFERENCE.response
    rules = REFERENCE.response.model_copy(update={"counts_certain": True})
    history = History().under(response=rules).patient("p").patient("q").patient("r")
    for person in "pqr":
        history.value("marrow_blasts", 30, 2.0, person)
    history.value("anc", 30, 2.0, "p")
    history.value("anc", 30, 2.0, "r")
    history.value("platelets", 30, 150.0, "r")
    history.build()
    # p lacks platelets, which tell only which remission it is; q lacks neutrophils, and may be none.
    assert history.all("person_id, best_response, outcomes, main_outcome_on", "response") == [
        ("p", "NE", ["overall", "remission"], on(30)),
        ("q", "NE", [], None),
        ("r", "CR", ["overall", "remission"], on(30)),
    ]
    assert history.all("person_id, days", "endpoint", "endpoint = 'time_to_remission'") == [
        ("p", 30),
        ("r", 30),
    ]
