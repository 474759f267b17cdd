"""The same steps as tasks of a Prefect flow, where a server keeps the record of runs.

Prefect sees the names of the steps only; results stay with them, so that no patient's value comes into its
records.
"""

from __future__ import annotations

import os

# Read when Prefect is imported: no telemetry, and no connection but to the configured server.
_QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    "PREFECT_SERVER_REGISTER_BLOCKS_ON_START": "false",
    "PREFECT_CLI_PROMPT": "false",
    "PREFECT_SERVER_UI_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
}
for _name, _value in _QUIET.items():
    os.environ.setdefault(_name, _value)

import datetime as dt  # noqa: E402
from collections.abc import Callable, Sequence  # noqa: E402

from prefect import flow, task  # noqa: E402

from flows.defects import write_defect  # noqa: E402
from flows.errors import CoveError, DefectError  # noqa: E402
from flows.progress import Progress  # noqa: E402
from flows.run import Run  # noqa: E402
from flows.steps import Step, run_steps  # noqa: E402


def run_as_flow(run: Run, steps: Sequence[Step], progress: Progress) -> Run:
    """The run after its steps, each a task of one flow run.

    A server that is configured (PREFECT_API_URL) keeps the record, else an ephemeral one. A derivation is
    never retried: it would give the same error.
    """

    @flow(name=f"cove-{run.request.study.protocol.id}", validate_parameters=False)
    def cove() -> Run:
        return run_steps(run, steps, progress, _as_task)

    return cove()


def _as_task(step: Step, run: Run) -> Run:
    return task(name=step.name, persist_result=False)(_guarded(step.work))(run)


def _guarded(work: Callable[[Run], Run]) -> Callable[[Run], Run]:
    """The step, with errors that Prefect may record: a library's message could repeat a patient's value."""

    def guarded(run: Run) -> Run:
        try:
            return work(run)
        except CoveError:
            raise
        except Exception as error:  # noqa: BLE001 - raised again, without its message
            raise DefectError(write_defect(error, dt.datetime.now(dt.UTC))) from None

    return guarded
