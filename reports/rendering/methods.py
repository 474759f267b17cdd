"""The methods section: the protocol's rules in words, each with the value that this study gave it."""

from __future__ import annotations

from collections.abc import Iterator

from studies.protocol import Condition, Endpoint, Protocol, Response

Rule = tuple[str, str]


def method_rules(protocol: Protocol, data_cutoff: str) -> list[Rule]:
    """Pairs of a name and a sentence, in the order of the protocol."""
    return [
        *_population(protocol),
        *_time(protocol, data_cutoff),
        *_exposure(protocol),
        *(_response(protocol.response) if protocol.response else []),
        *(_endpoint(name, endpoint) for name, endpoint in protocol.endpoints.items()),
        *_incidences(protocol),
        *_safety(protocol),
        *_statistics(protocol),
    ]


def _population(protocol: Protocol) -> Iterator[Rule]:
    diagnosis, drug = protocol.population.diagnosis, protocol.population.index_drug
    if diagnosis is not None:
        yield (
            "Diagnosed",
            f"A condition on codelist {diagnosis.codelist}, neither refuted nor entered in error, dated at most "
            f"{diagnosis.days_after_index} days after the index date; a missing date counts.",
        )
    yield (
        "Treated",
        f"At least one dose on codelist {drug.codelist} at or before the cut-off. Evidence that counts, best first: "
        f"{', '.join(drug.evidence)}; for one person and drug only the best level is used. "
        + (f"Routes on codelist {drug.routes}." if drug.routes else "Any route."),
    )
    yield (
        "Index date",
        "The local date of the first dose of an index drug; the last dose is that of the last.",
    )
    yield (
        "Baseline",
        "The last value at or before the first dose; on the same day only when timed before it, or when neither "
        "has a time. Of two values at one time the higher counts, then the later id.",
    )


def _time(protocol: Protocol, data_cutoff: str) -> Iterator[Rule]:
    yield "Data cut-off", f"{data_cutoff}. Nothing that happened after it counts, and follow-up ends at it."
    yield (
        "Partial dates",
        f"Imputed at the {protocol.dates.impute} of the period that they name, within birth, index, death and "
        "cut-off; such dates are counted in section D. Days are counted in the date as written at the site.",
    )
    yield "Undated death", "A death without any date is dated at the last contact."


def _exposure(protocol: Protocol) -> Iterator[Rule]:
    gap, combination = protocol.exposure.cycle_gap_days, protocol.exposure.combination
    if gap is not None:
        yield "Cycle", f"Doses less than {gap} days apart; a longer gap starts the next cycle."
    if combination is not None:
        yield (
            "Combination, new therapy",
            f"Combination: a dose of another drug on codelist {combination.codelist} from {combination.days_before} "
            f"days before the first to {combination.days_after} days after the last index dose. New therapy: the "
            "first such dose later than that.",
        )
    yield (
        "Days of exposure",
        "Last dose - first dose + 1. Times to event are event - start; weeks are days / 7.",
    )


def _response(rules: Response) -> Iterator[Rule]:
    yield (
        "Assessment",
        f"Each evaluation of {rules.assessment} after the index date and before {' and '.join(rules.ends_at)}, paired "
        f"with the nearest {', '.join(rules.pair)} from {rules.pair_days_before} days before to "
        f"{rules.pair_days_after} days after; of two as near, the later.",
    )
    if rules.transfusion:
        yield (
            "Transfused",
            f"A transfusion 0 to {rules.transfusion.days_before} days before the count's date.",
        )
    for criterion in rules.criteria:
        every = "; ".join(_condition(condition) for condition in criterion.all)
        some = " or ".join(_condition(condition) for condition in criterion.any)
        yield f"{criterion.response} ({rules.criteria_set})", every + (f"; and {some}." if some else ".")
    yield (
        "Deciding",
        "In three-valued logic, in order: the first criterion that is true; where none is true and one can't be "
        "decided, NE; else NR. Missing means none for: " + ", ".join(rules.missing_means_none) + ".",
    )
    yield "Remission, overall", f"{' or '.join(rules.remission)}; {' or '.join(rules.overall)}."
    yield "Primary assessment", f"{rules.primary}; the other is shown beside it."
    relapse = rules.relapse
    yield (
        "Relapse",
        f"Later than the day of the first remission: marrow blasts ≥ {relapse.marrow_blasts_at_least:g}%, "
        + ("extramedullary disease, " if relapse.extramedullary else "")
        + f"a recorded relapse, or a diagnosis with status {' or '.join(relapse.clinical_status)}, or coded so.",
    )


