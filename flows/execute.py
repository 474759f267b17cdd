"""From what a command was given to a finished run: the request checked, then its steps in order."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path

from flows.errors import UserError
from flows.progress import Progress, progress_for
from flows.run import Request, Run, check_request, parse_date, parse_instant
from flows.steps import LAND, LOAD, STEPS, Step, run_steps


def request_of(
    study: str,
    *,
    home: Path,
    files: Path | None,
    out: Path | None,
    data_cutoff: str | None = None,
    as_of: str | None = None,
    simulated: bool = False,
) -> Request:
    """The checked request. Raises UserError or StudyError before anything is written."""
    from studies.reading import load_study

    cutoff = parse_date(data_cutoff, "--data-cutoff") if data_cutoff else None
    return check_request(
        Request(
            study=load_study(study),
            home=_absolute(home),
            out=_absolute(out) if out else None,
            files=_absolute(files) if files else None,
            started_at=dt.datetime.now(dt.UTC),
            data_cutoff=cutoff,
            as_of=parse_instant(as_of, "--as-of") if as_of else None,
            simulated=simulated,
        )
    )


def execute(request: Request, *, steps: Sequence[Step] = STEPS, as_flow: bool = False) -> Run:
    """Runs the steps: as tasks where Prefect is asked for or a server is configured, else in this process."""
    if request.files is None and not (request.home / "landing").exists():
        raise UserError(
            f"--home {request.home}: nothing has landed there yet; give --files DIR, or run `cove load`"
        )
    progress: Progress = progress_for()
    if as_flow or os.environ.get("PREFECT_API_URL"):
        from flows.prefect_flow import run_as_flow

        return run_as_flow(Run(request), steps, progress)
    return run_steps(Run(request), steps, progress)


def execute_load(home: Path, files: Path | None) -> Run:
    """Lands and loads, without a study."""
    request = check_request(
        Request(study=None, home=home, out=None, files=files, started_at=dt.datetime.now(dt.UTC))
    )
    return execute(request, steps=(LAND, LOAD))


def _absolute(path: Path) -> Path:
    return Path(os.path.normpath(path.expanduser().absolute()))
