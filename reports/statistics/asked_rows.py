"""Whether the results are those that the protocol asks for: no row missing, and none that nobody declared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from reports.statistics.asked_analyses import (
    Rows,
    at_levels,
    group_analyses,
    overall_analyses,
    site_analyses,
)
from reports.statistics.incidence import analysis_of
from reports.statistics.time_to_event import endpoint_names
from studies.protocol import Protocol
from studies.variations import varied_protocol
from studies.varied_analyses import given_again, varied_analyses

Key = tuple[str, str, str, str, str]  # analysis, group, level, statistic, method
# Rows whose levels the data give, and those beside the ones asked for: analysis → its statistics, at any level.
DECLARED = {
    r"response\.not_evaluable|quality\.(?:quarantine|finding|unit|imputed_dates|pull)": {"n"},
    r"lab\.shift|teae\.soc_grade": {"n", "percent"},
    r"teae\.(?:soc|pt|common|pt\.grade_3_plus|pt\.serious|pt\.related)": {"n", "percent", "events"},
    r"control\.balance": {"study", "control", "smd"},
    r"control\.weights": {"n", "largest"},
    r"gray\.[a-z0-9_]+": {"n", "events", "incidence", "ci_low", "ci_high", "at_risk"},
    r"cause_specific\.[a-z0-9_]+(?:\.competing)?": {"n", "events", "hr", "ci_low", "ci_high", "p"},
}
WARNING, FIRTH, TREATED = "warning_", "firth", "treated"


class UnaskedResults(ValueError):  # noqa: N818 - named for what is wrong, as every error of the project
    """A row that the protocol asks for is missing, or one is there that nobody declared: a wrong program."""


def require_asked_rows(
    results: pl.DataFrame,
    protocol: Protocol,
    *,
    sites: Sequence[str],
    groups: Sequence[str],
    named: Mapping[str, Iterable[str]],
) -> None:
    """Raises UnaskedResults, which names the first such row, when the results aren't those asked for.

    `sites` are the study's, `groups` those beside `all` (each site among them), `named` the levels that records give
    to an analysis, which has every statistic at each.
    """
    found = set(results.select("analysis", "group", "level", "statistic", "method").rows())
    asked = asked_rows(protocol, sites=sites, groups=groups, named=named)
    for key in sorted(asked - found):
        raise UnaskedResults(f"the results lack a row that the protocol asks for: {_shown(key)}")
    varies = {one.analysis: one.varies for one in varied_analyses(protocol)}
    populations = _populations(protocol)
    for analysis, population in results.select("analysis", "population").unique().sort("analysis").rows():
        if population != populations.get(analysis, TREATED):
            raise UnaskedResults(f"the results have rows of {analysis} in another population: {population}")
    further = sorted(key for key in found - asked if not _is_declared(key, asked, varies))
    for analysis, _, _, statistic, method in further:
        # Its group and level may be texts of a source.
        where = f"{analysis}: {statistic}{f' ({method})' if method else ''}"
        raise UnaskedResults(f"the results have a row that isn't declared: {where}")


def asked_rows(
    protocol: Protocol,
    *,
    sites: Sequence[str],
    groups: Sequence[str],
    named: Mapping[str, Iterable[str]],
) -> set[Key]:
    """Every row that the protocol asks for, of these sites, groups and named levels."""
    everywhere, of_sites = group_analyses(protocol), site_analyses(protocol)
    everybody = {**everywhere, **of_sites, **overall_analyses(protocol)}
    if protocol.safety is not None:
        everybody |= {a: at_levels(levels, ("n", "percent", "events")) for a, levels in named.items()}
    asked = _keys(everybody, ["all"]) | _keys(everywhere, groups)
    asked |= _keys(of_sites, [f"site={site}" for site in sites])
    for name, variation in protocol.sensitivity.items():
        rules = varied_protocol(protocol, name)
        given = group_analyses(rules) | overall_analyses(rules)
        varied = {analysis: given[varies] for varies, analysis in given_again(protocol, name).items()}
        parts = ["all"] if variation.leave_out is None else [f"without_site={site}" for site in sites]
        asked |= _keys(varied, parts)
    return asked


def _populations(protocol: Protocol) -> dict[str, str]:
    """The analyses that are of a population that the protocol, or a variation of its rules, names for them; all others
    are of the treated.
    """
    found = _own_populations(protocol)
    for name in protocol.sensitivity:
        named = _own_populations(varied_protocol(protocol, name))
        again = given_again(protocol, name).items()
        found |= {analysis: named.get(varies, TREATED) for varies, analysis in again}
    return found


def _own_populations(protocol: Protocol) -> dict[str, str]:
    found = {
        analysis: endpoint.population
        for name, endpoint in protocol.endpoints.items()
        for analysis in endpoint_names(name, endpoint)
    }
    found |= {analysis_of(name): incidence.population for name, incidence in protocol.incidences.items()}
    for name, comparison in protocol.comparisons.items():
        named = (f"gray.{name}", f"cause_specific.{name}", f"cause_specific.{name}.competing")
        found |= dict.fromkeys(named, found[analysis_of(comparison.incidence)])
    return found


def _keys(analyses: Mapping[str, Rows], groups: Iterable[str]) -> set[Key]:
    return {
        (analysis, group, *row) for group in groups for analysis, rows in analyses.items() for row in rows
    }


def _is_declared(key: Key, asked: set[Key], varies: Mapping[str, str]) -> bool:
    analysis, group, level, statistic, method = key
    if statistic.startswith(WARNING):
        return True
    if method == FIRTH and (analysis, group, level, statistic, "efron") in asked:
        return True
    # A sensitivity analysis may have what the one has that it gives again.
    plain = varies.get(analysis, analysis)
    return any(
        statistic in statistics and re.fullmatch(pattern, plain) for pattern, statistics in DECLARED.items()
    )


def _shown(key: Key) -> str:
    analysis, group, level, statistic, method = key
    return f"{analysis}{f' {level}' if level else ''}, {group}: {statistic}{f' ({method})' if method else ''}"