def _condition(condition: Condition) -> str:
    bounds = {
        ">": condition.above,
        "≥": condition.at_least,
        "<": condition.below,
        "≤": condition.at_most,
    }
    said = [f"{sign} {value:g}" for sign, value in bounds.items() if value is not None]
    if condition.at_most_of_baseline is not None:
        said.append(f"≤ {condition.at_most_of_baseline:g} × baseline")
    if condition.equals is not None:
        said.append("yes" if condition.equals else "no")
    return f"{condition.variable.replace('_', ' ')} {' and '.join(said)}"


def _endpoint(name: str, endpoint: Endpoint) -> Rule:
    text = f"From {endpoint.start} to {', '.join(endpoint.events)}"
    if endpoint.failure_day:
        text += f" (failure: no remission by day {endpoint.failure_day}, on that day, when followed to it)"
    if endpoint.censor:
        text += f"; censored at {endpoint.censor}"
    if endpoint.censor_after_remission:
        text += f", after remission at {endpoint.censor_after_remission}"
    for variant, ends in endpoint.variants.items():
        text += f"; variant {variant}: follow-up ends at {', '.join(ends)}"
    return name.replace("_", " ").capitalize(), text.replace(
        "_", " "
    ) + f". Population: {endpoint.population}."


def _incidences(protocol: Protocol) -> Iterator[Rule]:
    for name, incidence in protocol.incidences.items():
        yield (
            f"Incidence of {name}",
            f"From index to {', '.join(incidence.events)}; competing: {', '.join(incidence.competing)}; censored at "
            f"{incidence.censor.replace('_', ' ')}. On a day with both, the event of interest comes first.",
        )


def _safety(protocol: Protocol) -> Iterator[Rule]:
    deaths, safety = protocol.deaths, protocol.safety
    yield (
        "Death",
        f"From {', '.join(deaths.order).replace('_', ' ')}, in this order. Within {deaths.early_days} days of the last "
        "dose, or later"
        + (
            f"; after {deaths.after_event} when that came on or after the index date."
            if deaths.after_event
            else "."
        ),
    )
    if safety is None:
        return
    yield (
        "Treatment-emergent",
        f"Onset at or after the first dose and at most {safety.days_after_last_dose} days after the last. A missing "
        "onset counts unless the event ended before the first dose; a partial one when any day of it could.",
    )
    if safety.laboratory is not None:
        yield (
            "Laboratory grades",
            f"CTCAE {safety.laboratory.ctcae_version}, of values after the index date and at most "
            f"{safety.laboratory.days_after_last_dose} days after the last dose; normal limits from the source, else "
            + "; ".join(
                f"{test.measurement} {'≥' if test.lower is not None else '≤'} "
                f"{test.lower if test.lower is not None else test.upper:g}"
                for test in safety.laboratory.tests
            )
            + ".",
        )


def _statistics(protocol: Protocol) -> Iterator[Rule]:
    analyses = protocol.analyses
    yield (
        "Proportions",
        f"{analyses.proportion_interval} by default; Clopper-Pearson, Wilson and Wald stand beside each other. "
        "Wald's limits are printed within 0 to 100.",
    )
    yield (
        "Survival",
        f"Kaplan-Meier with Greenwood's error, limits by {analyses.survival_interval}. A median on a flat stretch at "
        "exactly 0.5 is its midpoint, as in R and SAS. Numbers at risk count those whose time is at least as long.",
    )
    yield "Competing risks", "Aalen-Johansen, exact with ties. Hazard ratios: Cox, ties by Efron."
    yield "Quantiles", "Hyndman-Fan type 7."
    yield (
        "Disclosure",
        f"The edition for release suppresses counts below {protocol.disclosure.threshold}. This is the full edition, "
        "for use inside the data holder.",
    )
