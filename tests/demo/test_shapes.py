"""The same histories in every hospital's shape give the same clinical rows."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pytest

from demo.cohort import simulated_histories
from demo.hospitals import shapes, write_hospitals, write_site
from flows.execute import execute, request_of
from flows.published import published
from flows.steps import BUILD, LAND, LOAD

# What a history says, whatever the shape: the coded facts of a person (known by birth and sex), with days.
FACTS = {
    "doses": "select concept, exposed_on, is_counted from clinical.drug_exposure where concept is not null",
    "measurements": (
        "select concept, measured_on, value, comparator from clinical.measurement "
        "where concept is not null and is_counted and value is not null"
    ),
    "items": (
        "select concept, measured_on, value_boolean from clinical.measurement "
        "where concept is not null and value_boolean is not null"
    ),
    "procedures": "select concept, performed_on, is_counted from clinical.procedure where study is not null",
    "diagnoses": (
        "select concept, onset_text, recorded_text from clinical.diagnosis "
        "where codelist = 'diagnosis' and is_counted"
    ),
    "adverse events": (
        "select coalesce(pt_display, term), onset_text, grade, led_to_discontinuation "
        "from clinical.adverse_event where is_counted and onset_text is not null"
    ),
    "stays": "select starts_on, ends_on from clinical.contact where kind = 'visit'",
    "deaths": "select kind, died_text from clinical.death_record where kind <> 'adverse_event'",
}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """A warehouse in which each shape is a site with the same twelve persons."""
    folder = tmp_path_factory.mktemp("shapes")
    histories = simulated_histories()[::7]
    for shape in shapes():
        write_site(shape, histories, folder / "files" / shape)
    request = request_of("clofarabine", home=folder / "home", files=folder / "files", out=None)
    execute(request, steps=(LAND, LOAD, BUILD))
    return duckdb.connect(str(published(folder / "home")), read_only=True)


@pytest.mark.parametrize("fact", FACTS)
def test_each_shape_gives_the_same_rows_as_the_others(
    warehouse: duckdb.DuckDBPyConnection, fact: str
) -> None:
    query = FACTS[fact].replace(" from ", ", person_id, site from ", 1)
    rows = warehouse.execute(
        f"with fact as ({query}) "
        "select fact.* exclude (person_id, site), person.birth_text, person.sex, fact.site "
        "from fact join clinical.person using (person_id)"
    ).fetchall()
    by_site = {shape: {row[:-1] for row in rows if row[-1] == shape} for shape in shapes()}
    assert by_site["a"]
    for shape in shapes():
        assert by_site[shape] == by_site["a"], shape


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        write_hospitals(tmp_path / name)
    one, other = (
        {
            path.relative_to(tmp_path / name): path.read_bytes()
            for path in (tmp_path / name).rglob("*")
            if path.is_file()
        }
        for name in ("one", "other")
    )
    assert one == other
    assert dt.date.today().isoformat() not in str(one)
