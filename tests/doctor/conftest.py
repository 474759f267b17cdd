"""What the tests of the doctor share: the bench and the hospital of the pulls' tests, and the secrets."""

from __future__ import annotations

import os

import pytest

from tests.pulling.conftest import bench, server
from tests.pulling.pulls import SECRETS

__all__ = ["bench", "server"]


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("COVE_")]:
        monkeypatch.delenv(name)
    for name, secret in SECRETS.items():
        monkeypatch.setenv(name, secret)
