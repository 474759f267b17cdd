"""The steps of a run, in order: one list, for the command line and for Prefect's flow.

A step is a plain function from a Run to the next Run. Each can be run alone, stopped anywhere, and run again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from flows.progress import Progress
from flows.run import Run


@dataclass(frozen=True)
class Step:
    """A step's name (also the task's), what a person reads while it runs, and what it does."""

    name: str
    title: str
    work: Callable[[Run], Run]


def pull(run: Run) -> Run:
    """Pulls from the sites of the configuration, where there is one; a site that fails doesn't stop others."""
    from flows.pulling_step import pull_configured

    request = run.request
    if request.config is None:
        return run
    pulled = pull_configured(request.config, request.home, request.started_at, full=False, tell=run.tell)
    return pulled.added_to(run)


def land(run: Run) -> Run:
    """Copies the files under --files into the landing zone."""
    from flows.loading_step import land_folder

    request = run.request
    if request.files is None:
        return run
    return land_folder(request.home, request.files, request.started_at).added_to(run)


def load(run: Run) -> Run:
    """Maps what landed and isn't loaded yet to `fhir.*`."""
    from flows.loading_step import load_home

    return load_home(run.request.home).added_to(run)


def build(run: Run) -> Run:
    """Builds the warehouse anew, checks it, and publishes it."""
    from flows.warehouse import build_and_publish

    return build_and_publish(run)


def analyse(run: Run) -> Run:
    """Estimates the study's results into the report's new folder."""
    from flows.reporting import write_estimates

    return write_estimates(run)


def report(run: Run) -> Run:
    """Renders the report and puts it in its place."""
    from flows.reporting import publish_report

    return publish_report(run)


PULL = Step("pull", "Pulling from the sites", pull)
LAND = Step("land", "Landing files", land)
LOAD = Step("load", "Mapping to fhir", load)
BUILD = Step("build", "Building the warehouse", build)
ANALYSE = Step("analyse", "Estimating results", analyse)
REPORT = Step("report", "Rendering the report", report)
STEPS = (PULL, LAND, LOAD, BUILD, ANALYSE, REPORT)


def call(step: Step, run: Run) -> Run:
    """The step's work, here and now."""
    return step.work(run)


def run_steps(
    run: Run, steps: Sequence[Step], progress: Progress, do: Callable[[Step, Run], Run] = call
) -> Run:
    """The run after its steps, in order; `do` carries out one of them."""
    for step in steps:
        with progress.step(step.title):
            told = len(run.notes)
            run = do(step, replace(run, tell=progress.note))
        for note in run.notes[told:]:
            progress.note(note)
    return run
