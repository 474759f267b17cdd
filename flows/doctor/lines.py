"""What a check says: one line, with what to do where there is something to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from flows.pull.failures import GOES_ON, SiteFailure, WaitTooLong

Verdict = Literal["ok", "warn", "fail"]

LONGEST = 400  # characters of what was found: a part of it may be a server's


@dataclass(frozen=True)
class Line:
    """A check of a site: `fail` where its pull would fail, `warn` where somebody should know, else `ok`."""

    verdict: Verdict
    check: str
    found: str
    remedy: str = ""

    def text(self, site: str) -> str:
        """`fail  site  check: what was found; what to do`."""
        said = f"{self.found}; {self.remedy}" if self.remedy else self.found
        # Nothing that a server or a file's name says may steer a terminal.
        shown = "".join(character if character.isprintable() else "?" for character in said)
        return f"{self.verdict:<4}  {site}  {self.check}: {shown[: 2 * LONGEST]}"


def ok(check: str, found: str, remedy: str = "") -> Line:
    return Line("ok", check, found, remedy)


def warn(check: str, found: str, remedy: str) -> Line:
    return Line("warn", check, found, remedy)


def fail(check: str, found: str, remedy: str) -> Line:
    return Line("fail", check, found, remedy)


def failed(check: str, failure: SiteFailure) -> Line:
    """The line of a failure of the pull's, without what only a pull would do next."""
    if isinstance(failure, WaitTooLong):
        return fail(
            check,
            f"{failure.step}: the server asks to wait {failure.seconds:.0f} seconds",
            "run `cove doctor` again then; a pull waits as long as `retry.longest` allows",
        )
    step = "" if failure.step == check else f"{failure.step}: "
    return fail(check, f"{step}{failure.happened}", failure.remedy.removesuffix(f"; {GOES_ON}"))


def listed(names: Sequence[str], most: int = 8) -> str:
    """Names with commas; how many more, where they are many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
