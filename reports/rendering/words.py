"""The names of results.csv as a reader's words. Names that come from a source are never changed."""

from __future__ import annotations

ANALYSES = {
    "baseline.age": "Age at index, completed years",
    "baseline.age_at_diagnosis": "Age at first diagnosis, completed years",
    "baseline.prior_regimens": "Prior regimens",
    "baseline.sex": "Sex",
    "baseline.refractory": "Refractory to the last regimen",
    "exposure.evidence": "Evidence of the index drug",
    "exposure.regimen": "Regimen",
    "exposure.doses": "Doses",
    "exposure.cycles": "Cycles",
    "exposure.days": "Days from the first to the last dose",
    "response.best": "Best response",
    "follow_up": "Follow-up (reverse Kaplan-Meier)",
}
# Levels that docs/results.md names. A level of another name is shown as it is.
LEVELS = {
    "known": "Known to the sources",
    "diagnosed": "Diagnosed",
    "treated": "Treated",
    "completed_follow_up": "Completed follow-up",
    "died": "Died",
    "new_therapy": "New therapy",
    "any": "Any event",
    "grade_3_plus": "Grade 3 or more",
    "serious": "Serious",
    "related": "Related to the index drug",
    "fatal": "Fatal",
    "led_to_discontinuation": "Led to discontinuation",
    "all": "All deaths",
    "due_to_teae": "Due to a treatment-emergent event",
    "later": "Later",
    "naive": "Naive (biased)",
    "time_dependent": "Time-dependent Cox",
    "mantel_byar": "Mantel-Byar",
    "logrank_naive": "Log-rank, naive (biased)",
    "landed": "Received",
    "mapped": "Mapped",
    "quarantined": "Quarantined",
    "superseded": "Superseded",
    "not_asked_for": "Not asked for",
    "pulled": "Pulled from",
    "stale": "Stale",
    "no_assessment": "No assessment",
    "teae_onset": "Onset of an adverse event",
    "missing": "Missing",
}
METHODS = {
    "clopper-pearson": "Clopper-Pearson",
    "wilson": "Wilson",
    "wald": "Wald",
    "efron": "Cox, ties by Efron",
    "firth": "Cox with Firth's penalty",
    "aalen-johansen": "Aalen-Johansen",
    "newcombe": "Newcombe",
    "unweighted": "Unweighted",
    "ate": "ATE weights",
    "att": "ATT weights",
    "overlap": "Overlap weights",
    "ate_trimmed": "ATE weights, trimmed",
    "att_trimmed": "ATT weights, trimmed",
    "overlap_trimmed": "Overlap weights, trimmed",
    "miettinen-nurminen": "Miettinen-Nurminen",
    "katz-log": "Katz",
    "fisher-exact": "Fisher's exact test",
}
UNITS = {"10*9/L": "\N{MULTIPLICATION SIGN}10⁹/L", "umol/L": "µmol/L"}
DASH = "\N{EN DASH}"
ABBREVIATIONS = {"teae": "TEAE"}


def analysis_words(analysis: str) -> str:
    """An analysis as a reader says it."""
    return ANALYSES.get(analysis, sentence(analysis.replace(".", ", ")))


def level_words(level: str) -> str:
    """A level that the results name; weeks, days and landmarks with their number."""
    head, _, last = level.rpartition("_")
    if head in ("week", "landmark") and last.isdigit():
        return f"Week {last}" if head == "week" else f"Landmark at day {last}"
    if head.startswith("within_") and last == "days":
        return f"Within {head.removeprefix('within_')} days of the last dose"
    return LEVELS.get(level, sentence(level))


def group_words(group: str) -> str:
    """A group: everybody, a site's own name, or a variable and its level."""
    variable, separator, level = group.partition("=")
    if not separator:
        return "All"
    return level if variable == "site" else f"{plain(variable)}: {level}"


def plain(name: str) -> str:
    """A name with spaces for underscores, abbreviations in capitals."""
    return " ".join(ABBREVIATIONS.get(word, word) for word in name.split("_"))


def sentence(name: str) -> str:
    """The same, beginning with a capital letter."""
    said = plain(name)
    return said[:1].upper() + said[1:]


def listed(names: list[str], last: str = "and") -> str:
    """Names joined as in a sentence."""
    said = [plain(name) for name in names]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} {last} {said[-1]}" if said else "none"
