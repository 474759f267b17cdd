"""Times each step of a run, on the open MIMIC demo where it is there and on the simulated hospitals.

Prints seconds a step, resources a second from landing to `fhir.*`, and the peak memory. Each data set is run
in a process of its own, from a clean home.

    python -m benchmarks.steps
"""

from __future__ import annotations

import platform
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MIMIC = Path(__file__).parent.parent.parent / "shared" / "data" / "mimic-iv-fhir-demo"
TARGETS = {"mimic": 20.0, "demo": 15.0}


class Stopwatch:
    """A progress display that keeps the seconds of each step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.notes: list[str] = []

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[title] = time.perf_counter() - started

    def note(self, text: str) -> None:
        self.notes.append(text)


def measure(name: str) -> None:
    """Runs one data set here, and prints a line a step."""
    from flows.execute import request_of
    from flows.run import Run
    from flows.steps import STEPS, run_steps

    with tempfile.TemporaryDirectory(prefix="cove-benchmark-") as folder:
        root = Path(folder)
        files, study = MIMIC, "mimic_vancomycin"
        if name == "demo":
            from demo.hospitals import write_hospitals

            files, study = root / "hospitals", "clofarabine"
            write_hospitals(files)
        watch = Stopwatch()
        run_steps(Run(request_of(study, home=root / "home", files=files, out=root / "out")), STEPS, watch)
        resources = landed_resources(root / "home")
    total = sum(watch.seconds.values())
    for title, seconds in watch.seconds.items():
        print(f"  {title:24} {seconds:7.2f} s")
    mapped = watch.seconds["Landing files"] + watch.seconds["Mapping to fhir"]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  {'all steps':24} {total:7.2f} s   (to reach: under {TARGETS[name]:.0f} s)")
    print(f"  landing to fhir.*: {resources / mapped:,.0f} resources/s of {resources:,}")
    print(f"  peak memory: {peak:,.0f} MB   (to reach: under 1,536 MB)")


def landed_resources(home: Path) -> int:
    """How many resources the published warehouse was built from."""
    from flows.published import published, read_warehouse

    with read_warehouse(published(home)) as connection:
        row = connection.execute("select sum(landed) from quality.resources").fetchone()
    return int(row[0]) if row else 0


def main() -> None:
    """Prints the machine, the start of the command line, and each data set."""
    print(f"{platform.machine()}, Python {platform.python_version()}")
    started = time.perf_counter()
    subprocess.run([Path(sys.executable).with_name("cove"), "--help"], check=True, stdout=subprocess.DEVNULL)
    print(f"cove --help: {time.perf_counter() - started:.2f} s   (to reach: under 0.5 s)")
    for name in ("mimic", "demo"):
        if name == "mimic" and not MIMIC.exists():
            print("mimic: its files are not here, left out")
            continue
        print(f"{name}:", flush=True)
        subprocess.run([sys.executable, "-m", "benchmarks.steps", name], check=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(sys.argv[1])
    else:
        main()
