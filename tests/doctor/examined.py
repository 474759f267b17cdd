"""What the doctor says of the sites of a bench."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any

from flows.config import read_config
from flows.doctor.doctor import run_doctor
from tests.pulling.pulls import NORTH, Bench, Done

LINE = re.compile(r"(ok|warn|fail) {2,4}(\S+)  ([^:]+): (.+)")


@dataclass(frozen=True)
class Said:
    """The exit code and the lines, the last of which sums up."""

    code: int
    lines: tuple[str, ...]

    def line(self, check: str, site: str = NORTH) -> str:
        """The one line of a check, without the site: `warn: what was found; what to do`."""
        found = [match for line in self.lines if (match := LINE.fullmatch(line))]
        mine = [f"{m[1]}: {m[4]}" for m in found if m[2] == site and m[3] == check]
        assert len(mine) == 1, f"{check}: {self.lines}"
        return mine[0]

    def of(self, verdict: str) -> list[str]:
        """The checks with a verdict."""
        found = [match for line in self.lines if (match := LINE.fullmatch(line))]
        return [match[3] for match in found if match[1] == verdict]


def examined(bench: Bench, *sites: dict[str, Any], name: str | None = None) -> Said:
    """Runs the doctor; every line has its form, and no secret or patient's value is in one."""
    if sites:
        bench.configure(*sites)
    config = read_config(bench.folder / "cove.toml", {})
    stream = io.StringIO()
    code = run_doctor(config, config.home, name, stream)
    bench.check_that_nothing_leaked(Done(code, stream.getvalue(), ""))
    lines = stream.getvalue().splitlines()
    assert all(LINE.fullmatch(line) for line in lines[:-1]), lines
    return Said(code, tuple(lines))
