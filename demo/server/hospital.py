"""One hospital's server: which of its parts answers a request, and what a flaky night makes of the answer."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from datetime import datetime

from demo.server.exports import GROUP, Exports
from demo.server.holdings import FIRST_NIGHT, SECOND_NIGHT, Holding
from demo.server.messages import Answer, Asked, refusal
from demo.server.searches import history, search
from demo.server.tokens import Tokens
from demo.server.troubles import Troubles

# A type, its history, or that of all types.
READ = re.compile(r"/(?P<kind>[A-Z][A-Za-z]+)|(?:/(?P<of>[A-Z][A-Za-z]+))?/(?P<history>_history)")
NIGHTS = {1: FIRST_NIGHT, 2: SECOND_NIGHT}


@dataclass
class Hospital:
    """What one hospital offers: exports, by a token, or searches. `known_as` is the address in its Bundles."""

    holding: Holding
    known_as: str
    troubles: Troubles
    exports: Exports | None = None
    tokens: Tokens | None = None
    has_history: bool = False
    knows_last_updated: bool = True
    night: int = 1

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    @property
    def now(self) -> datetime:
        """The hospital's clock, which stands still in a night."""
        return NIGHTS[self.night]

    def answer(self, asked: Asked) -> Answer:
        """The answer to a request."""
        with self._lock:
            if self.tokens is not None and asked.path == "/.well-known/smart-configuration":
                return self.tokens.configuration()
            if self.tokens is not None and (asked.method, asked.path) == ("POST", "/token"):
                return self.tokens.token(asked)
            refused = self.tokens.refuses(asked) if self.tokens else None
            return self.troubles.strike(self.night, asked, refused or self._given(asked), self._end_tokens)

    def _end_tokens(self) -> None:
        if self.tokens is not None:
            self.tokens.end_all()

    def _given(self, asked: Asked) -> Answer:
        if self.exports is not None:
            return self._exported(self.exports, asked)
        if asked.method != "GET":
            return refusal(405, "this server is only read")
        found = READ.fullmatch(asked.path)
        if found is None:
            return refusal(404, "nothing is here")
        if found["history"]:
            return self._history(found["of"], asked)
        if asked.values("_lastUpdated") and not self.knows_last_updated:
            return refusal(400, "this server doesn't know `_lastUpdated`")
        return search(self.holding, self.known_as, found["kind"], asked, self.now)

    def _exported(self, exports: Exports, asked: Asked) -> Answer:
        if asked.path.endswith("/$export"):
            return exports.start(asked, self.now)
        if asked.path == f"/Group/{GROUP}":
            return exports.group(self.now)
        return exports.answer(asked)

    def _history(self, kind: str | None, asked: Asked) -> Answer:
        if not self.has_history:
            return refusal(405, "this server keeps no history")
        return history(self.holding, self.known_as, kind, asked, self.now)
