"""What the hospitals knew a month earlier: who wasn't there yet, what was wrong, which deaths nobody had reported.

`changes.csv` has one row a person and change. A history says how things were; between the two months only what is
known of it changes, so that late news are told as a hospital tells them: as updates, deletions and new resources.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

from demo.history import History, Measurement, Reaction
from demo.laboratory import value
from demo.plan import FOLDER

Change = Callable[[History], History | None]


def a_month_earlier(histories: Sequence[History]) -> list[History]:
    """The histories as they were known a month before; those that weren't known at all are left out."""
    before: dict[int, list[Change]] = {}
    for person, change in changes():
        before.setdefault(person, []).append(BEFORE[change])
    known = [_known(history, before.get(history.person, ())) for history in histories]
    return [history for history in known if history is not None]


def changes() -> list[tuple[int, str]]:
    """The persons of whom something else was known, and what came to be known of each."""
    with (FOLDER / "changes.csv").open(encoding="utf-8", newline="") as file:
        return [(int(row["person"]), row["change"]) for row in csv.DictReader(file)]


def _known(history: History, before: Sequence[Change]) -> History | None:
    known: History | None = history
    for change in before:
        known = change(known) if known is not None else None
    return known


def _before_enrolment(history: History) -> History | None:
    return None


def _before_death(history: History) -> History:
    """Alive, as far as anybody knows: the stay isn't over, and a fatal event isn't yet."""
    return replace(
        history,
        death=None,
        stays=tuple(stay for stay in history.stays if not stay.has_died),
        reactions=tuple(map(_survived, history.reactions)),
    )


def _survived(reaction: Reaction) -> Reaction:
    return replace(reaction, grade=4, is_fatal=False, ended="") if reaction.is_fatal else reaction


def _before_correction(history: History) -> History:
    """The first transaminase with the decimal point in the wrong place."""
    first = next(row for row in history.measurements if row.concept == "alt")
    wrong = replace(first, value=first.value * Decimal(10))
    return replace(history, measurements=tuple(_swapped(history.measurements, first, wrong)))


def _swapped(rows: Sequence[Measurement], old: Measurement, new: Measurement) -> list[Measurement]:
    return [new if row is old else row for row in rows]


def _before_withdrawal(history: History) -> History:
    """With a value of somebody else's."""
    last = max(row.on for row in history.measurements)
    return replace(history, measurements=(*history.measurements, value("alt", last, 1940)))


BEFORE: dict[str, Change] = {
    "death reported late": _before_death,
    "person enrolled": _before_enrolment,
    "value corrected": _before_correction,
    "value withdrawn": _before_withdrawal,
}
