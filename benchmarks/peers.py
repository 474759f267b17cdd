"""Runs the peers from the registry, each in the environment that is made for them, within a limit of time."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.processes import Measured, MeasurementError, measured_command

LIST = Path(__file__).with_name("peers.txt")
SCRIPT = Path(__file__).with_name("peer_script.py")
CASES_SCRIPT = Path(__file__).with_name("peer_cases.py")
LIMIT = 120.0  # seconds a run
LIKELY = 60.0  # no run is begun that is likely to take longer
COUNTS = (2_000, 20_000, 200_000)


@dataclass(frozen=True)
class PeerRun:
    """How many resources a peer was given, and what came of it: a measurement, or why there is none.

    `cases` says how many conformance cases it passes, where it runs at all.
    """

    package: str
    count: int
    measured: Measured | None
    reason: str = ""
    cases: str = ""


def run_peers(view: Path, lines: Path, suite: Path, work: Path) -> Iterator[PeerRun]:
    """Each peer on the most of the first 2,000, 20,000 or 200,000 lines that it is likely to do in a minute."""
    python = str(work / "peers" / "bin" / "python")
    subprocess.run([sys.executable, "-m", "venv", str(work / "peers")], check=True)
    for requirement in _requirements():
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement]
        package = requirement.partition("==")[0]
        if subprocess.run(install, capture_output=True).returncode:
            yield PeerRun(requirement, 0, None, "can't be installed here")
            continue
        run = _run([python, str(SCRIPT), package, str(view)], requirement, lines, work)
        yield (
            replace(run, cases=_cases([python, str(CASES_SCRIPT), package, str(suite)]))
            if run.measured
            else run
        )


def _cases(command: list[str]) -> str:
    if not Path(command[-1]).exists():
        return "the conformance cases are not here"
    try:
        said = measured_command(command, limit=LIMIT).said
    except MeasurementError as error:
        return f"conformance cases: {_without_paths(str(error))}"
    return f"passes {said['passed']} of {said['cases']} conformance cases"


def _requirements() -> list[str]:
    lines = LIST.read_text(encoding="utf-8").splitlines()
    return [text for line in lines if (text := line.partition("#")[0].strip())]


def _run(command: list[str], requirement: str, lines: Path, work: Path) -> PeerRun:
    run = PeerRun(requirement, 0, None)
    for count in COUNTS:
        if run.measured and run.measured.seconds * count / run.count > LIKELY:
            break
        part, out = work / "peer.ndjson", work / "peer.out"
        with lines.open("rb") as source:
            part.write_bytes(b"".join(itertools.islice(source, count)))
        try:
            run = PeerRun(requirement, count, measured_command([*command, str(part), str(out)], limit=LIMIT))
        except MeasurementError as error:
            return run if run.measured else PeerRun(requirement, count, None, _without_paths(str(error)))
    return run


def _without_paths(text: str) -> str:
    return " ".join(Path(word).name if word.startswith(("/", "(/")) else word for word in text.split())
