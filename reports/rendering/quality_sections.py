"""Section D: what became of each resource received, what was quarantined and why; imputed and contradictory dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reports.rendering.section import TREATED, Section, Source
from reports.rendering.tables import Ask, Column, Line, Table, plain_table, results_table
from reports.rendering.words import group_words

LISTED = 200
ACCOUNT = "Received = mapped + quarantined + superseded + not asked for, checked for each file in each run."

CONTRADICTIONS = (
    "A birth after the first dose or the diagnosis gives no age there: the age is missing.",
    "A death before the first dose counts as a death, and is no event of any time that begins with the dose: the "
    "person leaves it on day 0.",
    "A record after the death is used as it is dated, except that follow-up ends with the death. Where the death has "
    "a partial date, the day that was taken may be too early.",
)


def quality_section(
    source: Source,
    quarantined: Sequence[tuple[object, ...]],
    pulled: Sequence[tuple[object, ...]] = (),
) -> Section:
    """`quarantined` has site, rule, file and line of each resource that couldn't be read; `pulled` each site's
    source, last complete pull, newest pull's end, and how deletions are seen.
    """
    return Section(
        "D",
        "Data quality and accounting",
        (
            *_pulls(source, pulled),
            _resources(source),
            _by_rule(source, "quality.quarantine", "D.2a", "Quarantined, by rule and site"),
            *_quarantine(quarantined),
            _by_rule(source, "quality.finding", "D.2c", "Findings in what was mapped, by rule and site"),
            *_left_out(source),
            *_units(source),
            _imputed(source),
            _contradictory(source),
        ),
    )


def _pulls(source: Source, pulled: Sequence[tuple[object, ...]]) -> list[Table]:
    """Nothing where no site was pulled from."""
    if not pulled:
        return []
    columns = ("Site", "Source", "Last pulled completely", "Newest pull", "Deletions")
    listing = plain_table("D.0a", "Sites that were pulled from", columns, pulled)
    counted = results_table(
        source.results,
        "D.0b",
        "Pulled, and stale",
        source.lines("quality.pull"),
        [Column("n", Ask(show=("n",)))],
    )
    stale = "Of a stale site, what changed since its last complete pull may be missing."
    unseen = "Where deletions aren't seen, what the site deleted is still counted."
    return [
        replace(listing, notes=(stale, unseen)),
        replace(counted, head="Sites", population="every site that was pulled from"),
    ]


def _resources(source: Source) -> Table:
    columns = [
        Column(source.level(level), Ask(level=level, show=("n",)))
        for level in source.levels("quality.resources")
    ]
    lines = [
        Line(
            "All sites" if group == "all" else group_words(group),
            Ask(analysis="quality.resources", group=group),
        )
        for group in (*source.results.groups("site"), "all")
    ]
    made = results_table(source.results, "D.1", "Resources received, by site", lines, columns)
    return replace(
        made,
        head="Site",
        population="every resource received, whoever it is about",
        notes=(
            ACCOUNT,
            "Superseded: an older version, or a copy, of a resource that was mapped. Not asked for: of a type that "
            "nothing here reads.",
        ),
    )


def _by_rule(source: Source, analysis: str, number: str, title: str) -> Table:
    """How many resources break each rule: all, and by site. Sites are lines: there may be many."""
    groups = ["all", *source.results.groups("site")]
    lines = [
        line
        for rule in source.levels(analysis)
        for line in (Line(rule), *(_counted(analysis, rule, group) for group in groups))
    ]
    made = results_table(source.results, number, title, lines, [Column("n", Ask(show=("n",)))])
    return replace(made, head="Rule and site", population="every resource received, whoever it is about")


def _left_out(source: Source) -> list[Table]:
    """What the study doesn't use; nothing where its protocol calls no rule fatal."""
    if not source.protocol.quality.fatal_rules:
        return []
    made = _by_rule(
        source, "quality.left_out", "D.2d", "Resources that this study doesn't use, by fatal rule and site"
    )
    return [
        replace(
            made,
            population="every resource of the persons with a record of an index drug",
            notes=("A record of a drug goes with the Medication that it means.",),
        )
    ]


def _units(source: Source) -> list[Table]:
    if not source.levels("quality.unit"):
        return []
    title = "Values in units that can't be converted, by unit and site"
    made = _by_rule(source, "quality.unit", "D.2e", title)
    return [
        replace(
            made,
            head="Codelist, unit as written, and site",
            population="every value of a codelist, whoever it is about",
            notes=("They are kept as written, and not used.",),
        )
    ]


def _counted(analysis: str, rule: str, group: str) -> Line:
    label = "All sites" if group == "all" else group_words(group)
    return Line(label, Ask(analysis=analysis, level=rule, group=group))


def _quarantine(quarantined: Sequence[tuple[object, ...]]) -> list[Table]:
    """The first lines of the listing, with a sentence on the others."""
    if not quarantined:
        return []
    listing = plain_table(
        "D.2b", "Quarantined, each", ("Site", "Rule", "File (sha256)", "Line"), quarantined[:LISTED]
    )
    more = len(quarantined) - LISTED
    said = (
        f"The first {LISTED} are listed; {more} more stand in the warehouse, in quality.quarantine."
        if more > 0
        else "All are listed."
    )
    where = "The lines themselves stay in landing; no value of one is printed here."
    return [
        replace(listing, notes=(said, where), is_long=True),
    ]


def _imputed(source: Source) -> Table:
    made = results_table(
        source.results,
        "D.3",
        "Persons with an imputed date",
        source.lines("quality.imputed_dates"),
        [Column("n", Ask(show=("n",)))],
    )
    return replace(
        made,
        head="Date of",
        population=TREATED,
        size=source.treated,
        method=f"at the {source.protocol.dates.impute} of the period",
        notes=(
            "Deaths here include those without any date. A missing onset of an adverse event is not imputed.",
        ),
    )


def _contradictory(source: Source) -> Table:
    made = results_table(
        source.results,
        "D.4",
        "Persons with two dates that, as the study takes them, can't both be right",
        source.lines("quality.contradictory_dates"),
        [Column("n", Ask(show=("n",)))],
    )
    return replace(made, head="Dates", population=TREATED, size=source.treated, notes=CONTRADICTIONS)
