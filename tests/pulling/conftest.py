"""What the tests of pulls share: a bench in a folder, and a server that listens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pulling.pulls import Bench, served
from tests.pulling.server import Server


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A bench of its own."""
    return Bench(tmp_path)


@pytest.fixture
def server(bench: Bench) -> Iterator[Server]:
    """A hospital that listens, known to the bench."""
    hospital = Server()
    bench.servers.append(hospital)
    with served(hospital):
        yield hospital
