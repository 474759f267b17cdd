"""Drawn `clinical.*` tables: a test writes the columns that its rule is about; the others are plain."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import count

import duckdb

SOURCE = {
    "site": "VARCHAR",
    "resource_type": "VARCHAR",
    "resource_id": "VARCHAR",
    "resource_version": "VARCHAR",
    "file": "VARCHAR",
    "line": "BIGINT",
    "resource_key": "VARCHAR",
}
CODES = "STRUCT(system VARCHAR, code VARCHAR)[]"
TERMS = "STRUCT(system VARCHAR, code VARCHAR, display VARCHAR)[]"


def _time(name: str) -> dict[str, str]:
    return {
        f"{name}_text": "VARCHAR",
        f"{name}_on": "DATE",
        f"{name}_at": "TIMESTAMPTZ",
        f"{name}_precision": "VARCHAR",
        f"{name}_first": "DATE",
        f"{name}_last": "DATE",
    }


def _strings(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "VARCHAR")


def _booleans(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "BOOLEAN")


CODED = _strings("study", "codelist", "concept", "person_id")
TABLES: dict[str, dict[str, str]] = {
    "person": {**_strings("person_id", "patient_key", "sex"), **_time("birth"), **SOURCE},
    "code": _strings("study", "codelist", "concept", "site", "system", "code"),
    "diagnosis": {
        **CODED,
        **_time("onset"),
        **_time("recorded"),
        "clinical_statuses": "VARCHAR[]",
        **_booleans("is_counted"),
        **SOURCE,
    },
    "drug_exposure": {
        **CODED,
        **_strings("evidence_level", "status"),
        **_time("exposed"),
        **_booleans("is_counted"),
        "routes": "VARCHAR[]",
        "dose_value": "DOUBLE",
        "dose_unit": "VARCHAR",
        **SOURCE,
    },
    "measurement": {
        **CODED,
        **_strings("component", "comparator", "unit"),
        **_time("measured"),
        **dict.fromkeys(("value", "value_low", "value_high", "reference_low", "reference_high"), "DOUBLE"),
        **_booleans("low_inclusive", "high_inclusive", "is_counted", "has_unit_problem", "value_boolean"),
        "value_codes": CODES,
        **SOURCE,
    },
    "procedure": {**CODED, **_time("performed"), **_booleans("is_counted"), **SOURCE},
    "adverse_event": {
        **_strings("person_id", "kind", "soc_code", "pt_code", "pt_display", "term", "severity"),
        **_time("onset"),
        **_time("ended"),
        **_booleans("is_counted", "is_serious", "is_fatal", "led_to_discontinuation"),
        "codes": TERMS,
        "grade": "INTEGER",
        **SOURCE,
    },
    "adverse_event_suspect": {
        **_strings("resource_key", "site"),
        "suspect": "INTEGER",
        "codes": CODES,
        **_booleans("is_related", "has_codes"),
    },
    "death_record": {
        **_strings("kind", "study", "person_id"),
        **_time("died"),
        **SOURCE,
    },
    "contact": {**_strings("person_id", "kind"), "starts_on": "DATE", "ends_on": "DATE", **SOURCE},
}
DEFAULTS: dict[str, dict[str, object]] = {
    "person": {"sex": "male", "birth": "2005-06-15"},
    "diagnosis": {"is_counted": True, "clinical_statuses": []},
    "drug_exposure": {
        "evidence_level": "administered",
        "status": "completed",
        "is_counted": True,
        "routes": [],
    },
    "measurement": {"is_counted": True, "has_unit_problem": False, "value_codes": []},
    "procedure": {"is_counted": True},
    "adverse_event": {"is_counted": True, "kind": "AdverseEvent", "codes": [], "term": "an event"},
    "adverse_event_suspect": {"suspect": 1, "codes": [], "is_related": True, "has_codes": False},
    "death_record": {"kind": "patient"},
    "contact": {"kind": "Encounter"},
    "code": {},
}
TIMES = ("birth", "onset", "recorded", "exposed", "measured", "performed", "ended", "died")


def day(number: int) -> str:
    """Day `number` of the drawn histories; day 0 is 1 March 2020."""
    return (date(2020, 3, 1) + timedelta(days=number)).isoformat()


def times_of(name: str, text: str | None) -> dict[str, object]:
    """The columns of a time as written: a year, a month, a day, or a day with a time (in UTC)."""
    if text is None:
        return {}
    first, last = _period(text[:10])
    is_day = first == last
    return {
        f"{name}_text": text,
        f"{name}_first": first,
        f"{name}_last": last,
        f"{name}_on": first if is_day else None,
        f"{name}_at": f"{text}Z" if "T" in text else None,
        f"{name}_precision": {4: "year", 7: "month", 10: "day"}.get(len(text), "time"),
    }


def _period(text: str) -> tuple[date, date]:
    if len(text) == 4:
        return date(int(text), 1, 1), date(int(text), 12, 31)
    if len(text) == 7:
        year, month = int(text[:4]), int(text[5:])
        after = date(year + month // 12, month % 12 + 1, 1)
        return date(year, month, 1), after - timedelta(days=1)
    return date.fromisoformat(text), date.fromisoformat(text)


class Drawing:
    """An in-memory warehouse with empty `clinical.*` tables of one study, to draw histories in."""

    def __init__(self, study: str) -> None:
        self.con = duckdb.connect()
        self.study = study
        self._ids = count(1)
        self.con.execute("set timezone = 'UTC'; create schema clinical")
        for name, columns in TABLES.items():
            listed = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
            self.con.execute(f"create table clinical.{name} ({listed})")
        broken = _strings("site", "file", "resource_type", "resource_id", "resource_key", "rule")
        listed = ", ".join(f"{column} {kind}" for column, kind in {**broken, "line": "BIGINT"}.items())
        self.con.execute(f"create schema quality; create table quality.broken_rule ({listed})")
        drawn = " union ".join(
            f"select {', '.join(SOURCE)} from clinical.{name}"
            for name, columns in TABLES.items()
            if SOURCE.keys() <= columns.keys()
        )
        self.con.execute(f"create schema current; create view current.resource as {drawn}")

    def draw(self, table: str, person: str | None = None, **given: object) -> str:
        """Adds a row; a time is given by its name (`onset="2020-03"`). Returns the row's resource key."""
        row: dict[str, object] = {**DEFAULTS[table], **given}
        for name in TIMES:
            if name in row and f"{name}_text" in TABLES[table]:
                row.update(times_of(name, row.pop(name)))  # type: ignore[arg-type]
        key = str(given.get("resource_key") or f"{table}/{next(self._ids)}")
        source: Mapping[str, object] = {
            "person_id": person,
            "site": "a",
            "resource_type": table,
            "resource_id": key.split("/")[1],
            "resource_version": "1",
            "file": "f",
            "line": 1,
            "resource_key": key,
            "study": None if table == "death_record" else self.study,
            "concept": given.get("codelist"),
        }
        row = {**{k: v for k, v in source.items() if k in TABLES[table]}, **row}
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" for _ in row)
        self.con.execute(f"insert into clinical.{table} ({names}) values ({marks})", list(row.values()))
        return key

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """The rows of a query."""
        return self.con.execute(query).fetchall()
