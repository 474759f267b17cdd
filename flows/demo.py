"""The demo: simulated hospitals, then the same run as on real files."""

from __future__ import annotations

import tempfile
from pathlib import Path

from demo.hospitals import write_hospitals
from flows.errors import UserError
from flows.execute import execute, request_of
from flows.run import Run

STUDY = "clofarabine"


def run_demo(out: Path, home: Path | None, *, as_flow: bool = False) -> Run:
    """Runs the reference study on simulated hospitals, and says so in the report."""
    home = home or out.with_name(f"{out.name}-home")
    if home.exists() and not (home / "simulated").exists() and any(home.iterdir()):
        raise UserError(f"--home {home}: holds other data; simulated hospitals need a home of their own")
    with tempfile.TemporaryDirectory(prefix="cove-demo-") as folder:
        hospitals = Path(folder) / "hospitals"
        write_hospitals(hospitals)
        request = request_of(STUDY, home=home, files=hospitals, out=out, simulated=True)
        home.mkdir(parents=True, exist_ok=True)
        (home / "simulated").touch()
        return execute(request, as_flow=as_flow)
