"""A bench for pulls: writes cove.toml, runs the command, reads what it left in the home."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.pulling.authorization import BEARER, CLIENT, PASSWORD, USER, new_key
from tests.pulling.commands import Running, start, start_anew
from tests.pulling.hospital import PATIENT_VALUES
from tests.pulling.server import Server

NORTH = "north"
TYPES = ("Patient", "Observation")
# Small waits, so that a night passes in a second; and time enough to answer on a machine that is busy.
RETRY: dict[str, Any] = {"attempts": 3, "wait": 0.05, "longest": 5}
TIMEOUT: dict[str, Any] = {"connect": 15, "read": 15, "export": 90}
SECRETS = {"NIGHT_TOKEN": BEARER, "NIGHT_USER": USER, "NIGHT_PASSWORD": PASSWORD}


@dataclass(frozen=True)
class Done:
    """What a command ended with."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err

    def failure_of(self, site: str) -> str:
        """The one line that says what went wrong at the site; fails where there is none, or more."""
        lines = [line for line in self.err.splitlines() if re.match(rf"\s*(failed|problem): {site}: ", line)]
        assert len(lines) == 1, self.text
        return lines[0]


@dataclass(frozen=True)
class Bench:
    """A folder with a configuration, a home, and the servers that its sites are pulled from."""

    folder: Path
    servers: list[Server] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def landing(self) -> Path:
        return self.home / "landing"

    def configure(self, *sites: dict[str, Any], home: Path | None = None) -> None:
        """Writes cove.toml."""
        lines = [f"home = {_toml(str(home or self.home))}"]
        for site in sites:
            lines += ["", "[[site]]", *(f"{key} = {_toml(value)}" for key, value in site.items())]
        (self.folder / "cove.toml").write_text("\n".join(lines) + "\n")

    def popen(self, *arguments: str | Path, **environment: str) -> Running:
        """The command, started."""
        return start([str(one) for one in arguments], self.folder, _environment() | environment)

    def cove(self, *arguments: str | Path, **environment: str) -> Done:
        """The command, done; what it said is free of secrets and patients' values."""
        with self.popen(*arguments, **environment) as process:
            try:
                out, err = process.communicate(timeout=120)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        done = Done(process.returncode, out, err)
        self.check_that_nothing_leaked(done)
        return done

    def pull(self, *flags: str) -> Done:
        """`cove pull`; afterwards each file in landing is whole, or ends in `.part`."""
        done = self.cove("pull", "--config", "cove.toml", *flags)
        self.check_landing()
        return done

    def pull_watched(self) -> tuple[Done, int]:
        """`cove pull` as it is installed, and the most memory that it had, in kilobytes."""
        most = 0
        with (self.folder / "said").open("w") as said:
            process = start_anew(["pull", "--config", "cove.toml"], self.folder, _environment(), said)
            while process.poll() is None:
                most = max(most, _most_memory(process.pid))
                time.sleep(0.02)
        self.check_landing()
        return Done(process.returncode, "", (self.folder / "said").read_text()), most

    def check_landing(self, home: Path | None = None) -> None:
        """Every landed file has the content that its name says; what else is there ends in `.part`."""
        landing = (home or self.home) / "landing"
        for path in landing.rglob("*") if landing.exists() else ():
            if path.is_dir() or path.name.endswith(".part"):
                continue
            assert path.stat().st_mode & 0o077 == 0, "others than the owner can read it"
            if path.suffix == ".json":
                told = json.loads(path.read_bytes().decode(errors="surrogateescape"))
                assert told["sha256"] == path.stem
                assert path.with_suffix("").stat().st_size == told["bytes"]
            else:
                assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name, "a file isn't whole"

    def check_that_nothing_leaked(self, done: Done) -> None:
        """No secret anywhere, and no patient's value but in what was received and what was made of it."""
        hidden = [secret for server in self.servers for secret in server.authorization.secrets]
        hidden += [BEARER, PASSWORD]
        state = [path for path in self.home.glob("*") if path.is_file() and path.suffix != ".duckdb"]
        state += [
            path for part in ("pulls", "runs") for path in (self.home / part).rglob("*") if path.is_file()
        ]
        texts = [done.out.encode(), done.err.encode(), *(path.read_bytes() for path in state)]
        for text in texts:
            assert not any(secret.encode() in text for secret in hidden), "a secret is to be seen"
            assert not any(value.encode() in text for value in PATIENT_VALUES), (
                "a patient's value is to be seen"
            )

    def landed_files(self, site: str = NORTH, home: Path | None = None) -> list[bytes]:
        """The content of each landed file, unpacked where it is gzip."""
        folder = (home or self.home) / "landing" / site
        paths = [path for path in sorted(folder.glob("*")) if path.suffix not in (".json", ".part")]
        contents = [path.read_bytes() for path in paths if not path.name.startswith(".")]
        return [_unpacked(text) for text in contents]

    def landed(self, site: str = NORTH, home: Path | None = None) -> set[str]:
        """Each resource that landed: `Patient/p1/2` is its second version."""
        return {
            f"{each['resourceType']}/{each['id']}/{each['meta']['versionId']}"
            for each in self.resources(site, home)
            if each["resourceType"] not in ("OperationOutcome", "Bundle")
        }

    def resources(self, site: str = NORTH, home: Path | None = None) -> list[dict[str, Any]]:
        """All that landed, with what is in bundles; the bundles themselves, too."""
        found: list[dict[str, Any]] = []
        for content in self.landed_files(site, home):
            found += _with_entries(_documents(content))
        return found


