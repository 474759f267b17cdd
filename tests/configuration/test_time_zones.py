"""Days in a site's own calendar: what an instant with Z means there, by hand."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

from tests.sql.clinical_files import ATC, build, land, rows


def resources(written: str) -> list[dict[str, Any]]:
    """A patient with a dose at a time as written."""
    dose = {
        "resourceType": "MedicationAdministration",
        "id": "dose",
        "status": "completed",
        "subject": {"reference": "Patient/p1"},
        "medicationCodeableConcept": {"coding": [{"system": ATC, "code": "L01BB06"}]},
        "effectiveDateTime": written,
    }
    return [{"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "2010-05-01"}, dose]


# site's zone, as written, the day there, the instant in UTC
DRAWN: list[tuple[str | None, str, date | None, datetime | None]] = [
    ("Asia/Seoul", "2024-03-01T20:00:00Z", date(2024, 3, 2), datetime(2024, 3, 1, 20)),
    ("Asia/Seoul", "2024-03-01T14:59:59Z", date(2024, 3, 1), datetime(2024, 3, 1, 14, 59, 59)),
    ("Asia/Seoul", "2024-03-01T15:00:00Z", date(2024, 3, 2), datetime(2024, 3, 1, 15)),
    ("Asia/Seoul", "2024-02-29T20:00:00.250Z", date(2024, 3, 1), datetime(2024, 2, 29, 20, 0, 0, 250_000)),
    ("Asia/Seoul", "2024-03-01T20:00:00+09:00", date(2024, 3, 1), datetime(2024, 3, 1, 11)),
    ("Asia/Seoul", "2024-03-01T20:00:00+00:00", date(2024, 3, 1), datetime(2024, 3, 1, 20)),
    # Without an offset it is what the clock in Seoul showed.
    ("Asia/Seoul", "2024-03-01T20:00:00", date(2024, 3, 1), datetime(2024, 3, 1, 11)),
    # No end, as some servers write it.
    ("Asia/Seoul", "9999-12-31T20:00:00Z", date(9999, 12, 31), datetime(9999, 12, 31, 20)),
    ("Asia/Seoul", "2024-03-01T20:00Z", date(2024, 3, 2), datetime(2024, 3, 1, 20)),
    ("Asia/Seoul", "1905-01-01T20:00:00Z", date(1905, 1, 2), datetime(1905, 1, 1, 20)),
    ("Asia/Seoul", "2024-03-01", date(2024, 3, 1), None),
    ("Asia/Seoul", "2024-03", None, None),
    (None, "2024-03-01T20:00:00Z", date(2024, 3, 1), datetime(2024, 3, 1, 20)),
    (None, "2024-03-01T20:00:00+09:00", date(2024, 3, 1), datetime(2024, 3, 1, 11)),
    # Summer and winter time: New York is 4 and 5 hours behind.
    ("America/New_York", "2024-07-01T04:30:00Z", date(2024, 7, 1), datetime(2024, 7, 1, 4, 30)),
    ("America/New_York", "2024-01-01T04:30:00Z", date(2023, 12, 31), datetime(2024, 1, 1, 4, 30)),
]


def test_a_dose_is_on_the_day_of_its_place(tmp_path: Path) -> None:
    sites = {f"site {number:02}": drawn for number, drawn in enumerate(DRAWN)}
    land(tmp_path, {name: {"all.ndjson": resources(written)} for name, (_, written, _, _) in sites.items()})
    zones = {name: zone for name, (zone, _, _, _) in sites.items() if zone}
    con = build(tmp_path, time_zones=zones)
    found = rows(
        con, "clinical.drug_exposure", "site, exposed_text, exposed_on, exposed_at at time zone 'UTC'"
    )
    assert found == [(name, written, day, instant) for name, (_, written, day, instant) in sites.items()]
    assert rows(con, "clinical.site") == [(name, zone) for name, (zone, _, _, _) in sites.items()]
    starts = rows(con, "clinical.contact", "site, starts_on", where="kind = 'drug_exposure'")
    assert starts == [(name, day) for name, (_, _, day, _) in sites.items() if day]
    con.close()


def test_without_zones_a_day_is_as_it_is_written(tmp_path: Path) -> None:
    land(tmp_path, {"a": {"all.ndjson": resources("2024-03-01T20:00:00Z")}})
    con = build(tmp_path)
    assert rows(con, "clinical.drug_exposure", "exposed_on") == [(date(2024, 3, 1),)]
    assert rows(con, "clinical.site") == [("a", None)]
    con.close()
