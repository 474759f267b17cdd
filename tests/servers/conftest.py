"""One HAPI server for all tests of a run, loaded with a few patients of synthea-100."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.building import UnavailableError, built_server
from tests.servers.changes import add_medications
from tests.servers.hospital import BUNDLES, Hospital, synthea_bundles
from tests.servers.start import running_server
from tests.servers.warehouse import Home


@pytest.fixture(scope="session")
def hospital() -> Iterator[Hospital]:
    """The server with the smallest bundles of synthea-100, and doses of Medications by reference.

    Tests change it as they like: each compares with what the server holds by then. They are one group of
    pytest-xdist, so that one worker starts it once.
    """
    if not BUNDLES.exists():
        pytest.skip("synthea-100 isn't at ../shared/data")
    try:
        built_server()
    except UnavailableError as error:
        pytest.skip(f"no FHIR server: {error}")
    with running_server() as base:
        hospital = Hospital(base)
        for bundle in synthea_bundles():
            hospital.transaction(bundle)
        add_medications(hospital)
        yield hospital


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    return Home(tmp_path)
