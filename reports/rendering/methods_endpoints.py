"""The endpoints, and how estimates are made, in words."""

from __future__ import annotations

from collections.abc import Iterator

from reports.rendering.labels import analysis_label, event_label, name_label, population_label, variable_label
from reports.rendering.words import METHODS, listed, plain, sentence
from studies.protocol import Protocol, TimeToEvent

COMPARED = {"gray": "Gray's test", "cause_specific": "Cox regression of each cause"}


def endpoint_rules(protocol: Protocol) -> Iterator[tuple[str, str]]:
    """Each endpoint and incidence: start, events, censoring; then what the ends mean."""
    for name, endpoint in protocol.endpoints.items():
        variants = "".join(
            f"; variant {name_label(protocol, variant)}: follow-up ends at {_events(protocol, ends)} too"
            for variant, ends in endpoint.variants.items()
        )
        yield analysis_label(protocol, name), _time_to_event(protocol, endpoint, variants)
    for name, incidence in protocol.incidences.items():
        competing = f"; competing: {_events(protocol, incidence.competing)}"
        yield (
            f"Incidence: {analysis_label(protocol, f'{name}_incidence')}",
            _time_to_event(protocol, incidence, competing)
            + f" On a day with both, the {'competing event' if incidence.competing_first else 'event of interest'} "
            "comes first.",
        )
    yield (
        "Last contact",
        "The last whole date, at or before the cut-off and the death, of an encounter, an administration or "
        "dispensing of any drug, an observation, a procedure, an adverse event or a recorded condition. Orders and "
        "statements are none.",
    )
    if protocol.response is not None:
        assessed = variable_label(protocol, protocol.response.assessment.variable)
        main = analysis_label(protocol, f"response.{protocol.response.main_outcome}").lower()
        yield (
            "Last disease assessment",
            f"The last evaluation of {assessed} at or before the cut-off, and at least the first {main}.",
        )
    yield (
        "Order of events",
        "Events are compared with the start by date. One on the start's day counts, at time 0.",
    )


def _time_to_event(protocol: Protocol, rule: TimeToEvent, more: str) -> str:
    said = f"From {event_label(protocol, rule.start)} to {_events(protocol, rule.events)}{more}"
    for number, censoring in enumerate(rule.censor):
        of = f" for those with {event_label(protocol, censoring.after)}" if censoring.after else ""
        said += f"{'; censored at' if number == 0 else ', else'} {event_label(protocol, censoring.at)}{of}"
    if rule.ends_at:
        said += f"; follow-up ends at {_events(protocol, rule.ends_at)}"
    if rule.assessment_gap_days is not None:
        said += (
            f"; it ends at the last evaluation before more than {rule.assessment_gap_days} days without one"
        )
    persons = sentence(population_label(protocol, rule.population))
    return f"{said}. {persons}.{_prevalent(rule.exclude_prevalent)}"


def _events(protocol: Protocol, names: list[str]) -> str:
    return listed([event_label(protocol, name) for name in names], "or")


def _prevalent(is_excluded: bool) -> str:
    if is_excluded:
        return " Persons with the event before the start are left out."
    return ""


def statistics_rules(protocol: Protocol) -> Iterator[tuple[str, str]]:
    """How estimates and their limits are made."""
    analyses = protocol.analyses
    if protocol.response is not None:
        yield (
            "Proportions",
            f"{METHODS[analyses.proportion_interval]} limits; Clopper-Pearson, Wilson and Wald stand beside each other "
            "in table 14.2.1b. Wald limits are printed within 0 to 100.",
        )
    yield (
        "Survival",
        f"Kaplan-Meier with Greenwood's variance and {analyses.survival_interval} limits, empty where the curve is 0 "
        "or 1. Where it is flat at exactly 0.5 the median is the middle of that stretch, as in R and SAS. Follow-up is "
        "the reverse Kaplan-Meier of overall survival.",
    )
    if protocol.incidences:
        yield (
            "Competing risks",
            f"Aalen-Johansen, exact with ties; {analyses.survival_interval} limits, with the variance of R's cmprsk.",
        )
    for name, comparison in protocol.comparisons.items():
        later = protocol.survival_by is not None and comparison.by == protocol.survival_by.event
        yield (
            f"Comparison {name_label(protocol, name)}",
            f"{analysis_label(protocol, f'{comparison.incidence}_incidence')} by "
            f"{event_label(protocol, comparison.by)}: "
            + listed([COMPARED[method] for method in comparison.methods])
            + (
                ". The regressions take the event as it comes; Gray's test takes ever and never."
                if later
                else "."
            ),
        )
    yield (
        "Hazard ratios",
        "Cox regression, ties by Efron, Wald limits. Where the likelihood has no maximum, which is found out before "
        "the fit, Firth's penalised likelihood with profile limits. Fewer than 10 events for each parameter are told "
        "under the table.",
    )
    if protocol.survival_by is not None:
        event = event_label(protocol, protocol.survival_by.event)
        first = [event_label(protocol, name) for name in protocol.survival_by.same_day_first]
        after = f" and after {listed(first, 'or')}" if first else ""
        yield (
            f"Survival by {event}",
            "Naive; landmarks at days "
            f"{listed([str(day) for day in protocol.survival_by.landmarks])}; Cox regression with {event} "
            "time-dependent; the Mantel-Byar test with Simon-Makuch curves. Ties by Efron. On a day with both, the "
            f"event comes before death{after}; it stands at day - 0.5.",
        )
    if protocol.decision is not None:
        yield (
            "Thresholds",
            f"Met when the exact one-sided binomial p is at most {protocol.decision.alpha:g}. The bound is the exact "
            "limit at that level: the lower of a share that must be reached, the upper of one that mustn't be passed.",
        )
    if protocol.comparators:
        yield (
            "Published controls",
            "Difference with Newcombe's hybrid score (method 10) and Miettinen-Nurminen's score interval; ratio with "
            "Miettinen-Nurminen's score and Katz's log interval; Fisher's exact p, two-sided. Nothing is adjusted for.",
        )
    if protocol.control is not None:
        rules = protocol.control
        yield (
            "Control patients",
            f"Persons with a dose on codelist {rules.codelist} and never one of the index drug; their index date is "
            "the first such dose, every other rule is the study's. Propensity by logistic regression on "
            f"{listed(rules.covariates)}; missing covariates: {plain(rules.missing)}; weights ATE, ATT and overlap, "
            f"and again for propensities from {rules.trim:g} to {1 - rules.trim:g}; bootstrap of {rules.replicates} "
            f"replicates within the groups, seed {rules.seed}.",
        )
    yield "Quantiles", "Hyndman-Fan type 7, as R's default."
    yield "Printed numbers", "Rounded halves away from zero; results.csv has each at full precision."
    yield (
        "Disclosure",
        f"The protocol suppresses counts from 1 to {protocol.disclosure.threshold - 1} outside the data holder. This "
        "is the full edition: it isn't for release.",
    )
