"""What a home holds, read from its published warehouse and its landing zone, to be compared with the server's."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from tests.servers.hospital import Key, Resource, read_exactly

COVE = Path(sys.executable).with_name("cove")
STUDY = "clofarabine"  # any: what is compared doesn't depend on it
MINUTES = 5

Value = str | int | float | bool | None


@dataclass(frozen=True)
class Home:
    """A folder with a cove.toml of one site, `hospital`, and the home that it names."""

    folder: Path

    @property
    def home(self) -> Path:
        """Where landing and the warehouse are."""
        return self.folder / "home"

    def configure(self, **keys: Any) -> None:
        """Writes cove.toml with these keys of the site."""
        lines = [f'home = "{self.home}"', "", "[[site]]", 'name = "hospital"']
        lines += [f"{key} = {_toml(value)}" for key, value in keys.items()]
        (self.folder / "cove.toml").write_text("\n".join(lines) + "\n")

    def pull(self, *flags: str) -> str:
        """`cove pull`, which must succeed; what it said."""
        return self.cove("pull", "--config", str(self.folder / "cove.toml"), *flags)

    def take(self, *flags: str) -> None:
        """Pulls, loads and builds."""
        self.pull(*flags)
        self.cove("load", "--home", str(self.home))
        self.cove("build", STUDY, "--home", str(self.home))

    def cove(self, *arguments: str) -> str:
        """Runs a command, which must end with 0; what it said."""
        done = subprocess.run(
            [COVE, *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60 * MINUTES,
            check=False,
        )
        assert done.returncode == 0, f"cove {arguments[0]} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def killed_pull(self, seconds: float) -> None:
        """`cove pull`, killed after so long, wherever it is by then."""
        command = [str(COVE), "pull", "--config", str(self.folder / "cove.toml")]
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)

    def received(self) -> int:
        """How many resources were received so far, copies too."""
        return int(self.query("select count(*) from fhir.resource where not is_contained")[0][0])

    def landed_types(self) -> set[str]:
        """Each type of resource that landed, asked for or not, after a load."""
        manifests = (self.home / "landing").glob("*/*.json")
        return {kind for path in manifests for kind in json.loads(path.read_text())["types"]}

    def current(self) -> dict[Key, Resource]:
        """Each current resource as it was received."""
        rows = self.query("select resource_type, resource_id, file, line from current.resource")
        return {(kind, id_): self._line(file, line) for kind, id_, file, line in rows}

    def versions(self) -> dict[tuple[str, str, str], Resource]:
        """Each version that was ever received and mapped: type, id and version → the resource."""
        rows = self.query(
            "select type, id, version, file, line from fhir.resource where status = 'mapped' and not is_contained"
        )
        return {(kind, id_, version): self._line(file, line) for kind, id_, version, file, line in rows}

    def deleted(self) -> set[Key]:
        """Each resource that a deletion was received of."""
        return set(self.query("select type, id from fhir.deletion where id is not null"))

    def mapped(self, view: str, columns: Mapping[str, object]) -> set[tuple[Value, ...]]:
        """The rows of a view that come from current resources: the id, then these columns."""
        names = ", ".join(f'"{name}"' for name in columns)
        return set(self.query(f'select resource_id, {names} from current."{view}"'))

    def fates(self) -> set[tuple[str, int]]:
        """Quarantined resources of the site, by rule: none is expected from a server that validates nothing less."""
        return set(self.query("select rule, count(*) from fhir.quarantine group by rule"))

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the published warehouse."""
        with duckdb.connect(str(self.home / "warehouse.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def _line(self, file: str, line: int) -> Resource:
        return _resources(self.home / "landing" / "hospital" / file)[line - 1]


@cache
def _resources(path: Path) -> list[Resource]:
    """The resources of a landed file, in the order of its lines or entries. Landed files never change."""
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    lines = content.split(b"\n")
    first = read_exactly(lines[0]) if len(lines) == 1 or lines[1:] == [b""] else None
    if first is None and lines[0].strip() == b"{":
        first = read_exactly(content)
    if first is not None and first["resourceType"] == "Bundle":
        return [entry.get("resource", {}) for entry in first.get("entry", [])]
    return [read_exactly(text) if text.strip() else {} for text in lines]


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_toml(each) for each in value)}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_toml(each)}' for key, each in value.items())} }}"
    return f'"{value}"' if isinstance(value, str) else str(value)
