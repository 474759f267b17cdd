"""The clock of a pull: given to it, so that it reads none itself."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from flows.pull.failures import GOES_ON, SiteFailure


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class Clock:
    """`now` gives instants in UTC, `monotonic` seconds that never jump; `sleep` waits for seconds.

    `stopped` is set when the run is interrupted: whoever waits, or is about to ask for more, then ends.
    """

    now: Callable[[], dt.datetime] = _now
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    stopped: threading.Event = field(default_factory=threading.Event)

    def wait(self, seconds: float) -> None:
        """Waits for seconds. Raises SiteFailure as soon as the run is interrupted."""
        if self.sleep is time.sleep:
            self.stopped.wait(seconds)
        else:
            self.sleep(seconds)
        self.check()

    def check(self) -> None:
        """Raises SiteFailure where the run was interrupted."""
        if self.stopped.is_set():
            raise SiteFailure("stopped", "the run was interrupted", GOES_ON)
