"""The rules of clinical.md §2-§6 read a second time, in plain Python over day numbers: small, slow, and shares no code.

A history holds whole days from one origin; the oracle says what the study's tables must hold of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

LEVELS = ("administered", "dispensed", "stated", "ordered")
BEST = ("CR", "CRp", "PR", "NR", "NE")


@dataclass
class History:
    """What happened to one person. Days count from the origin; a value is (day, number) or (day, truth)."""

    diagnosed: int | None = None
    doses: list[tuple[str, str, int]] = field(default_factory=list)  # drug, level, day; counted ones only
    marrow: list[tuple[int, float]] = field(default_factory=list)
    anc: list[tuple[int, float]] = field(default_factory=list)
    platelets: list[tuple[int, float]] = field(default_factory=list)
    blood: list[tuple[int, float]] = field(default_factory=list)
    outside: list[tuple[int, bool]] = field(default_factory=list)
    relapses: list[int] = field(default_factory=list)
    transfusions: list[int] = field(default_factory=list)
    transplants: list[int] = field(default_factory=list)
    visits: list[tuple[int, int | None]] = field(default_factory=list)
    reactions: list[int | None] = field(default_factory=list)
    died: int | None = None


@dataclass(frozen=True)
class Reading:
    """What the study says of a treated person; each endpoint is (days, 0 censored | 1 event | 2 competing)."""

    regimen: str
    level: str
    cycles: int
    best: str
    emergent: int
    death_class: str | None
    endpoints: dict[str, tuple[int, int]]


def read(history: History, cutoff: int) -> Reading | None:
    """None for a person who isn't treated in the study."""
    doses = {drug: _best_doses(history, drug, cutoff) for drug in ("index", "other")}
    level, days = doses["index"]
    if not days or history.diagnosed is None or history.diagnosed > min(days[0] + 30, cutoff):
        return None
    index, last = days[0], days[-1]
    others = doses["other"][1]
    therapy = min((day for day in others if day > last + 7), default=None)
    death = history.died if history.died is not None and history.died <= cutoff else None
    transplant = min((day for day in history.transplants if index <= day <= cutoff), default=None)
    marrow = _highest([one for one in history.marrow if one[0] <= cutoff])
    ends = [day for day in (transplant, therapy) if day is not None]
    assessed = [day for day in marrow if index < day and all(day < end for end in ends)]
    responses = {day: _response(history, marrow, day, index, cutoff) for day in assessed}
    remission = min((day for day, found in responses.items() if found in ("CR", "CRp")), default=None)
    emergent = [on for on in history.reactions if on is None or index <= on <= min(last + 30, cutoff)]
    return Reading(
        regimen="combination" if any(index - 7 <= day <= last + 7 for day in others) else "monotherapy",
        level=level,
        cycles=1 + sum(later - earlier >= 7 for earlier, later in pairwise(days)),
        best=min(responses.values(), key=BEST.index, default="NE"),
        emergent=len(emergent),
        death_class=_death_class(death, transplant, last),
        endpoints=_endpoints(history, cutoff, index, death, transplant, therapy, marrow, remission),
    )


def _best_doses(history: History, drug: str, cutoff: int) -> tuple[str, list[int]]:
    for level in LEVELS:
        days = sorted({d for which, of, d in history.doses if (which, of) == (drug, level) and d <= cutoff})
        if days:
            return level, days
    return "", []


def _highest(values: Sequence[tuple[int, float]]) -> dict[int, float]:
    return {day: max(value for other, value in values if other == day) for day, _ in values}


def _paired(values: Sequence[tuple[int, float]], day: int, cutoff: int) -> tuple[int, float] | None:
    near = [one for one in _highest(values).items() if abs(one[0] - day) <= 7 and one[0] <= cutoff]
    return min(near, key=lambda one: (abs(one[0] - day), -one[0]), default=None)


