"""Study tables drawn by hand: eight treated persons at two sites, and a third site that treated nobody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import polars as pl

from studies.protocol import Protocol
from studies.reading import load_study

COHORT = {
    "person_id": pl.String,
    "site": pl.String,
    "evidence_level": pl.String,
    "doses": pl.Int64,
    "cycles": pl.Int64,
    "exposure_days": pl.Int64,
    "regimen": pl.String,
    "age": pl.Int64,
    "age_at_diagnosis": pl.Int64,
    "sex": pl.String,
    "phenotype": pl.String,
    "prior_regimens": pl.Float64,
    "refractory": pl.String,
    "completed_follow_up": pl.Boolean,
    "has_comparing_event": pl.Boolean,
    "comparing_event_on": pl.Date,
    "new_therapy_on": pl.Date,
    "is_dead": pl.Boolean,
    "death_class": pl.String,
    "is_death_due_to_teae": pl.Boolean,
}
SCHEMAS: dict[str, dict[str, Any]] = {
    "attrition": {
        "person_id": pl.String,
        "site": pl.String,
        "is_diagnosed": pl.Boolean,
        "is_treated": pl.Boolean,
        "left_at": pl.String,
    },
    "cohort": COHORT,
    "subgroup": {"person_id": pl.String, "variable": pl.String, "level": pl.String},
    "response": {
        "person_id": pl.String,
        "site": pl.String,
        "best_response": pl.String,
        "not_evaluable_reason": pl.String,
        "is_main_outcome": pl.Boolean,
        "outcomes": pl.List(pl.String),
        "investigator_response": pl.String,
    },
    "endpoint": {
        "endpoint": pl.String,
        "person_id": pl.String,
        "site": pl.String,
        "start_on": pl.Date,
        "days": pl.Int64,
        "status": pl.Int64,
    },
    "time_at_risk": {"person_id": pl.String, "site": pl.String, "starts_on": pl.Date, "days": pl.Int64},
    "time_dependent": {
        "person_id": pl.String,
        "site": pl.String,
        "comparing_event_day": pl.Int64,
        "days": pl.Int64,
        "status": pl.Int64,
    },
    "teae": {
        "person_id": pl.String,
        "site": pl.String,
        "resource_key": pl.String,
        "soc": pl.String,
        "pt": pl.String,
        "term": pl.String,
        "grade": pl.Int64,
        "onset_on": pl.Date,
        "is_serious": pl.Boolean,
        "is_related": pl.Boolean,
        "is_fatal": pl.Boolean,
        "led_to_discontinuation": pl.Boolean,
    },
    "lab_grade": {
        "person_id": pl.String,
        "term": pl.String,
        "measurement": pl.String,
        "worst_grade": pl.Int64,
        "baseline_grade": pl.Int64,
    },
    "imputed_date": {"kind": pl.String, "person_id": pl.String},
    "contradictory_date": {"kind": pl.String, "person_id": pl.String, "resource_key": pl.String},
    "quality_resources": {
        "site": pl.String,
        "file": pl.String,
        "landed": pl.Int64,
        "mapped": pl.Int64,
        "quarantined": pl.Int64,
        "superseded": pl.Int64,
        "not_asked_for": pl.Int64,
    },
    "quality_quarantine": {"site": pl.String, "rule": pl.String},
    "quality_finding": {"site": pl.String, "rule": pl.String},
    "quality_unit": {
        "site": pl.String,
        "codelist": pl.String,
        "written": pl.String,
        "measurements": pl.Int64,
    },
}

OUTCOMES = {"CR": ["remission", "overall"], "CRp": ["remission", "overall"], "PR": ["overall"]}

# person, site, age, at diagnosis, sex, phenotype, prior, refractory, doses, cycles, days, regimen, evidence,
# completed, HSCT on day, new therapy, death's class, due to a TEAE, days of overall survival
PERSONS = """
a1 north  2  1 male    B-cell  2 yes     5 1  5 combination administered yes  56 -   -               no  70
a2 north  6  5 male    B-cell  2 yes     5 1  5 combination administered no    - -   within_30_days  yes 28
a3 north 12  4 female  T-cell  3 no     10 2 40 combination dispensed    yes   - yes later           no  84
a4 north 18 17 female  unknown - missing 5 1  5 monotherapy ordered      no    - -   -               no  14
b1 south 26  - male    B-cell  4 yes     5 1  5 combination administered yes  21 -   after_hsct      no  98
b2 south 12  9 unknown B-cell  2 no     15 3 75 combination stated       no    - -   within_30_days  yes 28
b3 south  8  8 male    T-cell  2 yes     5 1  5 combination administered yes   - -   -               no 112
b4 south 10  9 other   B-cell  2 yes     5 1  5 combination administered no    - -   within_30_days  no   0
"""

# person, best response, reason, investigator's
RESPONSES = """
a1 CR  -                       CR
a2 NE  no_assessment           -
a3 CRp -                       CR
a4 NE  platelets_missing       NE
b1 PR  -                       PR
b2 NR  -                       NR
b3 CR  -                       -
b4 NE  no_assessment           -
"""

# endpoint, then person:days:status
ENDPOINTS = """
event_free_survival           a1:70:0 a2:28:1 a3:77:1 a4:14:0 b1:84:1 b2:28:1 b3:112:0 b4:0:1
time_to_remission             a1:28:1 a3:35:1 b3:42:1
duration_of_remission         a1:42:0 a3:42:1 b3:70:0
duration_of_remission.at_hsct a1:28:0 a3:42:1 b3:70:0
duration_of_remission.at_new_therapy a1:42:0 a3:14:0 b3:70:0
remission_incidence           a1:28:1 a2:28:2 a3:35:1 a4:14:0 b1:98:2 b2:28:2 b3:42:1 b4:0:2
relapse_incidence             a1:42:0 a3:42:1 b3:70:0
death_without_relapse_incidence a1:42:0 a3:42:2 b3:70:0
hsct_incidence                a1:56:1 a2:28:2 a3:84:2 a4:14:0 b1:21:1 b2:28:2 b3:112:0 b4:0:2
"""

# person, event, SOC, PT, grade, serious, related, fatal, discontinued, day of onset
EVENTS = """
a1 AdverseEvent/1 Infections          Sepsis  3 yes yes no  no   9
a1 AdverseEvent/2 Infections          Sepsis  2 no  no  no  yes  3
a2 AdverseEvent/3 Infections          Sepsis  5 yes yes yes no  20
b2 AdverseEvent/1 Infections          Mycosis 5 yes no  yes no  14
b2 AdverseEvent/2 Cardiac             Arrest  - no  no  no  no   -
b3 AdverseEvent/9 -                   -       1 no  no  no  no  34
"""

# person:days in which an event is treatment-emergent, the first and the last counted
DAYS_AT_RISK = "a1:35 a2:29 a3:70 a4:15 b1:35 b2:29 b3:35 b4:1"
INDEX_DATE = date(2020, 1, 1)

PLATELETS = "Platelet count decreased"
GRADES = {"a1": (0, 4), "a2": (1, 4), "a3": (1, 3), "b1": (None, 0)}  # at baseline, worst after it


def reference_protocol() -> Protocol:
    """The reference study's protocol, with those of its sensitivity analyses that need no tables of their own."""
    protocol = load_study("clofarabine").protocol
    kept = {name: one for name, one in protocol.sensitivity.items() if not one.change}
    return protocol.model_copy(update={"sensitivity": kept})


