"""What is wrong with the control patients in view of the rest of the protocol."""

from __future__ import annotations

from collections.abc import Iterator

from studies.criteria_checks import Problem
from studies.marked_yaml import KeyPath
from studies.nearest import did_you_mean
from studies.protocol import Control, Protocol

NAME = "control"


def control_problems(protocol: Protocol) -> Iterator[Problem]:
    """Every problem of the section `control`."""
    if protocol.control is None:
        return
    if protocol.control.codelist == protocol.population.index_drug.codelist:
        yield (NAME, "codelist"), "is the index drug's; name the codelist of another drug"
    if NAME in protocol.sensitivity:
        yield ("sensitivity", NAME), "control patients have this name; choose another"
    yield from _names(protocol.control, protocol)


def control_covariates(protocol: Protocol) -> list[str]:
    """What patients may be weighted by: the parts of the baseline that are on, and what is measured."""
    baseline = protocol.baseline
    parts = {
        "age": True,
        "age_at_diagnosis": baseline.age_at_diagnosis,
        "prior_regimens": baseline.prior_regimens is not None,
        "sex": True,
        "phenotype": bool(baseline.phenotype),
        "refractory": baseline.refractory is not None,
    }
    return [*(name for name, is_on in parts.items() if is_on), *protocol.measurements]


def control_outcomes(protocol: Protocol) -> list[str]:
    """What may be compared: proportions of the response, and endpoints that everybody treated has."""
    proportions = [f"response.{name}" for name in protocol.response.outcomes] if protocol.response else []
    treated = [name for name, endpoint in protocol.endpoints.items() if endpoint.is_of_all]
    return [*proportions, *treated]


def _names(control: Control, protocol: Protocol) -> Iterator[Problem]:
    lists = (
        ("covariates", control.covariates, control_covariates(protocol), "is no covariate of this protocol"),
        ("outcomes", control.outcomes, control_outcomes(protocol), "can't be compared"),
    )
    for key, names, known, problem in lists:
        for number, name in enumerate(names):
            path: KeyPath = (NAME, key, number)
            if name not in known:
                yield path, f'"{name}" {problem}; {did_you_mean(name, known)}'
            elif name in names[:number]:
                yield path, f'"{name}" stands here twice; remove one'