def _response(history: History, marrow: dict[int, float], day: int, index: int, cutoff: int) -> str:
    blasts = marrow[day]
    anc, count = _paired(history.anc, day, cutoff), _paired(history.platelets, day, cutoff)
    blood = _paired(history.blood, day, cutoff)
    known = [(on, truth) for on, truth in history.outside if on <= day]
    is_outside = max(known, key=lambda one: (one[0], one[1]))[1] if known else False
    counted = count[0] if count else day
    transfused = any(0 <= counted - on <= 7 and on <= cutoff for on in history.transfusions)
    before = [on for on in marrow if on <= index]
    baseline = marrow[max(before)] if before else None
    if (blood and blood[1] > 0) or is_outside or (anc and anc[1] < 1.0):
        return "NR"
    if blasts < 5:
        if anc is None:
            return "NE"
        if transfused:
            return "CRp"
        return "NE" if count is None else "CR" if count[1] >= 100 else "CRp"
    if blasts > 25 or (baseline is not None and blasts > baseline / 2):
        return "NR"
    return "NE" if anc is None or baseline is None else "PR"


def _death_class(death: int | None, transplant: int | None, last: int) -> str | None:
    if death is None:
        return None
    if transplant is not None and transplant <= death:
        return "after_hsct"
    return "within_30_days" if death <= last + 30 else "later"


def _endpoints(
    history: History,
    cutoff: int,
    index: int,
    death: int | None,
    transplant: int | None,
    therapy: int | None,
    marrow: dict[int, float],
    remission: int | None,
) -> dict[str, tuple[int, int]]:
    contact = max(index, _last_contact(history, cutoff if death is None else min(cutoff, death), index))
    found = {
        "overall_survival": _ended(index, [(death, 1)], contact),
        "remission_incidence": _ended(index, [(remission, 1), (death, 2)], contact),
        "hsct_incidence": _ended(index, [(transplant, 1), (death, 2)], contact),
    }
    relapse = failure = None
    if remission is not None:
        signs = [day for day, blasts in marrow.items() if blasts >= 25]
        signs += [day for day, truth in history.outside if truth] + history.relapses
        relapse = min((day for day in signs if remission < day <= cutoff), default=None)
    if (remission is None or remission > index + 84) and max(contact, death or contact) >= index + 84:
        failure = index + 84
    assessed = max([*marrow, remission or index])
    censored = contact if remission is None else assessed
    found["event_free_survival"] = _ended(index, [(death, 1), (relapse, 1), (failure, 1)], censored)
    if remission is not None:
        found["time_to_remission"] = (remission - index, 1)
        ends = [(relapse, 1), (death, 1)]
        found["duration_of_remission"] = _ended(remission, ends, assessed)
        for name, stop in (("at_hsct", transplant), ("at_new_therapy", therapy)):
            stopped = stop if stop is not None and stop < assessed else None
            found[f"duration_of_remission.{name}"] = _ended(remission, [*ends, (stopped, 0)], assessed)
    return found


def _ended(start: int, ends: Sequence[tuple[int | None, int]], censored: int) -> tuple[int, int]:
    """The earliest end on or after the start; on one day an event before a competing one before a stop."""
    order = {1: 0, 2: 1, 0: 2}
    dated = [(day, order[kind], kind) for day, kind in ends if day is not None and day >= start]
    if not dated:
        return (max(censored, start) - start, 0)
    day, _, kind = min(dated)
    return (day - start, kind)


def _last_contact(history: History, until: int, index: int) -> int:
    days = [on for _, level, on in history.doses if level in ("administered", "dispensed")]
    values = (history.marrow, history.anc, history.platelets, history.blood, history.outside)
    days += [on for kind in values for on, _ in kind] + history.relapses
    days += history.transfusions + history.transplants + [on for on in history.reactions if on is not None]
    days += [end if end is not None and end <= until else start for start, end in history.visits]
    return max((day for day in days if day <= until), default=index)