def drawn_frames() -> dict[str, pl.DataFrame]:
    """The drawn study's tables."""
    persons = _cells(PERSONS)
    return {
        **empty_frames(),
        "attrition": _attrition(persons),
        "cohort": pl.DataFrame([_cohort_row(cells) for cells in persons], schema=COHORT),
        "subgroup": _subgroups(persons),
        "response": frame("response", [_response_row(cells) for cells in _cells(RESPONSES)]),
        "endpoint": _endpoints(persons),
        "time_dependent": frame("time_dependent", [_time_dependent_row(cells) for cells in persons]),
        "teae": frame("teae", [_event_row(cells) for cells in _cells(EVENTS)]),
        "lab_grade": frame(
            "lab_grade",
            [
                {"person_id": person, "term": PLATELETS, "baseline_grade": before, "worst_grade": worst}
                for person, (before, worst) in GRADES.items()
            ],
        ),
        "time_at_risk": frame(
            "time_at_risk",
            [
                {"person_id": p, "site": _site(p), "starts_on": INDEX_DATE, "days": int(days)}
                for p, days in (entry.split(":") for entry in DAYS_AT_RISK.split())
            ],
        ),
        "imputed_date": frame(
            "imputed_date",
            [
                {"kind": "birth", "person_id": "a1"},
                {"kind": "birth", "person_id": "b1"},
                {"kind": "birth", "person_id": "known"},
                {"kind": "death", "person_id": "b4"},
            ],
        ),
        "contradictory_date": frame(
            "contradictory_date",
            [
                {"kind": "record_after_death", "person_id": "b4", "resource_key": "Encounter/1"},
                {"kind": "record_after_death", "person_id": "b4", "resource_key": "Encounter/2"},
                {"kind": "record_after_death", "person_id": "known", "resource_key": "Encounter/3"},
            ],
        ),
        "quality_resources": frame(
            "quality_resources", [_file("north", 10, 7, 1, 1, 1), _file("south", 5, 5)]
        ),
        "quality_quarantine": frame("quality_quarantine", [{"site": "north", "rule": "not-json"}]),
        "quality_finding": frame(
            "quality_finding",
            [{"site": site, "rule": "number-precision"} for site in ("north", "south", "south")],
        ),
        "quality_unit": frame(
            "quality_unit",
            [
                _unit("north", "anc", "g/L", 3),
                _unit("south", "anc", "g/L", 4),
                _unit("south", "platelets", "(other text)", 1),
            ],
        ),
    }


