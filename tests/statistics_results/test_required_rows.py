"""A row that the protocol asks for and the results lack is an error, and so is one that nobody declared."""

from __future__ import annotations

import polars as pl
import pytest

from reports.statistics.asked_rows import UnaskedResults, asked_rows, require_asked_rows
from reports.statistics.results import estimate_results
from studies.protocol import Protocol, Variation
from studies.reading import load_study
from tests.statistics_results.asked_rows import asked_of_all, asked_of_groups, asked_of_sites
from tests.statistics_results.drawn_study import drawn_frames, reference_protocol

SITES = ["north", "south", "west"]
GROUPS = [*(f"site={site}" for site in SITES), "hsct=yes", "hsct=no"]
SOCS, PTS = ("Infections", "Cardiac"), ("Sepsis", "Mycosis", "Arrest")
NAMED = {"teae.soc": SOCS, "teae.pt": PTS}


@pytest.fixture(scope="module")
def results() -> pl.DataFrame:
    return estimate_results(drawn_frames(), reference_protocol())


def require(results: pl.DataFrame, protocol: Protocol | None = None) -> None:
    rules = protocol or reference_protocol()
    require_asked_rows(results, rules, sites=SITES, groups=GROUPS, named=NAMED)


def test_every_row_of_the_contract_written_by_hand_is_asked_for() -> None:
    asked = asked_rows(reference_protocol(), sites=SITES, groups=GROUPS, named=NAMED)
    expected = {(a, "all", *rest) for a, *rest in asked_of_all(SOCS, PTS)}
    expected |= {(a, group, *rest) for group in GROUPS for a, *rest in asked_of_groups()}
    expected |= {(a, f"site={site}", *rest) for site in SITES for a, *rest in asked_of_sites()}
    assert expected - asked == set()


def test_results_with_every_row_are_as_asked(results: pl.DataFrame) -> None:
    require(results)


def test_each_row_asked_for_is_missed() -> None:
    asked = sorted(asked_rows(reference_protocol(), sites=SITES, groups=GROUPS, named=NAMED))
    rows = pl.DataFrame(asked, schema=["analysis", "group", "level", "statistic", "method"], orient="row")
    # What begins at the remission is of the responders: the time to it, its duration, and how it ends.
    ends = "time_to_remission|duration_of_remission|relapse"
    of_responders = pl.col("analysis").str.contains(ends) | (
        pl.col("analysis") == "sensitivity.assessment_gap"
    )
    whole = rows.with_columns(
        population=pl.when(of_responders).then(pl.lit("responders")).otherwise(pl.lit("treated"))
    )
    require(whole)
    for number in range(0, len(asked), 37):
        with pytest.raises(UnaskedResults, match="the results lack a row that the protocol asks for"):
            require(whole.filter(pl.int_range(pl.len()) != number))


@pytest.mark.parametrize(
    ("analysis", "population"), [("duration_of_remission", "treated"), ("overall_survival", "responders")]
)
def test_rows_of_another_population_are_an_error(
    results: pl.DataFrame, analysis: str, population: str
) -> None:
    of_another = pl.when(pl.col("analysis") == analysis).then(pl.lit(population))
    moved = results.with_columns(population=of_another.otherwise(pl.col("population")))
    with pytest.raises(UnaskedResults, match=f"rows of {analysis} in another population: {population}"):
        require(moved)


def test_a_missing_row_is_named(results: pl.DataFrame) -> None:
    row = (pl.col("analysis") == "overall_survival") & (pl.col("level") == "week_12")
    chosen = row & (pl.col("group") == "site=north") & (pl.col("statistic") == "survival")
    with pytest.raises(UnaskedResults) as caught:
        require(results.filter(~chosen))
    assert str(caught.value) == (
        "the results lack a row that the protocol asks for: overall_survival week_12, site=north: survival "
        "(km log-log)"
    )


@pytest.mark.parametrize(
    ("column", "written", "message"),
    [
        ("analysis", "response.remision", "response.remision: n"),
        ("group", "sites=north", "response.remission: n"),
        ("statistic", "count", "response.remission: count"),
        ("method", "exact", "response.remission: n (exact)"),
    ],
)
def test_a_row_that_nobody_declared_is_an_error(
    results: pl.DataFrame, column: str, written: str, message: str
) -> None:
    one = results.filter(
        (pl.col("analysis") == "response.remission")
        & (pl.col("group") == "all")
        & (pl.col("statistic") == "n")
    )
    further = one.with_columns(pl.lit(written).alias(column))
    with pytest.raises(UnaskedResults) as caught:
        require(pl.concat([results, further]))
    assert str(caught.value) == f"the results have a row that isn't declared: {message}"


def test_a_sensitivity_analysis_may_be_of_another_population(results: pl.DataFrame) -> None:
    """Relapse of everybody treated, from the index date: its rows are of the treated, as the changed rules say."""
    variation = Variation(
        reason="Of everybody.",
        analyses=["relapse_incidence"],
        change={"incidences.relapse.population": "treated", "incidences.relapse.start": "index"},
    )
    protocol = reference_protocol().model_copy(update={"sensitivity": {"everybody": variation}})
    kept = results.filter(~pl.col("analysis").str.starts_with("sensitivity."))
    relapse = kept.filter((pl.col("analysis") == "relapse_incidence") & (pl.col("group") == "all"))

    def of(population: str) -> pl.DataFrame:
        varied = {"analysis": "sensitivity.everybody", "population": population}
        return pl.concat([kept, relapse.with_columns(**{name: pl.lit(one) for name, one in varied.items()})])

    require(of("treated"), protocol)
    with pytest.raises(UnaskedResults, match="in another population: responders"):
        require(of("responders"), protocol)


def test_sensitivity_analyses_have_the_rows_of_those_that_they_give_again() -> None:
    protocol = load_study("clofarabine").protocol
    asked = asked_rows(protocol, sites=SITES, groups=GROUPS, named=NAMED)
    whole = {key[2:] for key in asked if key[:2] == ("overall_survival", "all")}
    assert whole
    for analysis, group in (
        ("sensitivity.dates_first.overall_survival", "all"),
        ("sensitivity.without_site.overall_survival", "without_site=south"),
    ):
        assert {key[2:] for key in asked if key[:2] == (analysis, group)} == whole
    remission = {key[2:] for key in asked if key[:2] == ("response.remission", "all")}
    assert {key[2:] for key in asked if key[:2] == ("sensitivity.evaluable", "all")} == remission
