"""Measures a pull from a server over loopback that serves prepared NDJSON, beside `curl` on the same file.

Server, pull and `curl` are processes of their own, with the file in the page cache. Prints megabytes a second
landed (hashed, counted, flushed to disk), the ratio, the peak memory, and which of the aims are reached.

    python -m benchmarks.pulling [--large]

A file of 1.5 GB; `--large`: one of 5 GB too.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.processes import measured
from benchmarks.results import Results
from benchmarks.samples import SYNTHEA, missing, originals, write_replicated

FILE, LARGE_FILE = 1_500_000_000, 5_000_000_000  # bytes
REPETITIONS = 3
LEAST_SPEED = 150.0  # MB/s
MOST_MEMORY = 200.0  # MB
PART = 20_000  # resources that are written over and over


def main(has_large: bool) -> None:
    """Prints everything; raises MeasurementError where a measured process fails."""
    started = time.perf_counter()
    print(f"{platform.machine()}, Python {platform.python_version()}")
    if not SYNTHEA.exists():
        print("\n".join(missing()))
        return
    results = Results()
    with tempfile.TemporaryDirectory(prefix="cove-benchmark-") as folder:
        for size in (FILE, LARGE_FILE) if has_large else (FILE,):
            free = shutil.disk_usage(folder).free
            if free < 2 * size + (2 << 30):
                sys.exit(f"the temporary folder has {free >> 30} GB free; {(2 * size >> 30) + 3} are needed")
            measure(results, size, Path(folder))
    results.summary()
    print(f"\nmeasured in {time.perf_counter() - started:.0f} s")


def measure(results: Results, size: int, work: Path) -> None:
    """Pull and `curl` in turns; of each the best counts."""
    results.section(f"A file of {size / 1e9:g} GB from a server over loopback")
    file = work / "export.ndjson"
    lines = write_file(file, size, work)
    size = file.stat().st_size
    pulls, curls, peaks = [], [], []
    with serving(file) as url:
        for _ in range(REPETITIONS):
            run = measured("benchmarks.pulls", "pull", url, work / "home")
            pulls.append(run.seconds)
            peaks += [run.peak] if run.peak else []
            shutil.rmtree(work / "home")
            curls += curl_seconds(url, work / "curl.ndjson")
    file.unlink()
    peak = max(peaks, default=None)
    results.line("cove pull", lines, min(pulls), size=size, peak=peak)
    if curls:
        results.line("curl to a file", lines, min(curls), size=size)
        results.note(f"the pull takes {min(pulls) / min(curls):.2f} times as long as curl")
    else:
        results.note("curl is not here: nothing to compare with")
    name = f"of {size / 1e9:.1f} GB"
    results.at_least(f"150 MB/s landed with hashing, {name}", size / min(pulls) / 1e6, LEAST_SPEED, " MB/s")
    results.memory_within(f"a pull within 200 MB, {name}", peak, MOST_MEMORY)


def write_file(path: Path, size: int, work: Path) -> int:
    """Writes Observations over and over until there are about so many bytes; how many there are."""
    part = work / "part.ndjson"
    write_replicated(part, originals("Observation"), PART)
    block = part.read_bytes()
    part.unlink()
    times = -(-size // len(block))
    with path.open("wb") as target:
        for _ in range(times):
            target.write(block)
    return times * PART


@contextmanager
def serving(file: Path) -> Iterator[str]:
    """The base address of a server of the file, which ends with the block."""
    command = [sys.executable, "-m", "benchmarks.pulls", "serve", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.kill()


def curl_seconds(url: str, target: Path) -> list[float]:
    """The seconds that `curl` takes to write the file; none where it isn't installed."""
    if shutil.which("curl") is None:
        return []
    address = f"{url.removesuffix('/fhir')}/export.ndjson"
    started = time.perf_counter()
    subprocess.run(["curl", "-sS", "--noproxy", "*", "-o", target, address], check=True)
    seconds = time.perf_counter() - started
    target.unlink()
    return [seconds]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pulling")
    parser.add_argument("--large", action="store_true", help="a file of 5 GB too")
    main(parser.parse_args().large)
