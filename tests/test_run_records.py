"""Each run leaves a record in its home: what was asked, by what versions, and how it ended."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.hospitals.builder import treated, write

COVE = Path(sys.executable).with_name("cove")


def cove(folder: Path, *words: str) -> int:
    return subprocess.run([COVE, *words], cwd=folder, capture_output=True, check=False).returncode


def records(folder: Path) -> list[dict[str, Any]]:
    paths = sorted((folder / "home" / "runs").iterdir())
    assert {path.suffix for path in paths} <= {".json"}
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in paths)
    return [json.loads(path.read_text()) for path in paths]


def test_each_run_leaves_a_record_however_it_ends_and_no_value_in_it(tmp_path: Path) -> None:
    write(tmp_path / "files", {"Gildong.ndjson": treated("Hong-4711")})
    home = ("--home", "home")
    assert cove(tmp_path, "load", "--files", "files", *home) == 0
    assert cove(tmp_path, "report", "clofarabine", "--out", "out", "--data-cutoff", "2020-06-01", *home) == 0
    assert cove(tmp_path, "build", "clofarabin", *home) == 2  # nothing was begun
    shutil.rmtree(tmp_path / "home" / "landing" / "site")
    shutil.rmtree(tmp_path / "home" / "fhir")
    (tmp_path / "files" / "Gildong.ndjson").rename(tmp_path / "files" / "nothing.txt")
    (tmp_path / "files" / "nothing.txt").write_text("nothing")
    assert cove(tmp_path, "load", "--files", "files", *home) == 2
    found = records(tmp_path)
    assert [(one["steps"], one["exit_code"]) for one in found] == [
        (["land", "load"], 0),
        (["load", "build", "analyse", "report"], 0),
        (["land", "load"], 2),
    ]
    assert (found[1]["study"], found[1]["data_cutoff"]) == ("clofarabine", "2020-06-01")
    assert found[1]["warehouse"] in {path.name for path in (tmp_path / "home" / "versions").iterdir()}
    assert "no FHIR file is there" in found[2]["error"]
    for one in found:
        assert datetime.fromisoformat(one["started_at"]) <= datetime.fromisoformat(one["ended_at"])
        assert {"fhir-cove", "duckdb", "fhir.resources"} <= one["packages"].keys()
    told = json.dumps(found)
    assert not any(value in told for value in ("Hong-4711", "Gildong", "2010-03-01", "2020-03-01"))
