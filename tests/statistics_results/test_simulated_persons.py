"""The simulated persons of the benchmark go the way that it measures, and give numbers of every part."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from benchmarks.treated import analyse, fill, make_empty
from reports.statistics.results_csv import read_results


@pytest.mark.slow
def test_simulated_persons_have_results_of_every_part(tmp_path: Path) -> None:
    empty, file, out = tmp_path / "empty.duckdb", tmp_path / "persons.duckdb", tmp_path / "out"
    make_empty(empty)
    fill(empty, file, 200)
    analyse(file, out, 200)
    results = read_results(out / "results.csv")
    counted = results.filter((pl.col("group") == "all") & (pl.col("statistic") == "n"))
    n = {(analysis, level): value for analysis, level, value in counted["analysis", "level", "value"].rows()}
    assert n["attrition", "known"] == 200
    assert 150 < n["attrition", "treated"] < 200
    for part in ("response.remission", "duration_of_remission"):
        assert n[part, ""] > 20
    for level in (("disposition", "hsct"), ("death", "all"), ("teae", "any"), ("death", "due_to_teae")):
        assert n[level] > 0
    assert n["lab.worst_grade", "Platelet count decreased grade 4"] > 0
    assert len([group for group in set(results["group"]) if group.startswith("site=")]) == 20
