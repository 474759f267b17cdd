"""The rows that the contract of results.csv asks for in the reference study, written out by hand."""

from __future__ import annotations

from collections.abc import Iterator

Asked = tuple[str, str, str, str]  # analysis, level, statistic, method
SHARE = ("n", "percent")
SUMMARY = ("n", "missing", "median", "min", "max", "mean", "sd", "q1", "q3")
SPREAD = ("median", "min", "max")
MEDIAN = ("median", "ci_low", "ci_high")
METHODS = ("clopper-pearson", "wilson", "wald")
WEEKS = (4, 8, 12, 26, 52, 104)
KM = "km log-log"
TERMS = (
    "Neutrophil count decreased", "Platelet count decreased", "Anemia", "White blood cell decreased",
    "Alanine aminotransferase increased", "Aspartate aminotransferase increased",
    "Blood bilirubin increased", "Creatinine increased",
)  # fmt: skip

INCIDENCES = (
    "remission_incidence", "hsct_incidence", "relapse_incidence", "death_without_relapse_incidence"
)  # fmt: skip
RATES = ("any", "grade_3_plus", "serious", "related", "fatal", "all_events", "all_grade_3_plus")

LEVELS: dict[str, tuple[str, ...]] = {
    "baseline.sex": ("male", "female", "other", "unknown"),
    "baseline.phenotype": ("B-cell", "T-cell", "unknown"),
    "baseline.refractory": ("yes", "no", "missing"),
    "response.best": ("CR", "CRp", "PR", "NR", "NE"),
    "death": ("all", "due_to_teae", "within_30_days", "later", "after_hsct"),
}
LEVELS_OF_ALL: dict[str, tuple[str, ...]] = {
    "disposition": ("treated", "completed_follow_up", "hsct", "died", "new_therapy"),
    "exposure.evidence": ("administered", "dispensed", "stated", "ordered"),
    "exposure.regimen": ("combination", "monotherapy"),
    "lab.worst_grade": tuple(f"{term} grade {grade}" for term in TERMS for grade in range(5)),
}


def asked_of_groups() -> set[Asked]:
    """Rows of every group: all, each site, with and without HSCT."""
    rows = set(_levels(LEVELS))
    for analysis in ("baseline.age", "baseline.age_at_diagnosis", "baseline.prior_regimens"):
        rows |= {(analysis, "", statistic, "") for statistic in SUMMARY}
    rows |= _proportion("response.remission") | _proportion("response.overall")
    return rows | _curve("overall_survival")


def asked_of_sites() -> set[Asked]:
    """Rows that sites and all have."""
    fates = ("landed", "mapped", "quarantined", "superseded", "not_asked_for")
    rows = {("attrition", step, "n", "") for step in ("known", "diagnosed", "treated")}
    return rows | {("quality.resources", fate, "n", "") for fate in fates}


def asked_of_all(socs: tuple[str, ...], pts: tuple[str, ...]) -> set[Asked]:
    """Rows of all; `socs` and `pts` are those with an event."""
    rows = asked_of_groups() | asked_of_sites() | set(_levels(LEVELS_OF_ALL))
    for analysis in ("exposure.doses", "exposure.cycles", "exposure.days"):
        rows |= {(analysis, "", statistic, "") for statistic in SPREAD}
    for reason in ("no_assessment", "anc_missing", "platelets_missing", "baseline_marrow_missing"):
        rows.add(("response.not_evaluable", reason, "n", ""))
    rows |= {("response.agreement", "", s, "") for s in ("n", "observed_percent", "kappa")}
    rows |= _time("time_to_remission") | _curve("event_free_survival")
    for variant in ("", ".at_hsct", ".at_new_therapy"):
        name = f"duration_of_remission{variant}"
        rows |= _time(name) | {(name, "", "raw_median", "")}
    rows |= {("follow_up", "", statistic, KM) for statistic in MEDIAN}
    for analysis in INCIDENCES:
        rows |= {(analysis, f"week_{week}", "incidence", "aalen-johansen") for week in WEEKS}
    rows |= _survival_by_hsct() | _adverse_events(socs, pts) | _compared() | _rates()
    rows |= {("quality.imputed_dates", kind, "n", "") for kind in ("birth", "death", "teae_onset")}
    contradictory = (
        "birth_after_treatment",
        "birth_after_diagnosis",
        "death_before_treatment",
        "record_after_death",
    )
    rows |= {("quality.contradictory_dates", kind, "n", "") for kind in contradictory}
    decision = ("value", "threshold", "bound", "p", "met", "responders_short")
    rows |= {("decision", "remission", statistic, "") for statistic in decision}
    return rows | _comparators()


def _comparators() -> set[Asked]:
    rows = set()
    for name in ("yoo_2017", "yoo_2017_cr", "hijiya_2011", "trioche_2015"):
        analysis = f"comparator.{name}"
        for group in ("study", "control"):
            rows |= {(analysis, group, statistic, "") for statistic in ("n", "events", "percent")}
        limits = ("estimate", "ci_low", "ci_high")
        rows |= {(analysis, "difference", s, m) for s in limits for m in ("newcombe", "miettinen-nurminen")}
        rows |= {(analysis, "ratio", s, m) for s in limits for m in ("katz-log", "miettinen-nurminen")}
        rows.add((analysis, "difference", "p", "fisher-exact"))
    return rows


def _levels(levels: dict[str, tuple[str, ...]]) -> Iterator[Asked]:
    for analysis, names in levels.items():
        for level in names:
            yield from ((analysis, level, statistic, "") for statistic in SHARE)


def _proportion(analysis: str) -> set[Asked]:
    rows = {(analysis, "", "n", ""), (analysis, "", "denominator", "")}
    return rows | {(analysis, "", s, m) for s in ("percent", "ci_low", "ci_high") for m in METHODS}


def _time(analysis: str) -> set[Asked]:
    rows = {(analysis, "", statistic, "") for statistic in ("n", "events", "min", "max")}
    return rows | {(analysis, "", statistic, KM) for statistic in MEDIAN}


def _curve(analysis: str) -> set[Asked]:
    rows = _time(analysis) | {(analysis, f"week_{week}", "at_risk", "") for week in WEEKS}
    return rows | {
        (analysis, f"week_{week}", statistic, KM)
        for week in WEEKS
        for statistic in ("survival", "ci_low", "ci_high")
    }


def _survival_by_hsct() -> set[Asked]:
    rows = set()
    for level in ("naive", "landmark_30", "landmark_60", "landmark_90", "time_dependent"):
        rows |= {("survival_by_hsct", level, statistic, "") for statistic in ("n", "events")}
        rows |= {("survival_by_hsct", level, s, "efron") for s in ("hr", "ci_low", "ci_high", "p")}
    for level in ("mantel_byar", "logrank_naive"):
        rows |= {("survival_by_hsct", level, statistic, "") for statistic in ("chi2", "p")}
    return rows


def _compared() -> set[Asked]:
    names = ("gray.remission_by_site", "gray.relapse_by_hsct")
    return {(name, "", statistic, "") for name in names for statistic in ("chi2", "p")}


def _rates() -> set[Asked]:
    return {(f"rate.{name}", "", s, "garwood") for name in RATES for s in ("rate", "ci_low", "ci_high")}


def _adverse_events(socs: tuple[str, ...], pts: tuple[str, ...]) -> set[Asked]:
    kinds = ("any", "grade_3_plus", "serious", "related", "fatal", "led_to_discontinuation")
    levels = {"teae": kinds, "teae.soc": socs, "teae.pt": pts}
    return set(_levels(levels)) | {(a, level, "events", "") for a, names in levels.items() for level in names}
