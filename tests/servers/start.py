"""Starts the HAPI FHIR server on a free port of this machine. By hand: `python -m tests.servers.start`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import requests

from tests.servers.building import UnavailableError, built_server, java

START_SECONDS = 240
STOP_SECONDS = 20

# C1 and the serial collector: a server that lives for a minute starts in two thirds of the time with them.
OPTIONS = ("-Xmx2g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")


@contextmanager
def running_server() -> Iterator[str]:
    """The base address of a server that is empty, and ends with the block.

    It ends too when this process is killed: it reads from a pipe whose other end is here. Raises UnavailableError where
    it can't be had, RuntimeError where it doesn't start.
    """
    built = built_server()
    with tempfile.TemporaryDirectory(prefix="cove-hapi-") as name:
        folder = Path(name)
        process = _start(built, folder)
        try:
            yield _address(process, folder)
        finally:
            _stop(process)


def _start(built: Path, folder: Path) -> subprocess.Popen[bytes]:
    classpath = f"{built / 'classes'}{os.pathsep}{built / 'lib'}/*"
    command = [java(), *OPTIONS, f"-Djava.io.tmpdir={folder}", "-cp", classpath]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [*command, "cove.tests.HapiServer", str(folder / "port")],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _address(process: subprocess.Popen[bytes], folder: Path) -> str:
    """Waits until the server has written its port and answers a search."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        port = folder / "port"
        if port.exists() and _answers(base := f"http://127.0.0.1:{port.read_text()}/fhir"):
            return base
        time.sleep(0.2)
    end = "ended" if process.poll() is not None else f"didn't start in {START_SECONDS} s"
    raise RuntimeError(f"the HAPI server {end}:\n{(folder / 'log').read_text(errors='replace')[-3000:]}")


def _answers(base: str) -> bool:
    with suppress(requests.ConnectionError, requests.Timeout):
        return requests.get(f"{base}/Patient", params={"_count": "1"}, timeout=60).ok
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the server and whatever it started: asked first, then killed."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_SECONDS)


def main() -> int:
    """Runs a server until Enter or Ctrl-C, and says where it is."""
    try:
        with running_server() as base:
            sys.stdout.write(f"{base}\nEnter ends it.\n")
            sys.stdout.flush()
            with suppress(KeyboardInterrupt):
                sys.stdin.readline()
    except UnavailableError as error:
        sys.stderr.write(f"{error}\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
