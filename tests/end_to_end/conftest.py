"""One run of `cove demo`, for all tests that look at what it made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

COVE = Path(sys.executable).with_name("cove")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `cove demo` was run; `told.txt` has what it told."""
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [COVE, "demo", "--out", "out", "--home", "home"],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    (folder / "told.txt").write_text(done.stderr, encoding="utf-8")
    return folder
