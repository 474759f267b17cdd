"""Flaky nights: what goes wrong at which hospital in which night, once each, and how it is told."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from demo.server.messages import Answer, Asked, refusal

What = Literal["busy", "cut", "token ends"]


@dataclass(frozen=True)
class Trouble:
    """What goes wrong when a path is asked for the `nth` time in a night (of any paths that match)."""

    hospital: str
    night: int
    path: str
    what: What
    nth: int = 1


TROUBLES = (
    Trouble("hospital-a", 1, r"/export/\d+/Observation\.ndjson", "cut"),
    Trouble("hospital-b", 1, r"/export/\d+/\w+\.ndjson", "token ends", nth=5),
    Trouble("hospital-d", 1, r"/Observation", "busy"),
    Trouble("hospital-f", 2, r"/Condition", "busy"),
)


class Troubles:
    """The troubles of one hospital, which strike once each; `tell` says what happened, and how it went on."""

    def __init__(self, hospital: str, tell: Callable[[str], None]) -> None:
        self._hospital, self._tell = hospital, tell
        self._asked = {trouble: 0 for trouble in TROUBLES if trouble.hospital == hospital}
        self._waiting: dict[str, str] = {}
        self._lock = threading.Lock()

    def strike(self, night: int, asked: Asked, answer: Answer, end_tokens: Callable[[], None]) -> Answer:
        """The answer, or what becomes of it."""
        with self._lock:
            for trouble in self._asked:
                if trouble.night == night and re.fullmatch(trouble.path, asked.path) and answer.status < 400:
                    self._asked[trouble] += 1
                    if self._asked[trouble] == trouble.nth:
                        return self._struck(trouble.what, asked, answer, end_tokens)
            if (recovered := self._waiting.get(asked.path)) and answer.status < 400:
                self._say(recovered + (f", from byte {_begins(asked)} on" if answer.status == 206 else ""))
                del self._waiting[asked.path]
        return answer

    def _struck(self, what: What, asked: Asked, answer: Answer, end_tokens: Callable[[], None]) -> Answer:
        name = asked.path.rpartition("/")[2]
        if what == "busy":
            self._say(f"is busy: 503 to the search of {name}, Retry-After 1 s")
            self._waiting[asked.path] = f"answers the search of {name}, asked again"
            return replace(refusal(503, "busy"), headers={"Retry-After": "1"})
        if what == "cut":
            self._say(f"loses the connection in the middle of {name}")
            self._waiting[asked.path] = f"sends the rest of {name}"
            return replace(answer, cut_at=len(answer.body) // 2)
        end_tokens()
        self._say(f"ends the token before it sends {name}: 401")
        self._waiting[asked.path] = f"sends {name}, asked for with a new token"
        return refusal(401, "the token has ended")

    def _say(self, text: str) -> None:
        self._tell(f"{self._hospital}'s server {text}")


def _begins(asked: Asked) -> str:
    return asked.headers.get("range", "").removeprefix("bytes=").removesuffix("-")
