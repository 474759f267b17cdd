"""Runs a measurement in a process of its own, and watches the memory of it and of all that it starts.

The memory is the proportional set size (PSS) of the whole tree: a page that several processes share counts
once, and the pages of a file that is mapped count too. It is looked at from outside, 20 times a second.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BETWEEN_LOOKS = 0.05  # seconds
LEAST_PAUSE = 30  # times as long as a look
PROC = Path("/proc")


class MeasurementError(Exception):
    """The measured process failed, or took longer than it may."""


@dataclass(frozen=True)
class Measured:
    """What the process printed as its last line, a JSON object with at least `seconds`; and its peak in MB.

    The peak is None where the system has no /proc.
    """

    said: dict[str, Any]
    peak: float | None

    @property
    def seconds(self) -> float:
        return float(self.said["seconds"])


def measured(module: str, *arguments: object) -> Measured:
    """Runs a module of the benchmarks with this Python. Raises MeasurementError."""
    return measured_command([sys.executable, "-m", module, *map(str, arguments)])


def measured_command(command: list[str], *, limit: float | None = None) -> Measured:
    """Runs a command that prints a JSON object; `limit` is the seconds that it may take."""
    os.sync()  # so that what former steps wrote isn't still on its way to the disk
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    watch = _MemoryWatch(process.pid)
    watch.start()
    try:
        out, complaints = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.communicate()
        raise MeasurementError(f"took longer than {limit:.0f} s") from error
    finally:
        watch.stop()
    if process.returncode:
        last = complaints.strip().splitlines()[-1:] or [f"exit code {process.returncode}"]
        raise MeasurementError(last[0])
    return Measured(json.loads(out.strip().splitlines()[-1]), watch.peak)


class _MemoryWatch(threading.Thread):
    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.peak: float | None = None
        self._root = root
        self._stopped = threading.Event()

    def run(self) -> None:
        pause = BETWEEN_LOOKS
        while not self._stopped.wait(pause):
            began = time.perf_counter()
            size = sum(_proportional_size(pid) for pid in _tree(self._root)) * 1024 / 1e6
            pause = max(BETWEEN_LOOKS, LEAST_PAUSE * (time.perf_counter() - began))
            if size:
                self.peak = max(self.peak or 0.0, size)

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def _tree(root: int) -> set[int]:
    """The process and all that descend from it."""
    parents = {int(p.name): _parent(p) for p in PROC.glob("[0-9]*")}
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _parent(process: Path) -> int | None:
    try:
        # The name of the program stands in brackets, and may hold anything.
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return None  # it ended meanwhile


def _proportional_size(pid: int) -> int:
    """Kilobytes; 0 for a process that ended meanwhile."""
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
