"""Opens the servers of the hospitals that have one: two export in bulk, three are searched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from demo.history import History
from demo.hospitals import held, hospital_name, noise, of_hospital
from demo.hospitals.dialect import BASE
from demo.server.exports import Exports
from demo.server.holdings import holding
from demo.server.hospital import Hospital
from demo.server.listening import Listener
from demo.server.tokens import Tokens
from demo.server.troubles import Troubles

BY_EXPORT, BY_SEARCH = ("a", "b"), ("d", "e", "f")
GZIPPED, WITH_HISTORY, WITHOUT_LAST_UPDATED = "b", "d", "e"
BROKEN: dict[str, dict[str, tuple[str, ...]]] = {"a": {"Observation": noise.BROKEN_LINES}}


def open_hospitals(
    listener: Listener,
    earlier: Sequence[History],
    current: Sequence[History],
    *,
    keys: Mapping[str, dict[str, Any]],
    clock: Callable[[], datetime],
    new_token: Callable[[], str],
    tell: Callable[[str], None],
) -> None:
    """Puts the hospitals at the listener, at their first night. `keys` has the client's JWKS by hospital."""
    for letter in (*BY_EXPORT, *BY_SEARCH):
        name, base = hospital_name(letter), listener.base(hospital_name(letter))
        held_by = holding(
            held(letter, of_hospital(letter, earlier)), held(letter, of_hospital(letter, current))
        )
        exports = Exports(held_by, base, is_gzipped=letter == GZIPPED, broken=BROKEN.get(letter, {}))
        is_by_export = letter in BY_EXPORT
        listener.hospitals[name] = Hospital(
            held_by,
            BASE.format(letter=letter),
            Troubles(name, tell),
            exports=exports if is_by_export else None,
            tokens=Tokens(f"{base}/token", keys[name], clock, new_token) if is_by_export else None,
            has_history=letter == WITH_HISTORY,
            knows_last_updated=letter != WITHOUT_LAST_UPDATED,
        )


def exporting_hospitals() -> list[str]:
    """The names of the hospitals that ask for a token."""
    return [hospital_name(letter) for letter in BY_EXPORT]
