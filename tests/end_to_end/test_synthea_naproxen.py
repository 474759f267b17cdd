"""A study in another disease, which takes no Python, on 100 synthetic persons; expected numbers by plain SQL."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import duckdb
import pytest

BUNDLES = Path(__file__).parents[3] / "shared" / "data" / "synthea-100" / "bundles.zip"
QUERY = Path(__file__).with_name("synthea_by_hand.sql")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not BUNDLES.exists(), reason="the synthetic persons aren't here"),
    pytest.mark.xdist_group("synthea"),
]

Rows = dict[tuple[str, str, str, str], dict[str, str]]


@dataclass(frozen=True)
class Person:
    """Days after the first dose: last contact, first control, high pressure, last reading, and what else came."""

    person: str
    followed: int
    best: int | None
    control: int | None
    high: int | None
    last: int | None
    injury: int | None
    infection: int | None
    lost: int | None
    no_control: int | None


@dataclass(frozen=True)
class Run:
    rows: Rows
    report: str

    def value(self, analysis: str, statistic: str, level: str = "", group: str = "all") -> float | None:
        value = self.rows[analysis, group, level, statistic]["value"]
        return float(value) if value else None


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("synthea")
    (folder / "files" / "synthea").mkdir(parents=True)
    (folder / "files" / "synthea" / "bundles.zip").write_bytes(BUNDLES.read_bytes())
    cove = Path(sys.executable).with_name("cove")
    places = {"--files": folder / "files", "--out": folder / "out", "--home": folder / "home"}
    options = [str(word) for pair in places.items() for word in pair]
    subprocess.run([cove, "run", "synthea_naproxen", *options], check=True, capture_output=True)
    text = (folder / "out" / "results.csv").read_text(encoding="utf-8")
    rows = {
        (row["analysis"], row["group"], row["level"], row["statistic"]): row
        for row in csv.DictReader(io.StringIO(text))
        if row["method"] in ("", "wilson", "km log", "aalen-johansen")
    }
    return Run(rows, (folder / "out" / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def persons(tmp_path_factory: pytest.TempPathFactory) -> list[Person]:
    lines = tmp_path_factory.mktemp("resources") / "resources.ndjson"
    with zipfile.ZipFile(BUNDLES) as archive, lines.open("w", encoding="utf-8") as out:
        for name in archive.namelist():
            if name.endswith(".json"):
                for entry in json.loads(archive.read(name)).get("entry", []):
                    resource = entry["resource"]
                    out.write(json.dumps({"type": resource["resourceType"], "json": resource}) + "\n")
    with duckdb.connect() as connection:
        connection.execute(
            "create table resource as select * from read_json($file, format = 'newline_delimited', "
            "columns = {type: 'varchar', json: 'json'}, maximum_object_size = 50000000)",
            {"file": str(lines)},
        )
        found = connection.execute(QUERY.read_text(encoding="utf-8"))
        assert [column[0] for column in found.description] == [field.name for field in fields(Person)]
        return [Person(*row) for row in found.fetchall()]


def first(days: Sequence[int | None]) -> int | None:
    return min((day for day in days if day is not None), default=None)


def kept(times: Sequence[tuple[int, bool]], week: int) -> float | None:
    """The share without the event at a week, by the product of those at risk; None past the longest time."""
    if max(day for day, _ in times) < week * 7:
        return None
    share = 1.0
    for day in sorted({day for day, is_event in times if is_event and day <= week * 7}):
        at_risk = sum(time >= day for time, _ in times)
        share *= 1 - sum(time == day and is_event for time, is_event in times) / at_risk
    return share


def ended(event: int | None, censored: int) -> tuple[int, bool]:
    return (max(censored, 0), False) if event is None else (event, True)


def test_persons_are_those_with_osteoarthritis_and_naproxen(run: Run, persons: list[Person]) -> None:
    assert run.value("attrition", "n", "known") == 100
    assert run.value("attrition", "n", "treated") == len(persons) == 11


def test_responses_are_the_categories_of_pressure(run: Run, persons: list[Person]) -> None:
    best = [person.best for person in persons]
    levels = {"normal": 1, "elevated": 2, "stage 1": 3, "NR": 4, "NE": None}
    for level, category in levels.items():
        assert run.value("response.best", "n", level) == best.count(category), level
    controlled = sum(category in (1, 2) for category in best)
    assert run.value("response.controlled", "n") == controlled
    assert run.value("response.controlled", "percent") == pytest.approx(100 * controlled / len(best))
    assert run.value("response.below_stage_2", "n") == sum(category in (1, 2, 3) for category in best)


def test_nobody_died_and_all_are_followed_to_their_last_contact(run: Run, persons: list[Person]) -> None:
    assert run.value("death", "n", "all") == 0
    assert run.value("overall_survival", "events") == 0
    assert run.value("overall_survival", "max") == pytest.approx(max(one.followed for one in persons) / 7)
    for week in (52, 104, 208, 416):
        at_risk = sum(one.followed >= week * 7 for one in persons)
        assert run.value("overall_survival", "at_risk", f"week_{week}") == at_risk


def test_failure_is_the_first_of_high_pressure_an_injury_and_no_control(
    run: Run, persons: list[Person]
) -> None:
    times = [
        ended(
            first([one.high, one.injury, one.no_control]),
            one.followed if one.control is None or one.last is None else one.last,
        )
        for one in persons
    ]
    assert run.value("time_to_treatment_failure", "events") == sum(is_event for _, is_event in times)
    for week in (52, 104, 208, 416):
        found = run.value("time_to_treatment_failure", "survival", f"week_{week}")
        assert found == pytest.approx(kept(times, week))


def test_incidences_are_one_minus_who_is_left_as_nobody_died(run: Run, persons: list[Person]) -> None:
    for name, weeks in (("control", (52, 104, 208, 416)), ("infection", (52, 104, 260, 520))):
        times = [ended(getattr(one, name), one.followed) for one in persons]
        assert run.value(f"{name}_incidence", "events") == sum(is_event for _, is_event in times)
        for week in weeks:
            left = kept(times, week)
            expected = None if left is None else pytest.approx(1 - left)
            assert run.value(f"{name}_incidence", "incidence", f"week_{week}") == expected, (name, week)


def test_control_lasts_until_a_reading_of_stage_1_or_above(run: Run, persons: list[Person]) -> None:
    lengths = [
        ended(None if one.lost is None else one.lost - one.control, (one.last or 0) - one.control)
        for one in persons
        if one.control is not None
    ]
    assert run.value("duration_of_control", "n") == len(lengths)
    assert run.value("duration_of_control", "events") == sum(is_event for _, is_event in lengths)
    assert run.value("duration_of_control", "min") == pytest.approx(min(day for day, _ in lengths) / 7)
    assert run.value("duration_of_control", "max") == pytest.approx(max(day for day, _ in lengths) / 7)


def test_the_report_speaks_of_this_disease_only(run: Run) -> None:
    assert "Duration of control" in run.report
    assert "systolic pressure" in run.report
    for word in ("remission", "marrow", "relapse", "platelet", "HSCT", "leuk"):
        assert word.lower() not in run.report.lower(), word
