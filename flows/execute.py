"""From what a command was given to a finished run: the request checked, then its steps in order."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.config import Config
from flows.config_choice import Choice
from flows.errors import UserError
from flows.home import Home
from flows.maps import check_maps
from flows.progress import Progress, progress_for
from flows.run import Request, Run, check_folders, parse_date, parse_instant
from flows.run_records import RunRecord, recorded
from flows.steps import LAND, LOAD, PULL, STEPS, Step, run_steps

if TYPE_CHECKING:
    from flows.loading_step import Told


def request_of(
    study: str,
    *,
    home: Path,
    files: Path | None,
    out: Path | None,
    data_cutoff: str | None = None,
    as_of: str | None = None,
    simulated: bool = False,
    config: Config | None = None,
) -> Request:
    """The checked request. Raises UserError or StudyError before anything is written."""
    from mappers.units import is_ucum
    from studies.reading import load_study

    cutoff = parse_date(data_cutoff, "--data-cutoff") if data_cutoff else None
    known_at = parse_instant(as_of, "--as-of") if as_of else None
    loaded = load_study(study, is_ucum)
    request = Request(
        study=loaded,
        home=_absolute(home),
        out=_absolute(out) if out else None,
        files=_absolute(files) if files else None,
        started_at=dt.datetime.now(dt.UTC),
        data_cutoff=cutoff,
        as_of=known_at,
        simulated=simulated or loaded.protocol.simulated,
        # One without sites is read for its other keys only.
        config=config,
    )
    check_folders(home=request.home, out=request.out, files=request.files, config=config)
    check_maps(config)
    return request


def execute(
    request: Request,
    *,
    steps: Sequence[Step] = STEPS,
    as_flow: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Runs the steps: as tasks where Prefect is asked for or a server is configured, else in this process."""
    is_pulled = (
        any(step.work is PULL.work for step in steps)
        and request.config is not None
        and bool(request.config.sites)
    )
    if request.files is None and not is_pulled:
        check_landed(request.home)
    steps = [step for step in steps if step.work is not PULL.work or is_pulled]
    progress = progress or progress_for()
    record = RunRecord(tuple(step.name for step in steps), request.started_at, _asked(request))
    with recorded(Home(request.home), record, _now):
        if as_flow or os.environ.get("PREFECT_API_URL"):
            from flows.prefect_flow import run_as_flow

            ran = run_as_flow(Run(request), steps, progress)
        else:
            ran = run_steps(Run(request), steps, progress)
        record.exit_code = ran.exit_code
        record.told |= {"notes": ran.notes, "problems": ran.problems, "failures": ran.failures}
        if ran.warehouse is not None:
            record.told["warehouse"] = ran.warehouse.name
    return ran


def _asked(request: Request) -> dict[str, Any]:
    return {
        "study": request.study.protocol.id,
        "protocol_version": request.study.protocol.version,
        "study_sha256": request.study.digest,
        "data_cutoff": request.data_cutoff.isoformat() if request.data_cutoff else None,
        "as_of": request.as_of.isoformat() if request.as_of else None,
    }


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def execute_pull(choice: Choice, *, full: bool) -> int:
    """Pulls from the configuration's sites, without a study. The exit code."""
    from flows.pulling_step import pull_configured

    if choice.config is None:
        raise UserError("no configuration is given; name one with --config")
    home, progress = _absolute(choice.home), progress_for()
    check_folders(home=home, out=None, files=None, config=choice.config)
    check_maps(choice.config)
    record = RunRecord((PULL.name,), _now())
    with recorded(Home(home), record, _now), progress.step(PULL.title):
        pulled = pull_configured(
            choice.config, home, record.started_at, full=full, tell=progress.note, stops=False
        )
        record.exit_code = pulled.exit_code
        record.told |= {"notes": pulled.notes, "problems": pulled.problems, "failures": pulled.failures}
    for line in (*pulled.notes, *(f"problem: {one}" for one in pulled.problems)):
        progress.note(line)
    for failure in pulled.failures:
        progress.note(f"failed: {failure}")
    return pulled.exit_code


def execute_load(choice: Choice) -> int:
    """Lands the files, where some are given, and loads what landed; without a study. The exit code."""
    root, progress = _absolute(choice.home), progress_for()
    record = RunRecord((LAND.name, LOAD.name), _now())
    with recorded(Home(root), record, _now):
        told = _load(choice, root, progress, record.started_at)
        record.exit_code = int(any(one.problems for one in told))
        record.told |= {
            "notes": [note for one in told for note in one.notes],
            "problems": [problem for one in told for problem in one.problems],
        }
    for one in told:
        for line in (*one.notes, *one.problems):
            progress.note(line)
    return record.exit_code


def _load(choice: Choice, root: Path, progress: Progress, now: dt.datetime) -> list[Told]:
    from flows.loading_step import land_folder, load_home
    from flows.maps import land_maps

    told = []
    if choice.files is not None:
        check_folders(home=root, out=None, files=_absolute(choice.files))
        with progress.step(LAND.title):
            told.append(land_folder(root, _absolute(choice.files), now))
    else:
        check_landed(root)
    if choice.config is not None:
        told.append(land_maps(choice.config, root, now))
    with progress.step(LOAD.title):
        told.append(load_home(root))
    return told


def check_landed(home: Path) -> None:
    """Raises UserError when nothing has landed in the home."""
    try:
        has_landed = (home / "landing").exists()
    except OSError as error:
        raise UserError(
            f"--home {home}: can't be read ({error.strerror}); ask its owner for access"
        ) from error
    if not has_landed:
        raise UserError(f"--home {home}: nothing has landed there yet; give --files DIR, or run `cove load`")


def _absolute(path: Path) -> Path:
    """The place itself: a link is followed, so that what lies within what can be told, and is replaced."""
    try:
        return path.expanduser().resolve()
    except (OSError, RuntimeError) as error:
        raise UserError(
            f"{path}: leads nowhere (a link in a circle, or an unknown user); name another"
        ) from error
