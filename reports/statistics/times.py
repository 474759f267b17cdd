"""The times of an endpoint or a cumulative incidence, one row a person of its population."""

from __future__ import annotations

import polars as pl

from reports.statistics.groups import Frames, person_table, table
from studies.protocol import Endpoint, Incidence


def times_of(frames: Frames, analysis: str, rules: Endpoint | Incidence) -> pl.DataFrame:
    """The rows of the study table `endpoint` that the analysis of that name is made from.

    Raises IncompleteTable when one lacks a treated person who can't be left out, or has somebody who isn't treated.
    """
    times = table(frames, "endpoint").filter(pl.col("endpoint") == analysis)
    return person_table({**frames, analysis: times}, analysis, whole=rules.is_of_all)