def site(server: Server, source: str = "bulk", name: str = NORTH, **more: Any) -> dict[str, Any]:
    """A site of cove.toml, with small waits."""
    fields = {"name": name, "source": source, "url": server.url, "types": list(TYPES)}
    return {**fields, "retry": RETRY, "timeout": TIMEOUT, **more}


def smart(bench: Bench, server: Server, algorithm: str = "ES384", **more: Any) -> dict[str, Any]:
    """The options of SMART Backend Services, with a new key that the server knows."""
    key = new_key(algorithm)
    server.authorization.kind = "smart"
    server.authorization.keys.append(key)
    path = key.write_jwk(bench.folder / f"{key.id}.jwk")
    return {"auth": "smart", "client_id": CLIENT, "private_key": f"file:{path}", **more}


def expected(server: Server) -> set[str]:
    """Each resource that the hospital has now, as `Bench.landed` names them."""
    return {f"{v.type}/{v.id}/{v.number}" for v in server.hospital.current(server.now())}


@contextlib.contextmanager
def served(*servers: Server) -> Iterator[None]:
    """Starts the servers, and stops them at the end."""
    for server in servers:
        server.start()
    try:
        yield
    finally:
        with ThreadPoolExecutor(len(servers)) as pool:
            list(pool.map(Server.stop, servers))


def _most_memory(pid: int) -> int:
    """The most memory that a process had, in kilobytes, 0 when it has ended.

    Not from `wait4`: there, what this process had when it started the other counts too.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)


def _unpacked(content: bytes) -> bytes:
    return _unpacked(gzip.decompress(content)) if content.startswith(b"\x1f\x8b") else content


def _documents(content: bytes) -> list[dict[str, Any]]:
    try:
        return [json.loads(content)]
    except json.JSONDecodeError:
        return [json.loads(line) for line in content.splitlines() if line.strip()]


def _with_entries(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for document in documents:
        inside = [entry["resource"] for entry in document.get("entry", []) if "resource" in entry]
        found += [document, *_with_entries(inside)]
    return found


def _environment() -> dict[str, str]:
    kept = {
        k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and not k.startswith("COVE_")
    }
    return kept | SECRETS


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False)
