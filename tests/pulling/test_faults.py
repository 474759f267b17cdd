"""Each fault of the table: what it ends with, what is landed, what is said, and that the next run goes on.

Faults that end alike share a night: one command pulls from a hospital for each, and from one without a fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import groupby

import pytest

from tests.pulling.nights import Night, Nights, pass_nights
from tests.pulling.table_of_faults import FAULTS, Row

pytestmark = pytest.mark.slow  # two minutes of bad nights

AT_ONCE = 7  # faults a night


def _batches() -> Iterator[list[Row]]:
    for _, alike in groupby(sorted(FAULTS, key=lambda row: row.exit), key=lambda row: row.exit):
        rows = list(alike)
        count = -(-len(rows) // AT_ONCE)
        yield from (rows[n::count] for n in range(count))


BATCHES = list(_batches())


@pytest.fixture(scope="session")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Nights]:
    """The nights of a batch, passed once."""
    return cache(lambda number: pass_nights(tmp_path_factory.mktemp("night"), BATCHES[number]))


@pytest.mark.parametrize(
    ("number", "row"),
    [
        pytest.param(number, row, id=row.id, marks=pytest.mark.xdist_group(f"night-{number}"))
        for number, rows in enumerate(BATCHES)
        for row in rows
    ],
)
def test_a_fault_leaves_whole_files_a_clear_line_and_a_next_run_that_goes_on(
    nights: Callable[[int], Nights], number: int, row: Row
) -> None:
    passed = nights(number)
    night = passed.by_id[row.id]
    _check_end(night)
    _check_landed(night)
    _check_requests(night)
    _check_next_run(night)
    assert passed.calm == passed.calm_there


def _check_end(night: Night) -> None:
    row, done = night.row, night.first.done
    if row.exit == 0:
        assert f": {night.site}: " not in done.err, done.text
    else:
        line = done.failure_of(night.site)
        assert re.search(row.says, line), line
        assert line.strip().startswith("failed" if row.exit == 3 else "problem")
    assert done.code == row.exit, done.text


def _check_landed(night: Night) -> None:
    landed, whole = night.first.landed, night.before
    match night.row.landed:
        case "all":
            assert landed >= whole
        case "some version":
            assert _without_versions(landed) == _without_versions(whole)
        case "none":
            assert landed == set()
        case _:
            assert landed < whole


def _without_versions(names: set[str]) -> set[str]:
    return {name.rpartition("/")[0] for name in names}


def _check_requests(night: Night) -> None:
    row, requests = night.row, night.first.requests
    struck = [each for each in requests if row.at in (each.place, each.path[-len(row.at) :])]
    if row.waits:
        first, second = [request for request in struck if request.target == struck[0].target][:2]
        assert second.at - first.at >= 0.9 * row.waits
    if row.at_most is not None:
        assert len(struck) <= row.at_most
    if row.source == "bulk" and row.jobs is not None:
        assert night.first.jobs == row.jobs
    if row.deletes is not None:
        assert sum(request.place == "delete" for request in requests) == row.deletes
    # Whatever happens: nothing of ours that opens a door goes to another origin.
    strange = [request for request in requests if request.port == night.server.other_port]
    assert not any(request.has_credentials or b"assertion" in request.body for request in strange)


def _check_next_run(night: Night) -> None:
    row, second = night.row, night.second
    assert second.done.code == 0, second.done.text
    assert second.landed >= second.there
    if row.exit != 3:
        return
    again = {request.path for request in second.requests}
    assert not again & night.within, "a landed file was fetched again"
    if row.source == "bulk" and row.jobs_after is not None:
        assert second.jobs == row.jobs_after