def _unit(site: str, codelist: str, written: str, measurements: int) -> dict[str, Any]:
    return {
        "site": site,
        "codelist": codelist,
        "written": written,
        "measurements": measurements,
    }


def empty_frames() -> dict[str, pl.DataFrame]:
    """Every table of a study without rows."""
    return {name: pl.DataFrame(schema=schema) for name, schema in SCHEMAS.items()}


def frame(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """A table of rows; a column that a row doesn't name is null."""
    schema = SCHEMAS[name]
    return pl.DataFrame([{column: row.get(column) for column in schema} for row in rows], schema=schema)


def only(frames: Mapping[str, pl.DataFrame], *persons: str) -> dict[str, pl.DataFrame]:
    """The tables of these persons alone."""
    return {
        name: table.filter(pl.col("person_id").is_in(persons)) if "person_id" in table.columns else table
        for name, table in frames.items()
    }


def _cells(text: str) -> list[list[str]]:
    return [line.split() for line in text.strip().splitlines()]


def _number(cell: str) -> int | None:
    return None if cell == "-" else int(cell)


def _day(cell: str) -> date | None:
    return None if cell == "-" else INDEX_DATE + timedelta(days=int(cell))


def _text(cell: str) -> str | None:
    return None if cell == "-" else cell


def _site(person: str) -> str:
    return "north" if person.startswith("a") else "south"


def _cohort_row(cells: list[str]) -> dict[str, Any]:
    (person, site, age, at_diagnosis, sex, phenotype, prior, refractory, doses, cycles, days, regimen) = (
        cells[:12]
    )
    evidence, completed, hsct, new_therapy, death_class, due, _ = cells[12:]
    return {
        "person_id": person,
        "site": site,
        "evidence_level": evidence,
        "doses": int(doses),
        "cycles": int(cycles),
        "exposure_days": int(days),
        "regimen": regimen,
        "age": int(age),
        "age_at_diagnosis": _number(at_diagnosis),
        "sex": sex,
        "phenotype": phenotype,
        "prior_regimens": _number(prior),
        "refractory": refractory,
        "completed_follow_up": completed == "yes",
        "has_comparing_event": hsct != "-",
        "comparing_event_on": _day(hsct),
        "new_therapy_on": date(2020, 3, 1) if new_therapy == "yes" else None,
        "is_dead": death_class != "-",
        "death_class": _text(death_class),
        "is_death_due_to_teae": due == "yes",
    }


def _attrition(persons: list[list[str]]) -> pl.DataFrame:
    treated = [
        {"person_id": c[0], "site": c[1], "is_diagnosed": True, "is_treated": True, "left_at": ""}
        for c in persons
    ]
    left = [
        {
            "person_id": "known",
            "site": "west",
            "is_diagnosed": False,
            "is_treated": False,
            "left_at": "diagnosed",
        },
        {
            "person_id": "ill",
            "site": "north",
            "is_diagnosed": True,
            "is_treated": False,
            "left_at": "treated",
        },
    ]
    return frame("attrition", treated + left)


def _subgroups(persons: list[list[str]]) -> pl.DataFrame:
    rows = []
    for cells in persons:
        rows.append({"person_id": cells[0], "variable": "site", "level": cells[1]})
        hsct = "no" if cells[14] == "-" else "yes"
        rows.append({"person_id": cells[0], "variable": "hsct", "level": hsct})
    return frame("subgroup", rows)


def _response_row(cells: list[str]) -> dict[str, Any]:
    person, best, reason, investigator = cells
    return {
        "person_id": person,
        "site": _site(person),
        "best_response": best,
        "not_evaluable_reason": _text(reason),
        "is_main_outcome": best in ("CR", "CRp"),
        "outcomes": [
            *(["remission"] if best in ("CR", "CRp") else []),
            *(["overall"] if best in ("CR", "CRp", "PR") else []),
        ],
        "investigator_response": _text(investigator),
    }


def _endpoints(persons: list[list[str]]) -> pl.DataFrame:
    survival = [("overall_survival", c[0], int(c[18]), int(c[16] != "-")) for c in persons]
    others = [
        (cells[0], person, int(days), int(status))
        for cells in _cells(ENDPOINTS)
        for person, days, status in (entry.split(":") for entry in cells[1:])
    ]
    return frame(
        "endpoint",
        [
            {
                "endpoint": name,
                "person_id": person,
                "site": _site(person),
                "start_on": _start(name, person),
                "days": days,
                "status": status,
            }
            for name, person, days, status in survival + others
        ],
    )


def _start(endpoint: str, person: str) -> date:
    """The day of the remission for what begins there, else the index date."""
    remissions = {"a1": 28, "a3": 35, "b3": 42}
    is_after_remission = endpoint.startswith(("duration", "relapse", "death_without"))
    return INDEX_DATE + timedelta(days=remissions[person] if is_after_remission else 0)


def _time_dependent_row(cells: list[str]) -> dict[str, Any]:
    return {
        "person_id": cells[0],
        "site": cells[1],
        "comparing_event_day": _number(cells[14]),
        "days": int(cells[18]),
        "status": int(cells[16] != "-"),
    }


def _event_row(cells: list[str]) -> dict[str, Any]:
    person, key, soc, pt, grade, serious, related, fatal, discontinued, onset = cells
    return {
        "person_id": person,
        "site": _site(person),
        "resource_key": key,
        "soc": _text(soc),
        "pt": _text(pt),
        "term": _text(pt) or "said in words",
        "grade": _number(grade),
        "onset_on": _day(onset),
        "is_serious": serious == "yes",
        "is_related": related == "yes",
        "is_fatal": fatal == "yes",
        "led_to_discontinuation": discontinued == "yes",
    }


def _file(
    site: str, landed: int, mapped: int, quarantined: int = 0, old: int = 0, other: int = 0
) -> dict[str, Any]:
    return {
        "site": site,
        "file": "f" * 64,
        "landed": landed,
        "mapped": mapped,
        "quarantined": quarantined,
        "superseded": old,
        "not_asked_for": other,
    }
