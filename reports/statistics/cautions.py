"""What a reader must know beside a number: each caution has a name, and its words for the report.

A caution is a row at the number's own place, with the number's method: the statistic is `warning_<name>`, the
text the words, and there is no value. So it travels with the number into every table and file.
"""

from __future__ import annotations

from dataclasses import dataclass

from reports.statistics.rows import WARNING, Place, Row


@dataclass(frozen=True)
class Caution:
    """A name of the kind `few_events`, and what the report prints as a footnote."""

    name: str
    words: str


IMMORTAL_TIME = Caution(
    "immortal_time",
    "Biased, and here only to compare with published figures: who has the later event has lived to have it, and that "
    "time is counted for them (immortal time). Where the true ratio is 1, simulation at 60 persons gives 0.4 to 0.5.",
)
FEW_EVENTS = Caution(
    "few_events",
    "Fewer than 10 events for each parameter of the model: the ratio may be far off, and its limits too narrow.",
)
PENALISED = Caution(
    "penalised",
    "The plain likelihood has no finite maximum. This is the maximum of Firth's penalised likelihood, with "
    "profile limits and the p of the penalised likelihood ratio.",
)
LATE_ENTRY = Caution(
    "late_entry",
    "Persons join this curve at their own event: its first steps rest on very few of them.",
)
REPEATED_EVENTS = Caution(
    "repeated_events",
    "Counts every event. Events of one person depend on each other, which the Poisson limits don't know: they are "
    "too narrow.",
)
MISSING_ONSET = Caution(
    "missing_onset",
    "An event without an onset is put on the first day, where the person's time then ends: the rate is an upper one.",
)
DEATH_BEFORE_TREATMENT = Caution(
    "death_before_treatment",
    "Somebody is recorded as having died before the first dose: one of the two dates is wrong. The person counts among "
    "the deaths; in survival, which begins with the dose, the death is no event, and the person leaves on day 0.",
)
CAUTIONS = {
    caution.name: caution
    for caution in (
        IMMORTAL_TIME,
        FEW_EVENTS,
        PENALISED,
        LATE_ENTRY,
        REPEATED_EVENTS,
        MISSING_ONSET,
        DEATH_BEFORE_TREATMENT,
    )
}


def caution_row(place: Place, caution: Caution, method: str = "") -> Row:
    """The row that carries a caution at a number's place."""
    return place.row(f"{WARNING}{caution.name}", None, caution.words, method)
