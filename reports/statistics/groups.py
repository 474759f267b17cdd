"""The groups of a study: everybody, each site, the levels of the comparing event and of the subgroups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from studies.bands import bands
from studies.protocol import Protocol, Subgroup

Frames = Mapping[str, pl.DataFrame]
SEXES = ("male", "female", "other", "unknown")
YES_NO = ("yes", "no")


class IncompleteTable(ValueError):  # noqa: N818 - named for what is wrong, as every error of the project
    """A table that lacks what the protocol asks for: the table, a treated person, or a declared level."""


@dataclass(frozen=True)
class Group:
    """Treated persons with the same level of a variable; `variable` is empty for everybody."""

    variable: str
    level: str
    persons: pl.DataFrame

    @property
    def name(self) -> str:
        """As the column `group` has it."""
        return f"{self.variable}={self.level}" if self.variable else "all"

    def of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows of the group's persons."""
        if not self.variable:
            return frame
        return frame.join(self.persons, on="person_id", how="semi")


def table(frames: Frames, name: str) -> pl.DataFrame:
    """A study table. Raises IncompleteTable when it isn't there."""
    if name not in frames:
        raise IncompleteTable(f"the study's table {name} is missing")
    return frames[name]


def person_table(frames: Frames, name: str, *, whole: bool = True) -> pl.DataFrame:
    """A table with one row a treated person: each of them when `whole`, so that no denominator shrinks.

    Raises IncompleteTable on a person twice, one who isn't treated, or when whole one who is missing.
    """
    frame, cohort = table(frames, name), table(frames, "cohort")
    require_treated(frame, cohort, name)
    if frame["person_id"].n_unique() != frame.height:
        raise IncompleteTable(f"the study's table {name} has a person twice")
    if whole and frame.height != cohort.height:
        raise IncompleteTable(f"the study's table {name} lacks a treated person")
    return frame


def require_treated(frame: pl.DataFrame, cohort: pl.DataFrame, name: str) -> None:
    """Raises IncompleteTable when the table has a person who isn't treated."""
    if frame.join(cohort, on="person_id", how="anti").height:
        raise IncompleteTable(f"the study's table {name} has a person who isn't treated")


def require_levels(values: pl.Series, levels: tuple[str, ...], name: str) -> None:
    """Raises IncompleteTable when a value is none of the levels; the message doesn't repeat it."""
    if values.null_count() or not set(values.unique()) <= set(levels):
        raise IncompleteTable(f"{name} has a value that is none of its levels: {', '.join(levels)}")


def everybody(frames: Frames) -> Group:
    """The group `all`."""
    return Group("", "", table(frames, "cohort").select("person_id"))


def study_groups(frames: Frames, protocol: Protocol) -> list[Group]:
    """The groups beside `all`, each declared level included where it has nobody."""
    subgroup = table(frames, "subgroup").join(table(frames, "cohort"), on="person_id", how="semi")
    return [
        _group(subgroup, variable, level)
        for variable, levels in _variables(frames, protocol).items()
        for level in _with_observed(subgroup, variable, levels)
    ]


def study_sites(frames: Frames) -> list[str]:
    """Every site that holds a known person, or sent a file."""
    names = {"attrition", "cohort", "quality_resources"}
    sites = (table(frames, name)["site"].unique().to_list() for name in sorted(names))
    return sorted({site for found in sites for site in found})


def _variables(frames: Frames, protocol: Protocol) -> dict[str, tuple[str, ...]]:
    variables: dict[str, tuple[str, ...]] = {"site": tuple(study_sites(frames))}
    if protocol.survival_by is not None:
        variables[protocol.survival_by.event] = YES_NO
    for name, subgroup in protocol.subgroups.items():
        variables[name] = _declared(subgroup, protocol)
    return variables


def _declared(subgroup: Subgroup, protocol: Protocol) -> tuple[str, ...]:
    if subgroup.cuts:
        return tuple(name for name, *_ in bands(subgroup.cuts))
    return {
        "sex": SEXES,
        "phenotype": (*protocol.baseline.phenotype, "unknown"),
        "regimen": ("combination", "monotherapy"),
        "refractory": ("yes", "no", "missing"),
        "evidence_level": tuple(protocol.population.index_drug.evidence),
    }.get(subgroup.variable, ())


def _with_observed(subgroup: pl.DataFrame, variable: str, declared: tuple[str, ...]) -> list[str]:
    observed = subgroup.filter(pl.col("variable") == variable)["level"].unique().to_list()
    return [*declared, *sorted(set(observed) - set(declared))]


def _group(subgroup: pl.DataFrame, variable: str, level: str) -> Group:
    chosen = (pl.col("variable") == variable) & (pl.col("level") == level)
    return Group(variable, level, subgroup.filter(chosen).select("person_id"))
