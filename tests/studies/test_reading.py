"""Reading a study: what is read, and the one line that each mistake gets."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from flows.execute import request_of
from studies.reading import STUDIES, StudyError, bundled_studies, load_study
from studies.schema import schema_text

PROJECT = STUDIES.parent


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(STUDIES / "clofarabine", tmp_path / "x"))


def change(folder: Path, old: str, new: str, name: str = "protocol.yaml") -> int:
    """Replaces `old`, which is there once, in a file; returns the line of it, from 1."""
    file = folder / name
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def error(folder: Path) -> str:
    with pytest.raises(StudyError) as caught:
        load_study(str(folder))
    for line in caught.value.errors:
        assert "\n" not in line
    return str(caught.value).replace(f"{folder}/", "")


@pytest.mark.parametrize("study_id", bundled_studies())
def test_a_bundled_study_is_read_by_its_id(study_id: str) -> None:
    study = load_study(study_id)
    assert study.protocol.id == study_id == study.folder.name
    assert all(codelist.rows for codelist in study.codelists.values())
    files = {file.stem for file in (study.folder / "codelists").iterdir()}
    assert files == set(study.codelists)


def test_a_folder_gives_the_study_of_its_files(folder: Path) -> None:
    assert load_study(str(folder)).protocol == load_study("clofarabine").protocol
    assert load_study(str(folder)).digest == load_study("clofarabine").digest


@pytest.mark.parametrize("file", ["protocol.yaml", "codelists/anc.csv", "criteria/reference.yaml"])
def test_the_digest_changes_with_each_file(folder: Path, file: str) -> None:
    before = load_study(str(folder)).digest
    changed = (folder / file).read_text(encoding="utf-8").replace("Neutrophils", "Cells") + "\n" * (
        file.endswith(".yaml")
    )
    (folder / file).write_text(changed, encoding="utf-8")
    assert load_study(str(folder)).digest != before


def test_an_unknown_study_names_those_that_are_known() -> None:
    with pytest.raises(StudyError) as caught:
        load_study("clofarabin")
    assert str(caught.value) == (
        'study "clofarabin" isn\'t known (known: clofarabine, mimic_vancomycin, synthea_naproxen); '
        'did you mean "clofarabine"?'
    )


@pytest.mark.parametrize("name", ["", "x" * 5000, "\0", "no/such"])
def test_a_strange_name_is_an_unknown_study(name: str) -> None:
    with pytest.raises(StudyError, match="isn't known"):
        load_study(name)


def test_a_folder_without_a_protocol_says_so(tmp_path: Path) -> None:
    assert (
        error(tmp_path) == "protocol.yaml: can't be read (No such file or directory); check that it is there"
    )


def test_the_protocol_itself_is_no_study(folder: Path) -> None:
    with pytest.raises(StudyError, match="is a file; give the folder"):
        load_study(str(folder / "protocol.yaml"))


MISTAKES = [
    (
        "    evidence: [adm",
        "    evidnce: [adm",
        'population.index_drug.evidnce: unknown key; did you mean "evidence"?',
    ),
    (
        "cycle_gap_days: 7",
        'cycle_gap_days: "7"',
        "exposure.cycle_gap_days: not a whole number; write one without",
    ),
    ("cycle_gap_days: 7", "cycle_gap_days: true", "exposure.cycle_gap_days: not a whole number"),
    ("cycle_gap_days: 7", "cycle_gap_days: 1000001", "exposure.cycle_gap_days: input should be less than"),
    (
        "cycle_gap_days: 7",
        "cycle_gap_days: 0",
        "exposure.cycle_gap_days: input should be greater than or equal to 1",
    ),
    ("alpha: 0.025", "alpha: .inf", "decision.alpha: not a number"),
    ("alpha: 0.025", "alpha: 1e999", "decision.alpha: not a finite number"),
    ("alpha: 0.025", "alpha: !!float x", "decision.alpha: the tag tag:yaml.org,2002:float isn't read here"),
    ('version: "1.0"', "version: 1.0", "version: not text; write it in quotes"),
    (
        "impute: middle  ",
        "impute: midle  ",
        'dates.impute: not one of first, middle, last; did you mean "middle"?',
    ),
    ("paramcd: OS", "paramcd: overall", "endpoints.overall_survival.paramcd: doesn't have the form"),
    (
        "  codelist: death\n",
        "  codelist: deaths\n",
        'deaths.codelist: no file codelists/deaths.csv; did you mean "death"?',
    ),
    ("  anc: {unit", "  ancc: {unit", "measurements.ancc: no file"),
    (
        "events: [death]\n    censor:",
        "events: [deth]\n    censor:",
        'endpoints.overall_survival.events[1]: "deth" is no event of this protocol; did you mean "death"?',
    ),
    (
        "    start: remission\n    events: [relapse, death]",
        "    start: remision\n    events: [relapse, death]",
        'endpoints.duration_of_remission.start: "remision" is no event',
    ),
    (
        "remission_by_site: {incidence: remission",
        "remission_by_site: {incidence: remision",
        'comparisons.remission_by_site.incidence: "remision" is not in `incidences`; did you mean "remission"?',
    ),
    (
        "by: hsct}",
        "by: hcst}",
        'comparisons.relapse_by_hsct.by: "hcst" is no grouping of this protocol; did you mean "hsct"?',
    ),
    (
        "measurement: marrow_blasts}",
        "measurement: marow_blasts}",
        'response.assessment.measurement: "marow_blasts" is not in `measurements`',
    ),
    ("platelets: platelets, ", "platelets: plt, ", 'response.pair.platelets: "plt" is not in `measurements`'),
    (
        "criteria_set: reference 1.0",
        "criteria_set: referenz 1.0",
        'response.criteria_set: no file criteria/referenz.yaml; did you mean "reference"?',
    ),
    (
        "criteria_set: reference 1.0",
        "criteria_set: reference 1.1",
        "response.criteria_set: criteria/reference.yaml has version 1.0; write that",
    ),
    (
        "criteria_set: reference 1.0",
        "criteria_set: reference",
        "response.criteria_set: doesn't have the form",
    ),
    (
        "criteria_set: reference 1.0",
        "criteria_set: reference 1.0\n  missing_means: {anc: true}",
        "response.missing_means.anc: anc is a number; write such a value, or leave it out",
    ),
    (
        "criteria_set: reference 1.0",
        "criteria_set: reference 1.0\n  missing_means: {ancc: 1}",
        'response.missing_means.ancc: "ancc" is neither paired nor a finding; did you mean "anc"?',
    ),
    (
        "days_before: 7, near: platelets}",
        "days_before: 7, near: plt}",
        'response.findings.transfused.near: "plt" is no paired variable',
    ),
    (
        "{from: observation, codelist: extramedullary_disease, label",
        "{from: course, codelist: extramedullary_disease, label",
        "response.findings.extramedullary.codelist: says nothing of a finding from course; remove it",
    ),
    ("measurement: alt,", "measurement: alat,", 'safety.laboratory.tests[5].measurement: "alat" is not in'),
    (
        "- {term: Anemia,",
        "- {term: Anaemia,",
        'safety.laboratory.tests[3].term: "Anaemia" isn\'t graded in CTCAE 5.0; did you mean "Anemia"?',
    ),
    (
        'haemoglobin: {unit: "g/L"}',
        'haemoglobin: {unit: "g/dL"}',
        'measurements.haemoglobin.unit: "Anemia" is graded in g/L',
    ),
    (
        "analysis: response.remission\n      at_least",
        "analysis: response.remision\n      at_least",
        'decision.thresholds[1].analysis: "response.remision" counts no persons',
    ),
    ("    events: 27", "    events: 64", "comparators.yoo_2017.events: more events than persons"),
    (
        "    events: 27",
        "    events: -1",
        "comparators.yoo_2017.events: input should be greater than or equal",
    ),
    ("    n: 25", "    n: 0", "comparators.hijiya_2011.n: input should be greater than or equal to 1"),
    ("    n: 25", "    n: 25.5", "comparators.hijiya_2011.n: not a whole number"),
    (
        "    level: CR\n",
        "    level: CRi\n",
        'comparators.yoo_2017_cr.level: "CRi" is no level of response.best',
    ),
    (
        "analysis: response.overall\n    n",
        "analysis: response.overal\n    n",
        'comparators.yoo_2017.analysis: "response.overal" counts no persons of this protocol; did you mean',
    ),
    (
        "subgroups: {}",
        "subgroups: {site: {variable: sex}}",
        "subgroups.site: a group of this name is there already",
    ),
    ("subgroups: {}", "subgroups: {age: {variable: age}}", "subgroups.age.cuts: age needs cuts"),
    ("id: clofarabine", "id: fhir", 'id: "fhir" is kept for the warehouse'),
    (
        "id: clofarabine",
        "id: clofarabine\ndata_cutoff: 2020-02-30",
        "data_cutoff: not a date of the calendar; write YYYY-MM-DD",
    ),
    (
        "failure: {without: remission, by_day: 84}",
        "failure: {without: remission}",
        "events.failure.without: `without` and `by_day` go together; add the other",
    ),
    (
        "failure: {without: remission, by_day: 84}",
        "failure: {without: remision, by_day: 84}",
        'events.failure.without: "remision" is no event of this protocol; did you mean "remission"?',
    ),
    ("failure: {without: remission, by_day: 84}", "failure: {}", "events.failure: nothing tells it"),
    (
        "failure: {without: remission, by_day: 84}",
        "failure: {without: remission, by_day: 84, from: drug, codelist: hsct}",
        "events.failure: from and without tells it; write one of",
    ),
    (
        "remission: {from: response, outcome: remission}",
        "remission: {from: response, outcome: remission, after: relapse}",
        "events.re",
    ),
    (
        "remission: {from: response, outcome: remission}",
        "remission: {from: response, outcome: remision}",
        'events.remission.outcome: "remision" is no outcome of `response`; did you mean "remission"?',
    ),
    (
        "hsct: {from: procedure, codelist: hsct, label: HSCT}",
        "hsct: {from: procedure, codelist: hsct, at_least: 5}",
        "events.hsct.at_least: says nothing of a sign from procedure, which has codelist; remove it",
    ),
    (
        "hsct: {from: procedure, codelist: hsct, label: HSCT}",
        "hsct: {from: procedure}",
        "events.hsct.codelist: missing",
    ),
    (
        "hsct: {from: procedure, codelist: hsct, label: HSCT}",
        "hsct: {from: procedure, codelist: hsctt}",
        'events.hsct.codelist: no file codelists/hsctt.csv; did you mean "hsct"?',
    ),
    (
        "- {from: evaluation, at_least: 25}",
        "- {from: evaluation, at_least: 25, below: 5}",
        "events.relapse.any[1].at_least: contradicts another bound; nothing can tell this event",
    ),
    (
        "codelist: disease_relapse, equals: true}",
        "codelist: disease_relapse, at_least: 1}",
        "events.relapse.any[3].at_least: numbers need disease_relapse among `measurements`",
    ),
    (
        "ends_at: [hsct, new_therapy]",
        "ends_at: [hsct, relapse]",
        'response.ends_at[2]: "relapse" isn\'t told by records alone; name an event that is',
    ),
    (
        "- {at: last_disease_assessment, after: remission}",
        "- {at: last_disease_assessment}",
        "endpoints.event_free_survival.censor[1]: is for everybody, so that those below never count",
    ),
    (
        "    start: remission\n    events: [relapse, death]",
        "    start: death\n    events: [relapse, death]",
        "endpoints.duration_of_remission.start: nothing happens after",
    ),
    (
        "    start: remission\n    events: [relapse, death]",
        "    start: relapse\n    events: [relapse, death]",
        'endpoints.duration_of_remission.start: "relapse" is also',
    ),
    (
        "responders: {event: remission,",
        "responders: {event: remision,",
        'populations.responders.event: "remision" is no event',
    ),
    (
        "    population: responders\n    start: index",
        "    population: responder\n    start: index",
        'endpoints.time_to_remission.population: "responder" is not in `populations`; did you mean "responders"?',
    ),
    (
        "    population: responders\n    start: index",
        "    populaton: responders\n    start: index",
        'endpoints.time_to_remission.populaton: unknown key; did you mean "population"?',
    ),
    (
        "{from: evaluation, at_least: 25}",
        "{from: evaluation, atleast: 25}",
        'events.relapse.any[1].atleast: unknown key; did you mean "at_least"?',
    ),
    ("event: hsct, land", "event: hsc, land", 'survival_by.event: "hsc" is no event'),
    (
        "landmarks: [30, 60, 90]",
        "landmarks: [30, 90, 60]",
        "survival_by.landmarks[3]: not greater than the one before",
    ),
]


CONTROL = """
control:
  codelist: antileukaemic
  covariates: [age, sex, marrow_blasts]
  outcomes: [response.remission, overall_survival]
  missing: complete_cases
  trim: 0.05
  replicates: 200
  seed: 1
"""
CONTROL_MISTAKES = [
    ("codelist: antileukaemic", "codelist: index_drug", "control.codelist: is the index drug's"),
    ("codelist: antileukaemic", "codelist: nothing", "control.codelist: no file codelists/nothing.csv"),
    (
        "[age, sex,",
        "[agee, sex,",
        'control.covariates[1]: "agee" is no covariate of this protocol; did you mean "age"?',
    ),
    ("[age, sex,", "[sex, sex,", 'control.covariates[2]: "sex" stands here twice'),
    (
        "overall_survival]",
        "duration_of_remission]",
        'control.outcomes[2]: "duration_of_remission" can\'t be compared',
    ),
    ("trim: 0.05", "trim: 0.5", "control.trim: input should be less than 0.5"),
    ("missing: complete_cases", "missing: drop", "control.missing: not one of complete_cases, category"),
    ("replicates: 200", "replicates: 10", "control.replicates: input should be greater than or equal to 100"),
]


def test_control_patients_are_read_with_their_codelist(folder: Path) -> None:
    file = folder / "protocol.yaml"
    file.write_text(file.read_text(encoding="utf-8") + CONTROL, encoding="utf-8")
    study = load_study(str(folder))
    assert study.protocol.control is not None
    assert study.protocol.control.covariates == ["age", "sex", "marrow_blasts"]


@pytest.mark.parametrize(("old", "new", "expected"), CONTROL_MISTAKES)
def test_a_mistake_about_control_patients_gets_a_line(
    folder: Path, old: str, new: str, expected: str
) -> None:
    file = folder / "protocol.yaml"
    assert CONTROL.count(old) == 1
    file.write_text(file.read_text(encoding="utf-8") + CONTROL.replace(old, new), encoding="utf-8")
    assert expected in error(folder)


def test_a_comparator_of_a_best_response_says_which(folder: Path) -> None:
    change(folder, "    level: CR\n", "")
    assert "comparators.yoo_2017_cr.level: missing; write one of CR, CRp, PR, NR, NE" in error(folder)


@pytest.mark.parametrize(("old", "new", "expected"), MISTAKES)
def test_a_mistake_gets_file_line_key_and_advice(folder: Path, old: str, new: str, expected: str) -> None:
    line = change(folder, old, new) + new.count("\n") - old.count("\n")
    assert error(folder).startswith(f"protocol.yaml line {line}: {expected}")


CRITERIA_MISTAKES = [
    (
        "variable: marrow, at_least: 5, at_most: 25",
        "variable: marrow, at_least: 25, at_most: 5",
        "criteria[3].all[1]: contradicts the bounds of marrow",
    ),
    (
        "variable: marrow, at_least: 5, at_most: 25",
        "variable: marow_blasts, at_least: 5",
        'criteria[3].all[1].variable: "marow_blasts" is neither assessed',
    ),
    (
        "variable: marrow, at_least: 5, at_most: 25",
        "variable: marrow, at_least: 5, above: 5",
        "criteria[3].all[1].above: stands beside at_least",
    ),
    (
        "variable: marrow, at_least: 5, at_most: 25",
        "variable: marrow, equals: true",
        "criteria[3].all[1].equals: marrow is a number",
    ),
    (
        "variable: marrow, at_least: 5, at_most: 25",
        "variable: marrow",
        "criteria[3].all[1]: no comparison",
    ),
    (
        "responses: [CR, CRp]",
        "responses: [CR, CRi]",
        'outcomes.remission.responses[2]: "CRi" is no response of',
    ),
    ('version: "1.0"', 'versoin: "1.0"', 'versoin: unknown key; did you mean "version"?'),
    (
        "variable: platelets, at_least: 100",
        "variable: platelets, at_least: x",
        "criteria[1].all[5].at_least: not",
    ),
    ("blood_blasts: 0,", "blood_blasts: none,", "missing_means.blood_blasts: "),
    ("labels: {CR: ", "labels: {CRI: ", "labels.CRI: CRI is no response of this set; did you mean"),
    (
        "  remission: {resp",
        "  agreement: {responses: [CR]}\n  remission: {resp",
        "outcomes.agreement: an analysis has this name already; choose another",
    ),
    (
        "  - response: CRp\n    all:\n",
        "  - response: CRp\n    all:\n      - {variable: platelets, at_least: 100}\n"
        "      - {variable: transfused, equals: false}\n      - {variable: marrow, below: 2}\n",
        "criteria[2]",
    ),
    (
        "  - response: PR\n    all:\n",
        "  - response: PR\n    lasting: {days: 28, contradicted_by: [{variable: marrow, at_most_of_baseline: 1}]}\n"
        "    all:\n",
        "criteria[3].lasting.contradicted_by[1]: a later assessment isn't compared with the baseline",
    ),
    (
        "  - response: PR\n    all:\n",
        "  - response: PR\n    all:\n      - {variable: marrow, at_least_of_baseline: 0.75}\n",
        "criteria[3].all[3]: contradicts the bounds of marrow; nothing can be PR",
    ),
    (
        "  - response: PR\n    all:\n",
        "  - response: PR\n    lasting: {days: 28, contradicted_by: [{variable: marrow, at_least: 9, below: 3}]}\n"
        "    all:\n",
        "criteria[3].lasting.contradicted_by[1]: contradicts itself; no value fulfils it",
    ),
    (
        "days_before: 7, days_after: 7",
        "days_before: 2000000, days_after: 7",
        "window.days_before: input should be less than or equal to 1000000",
    ),
]


@pytest.mark.parametrize(("old", "new", "expected"), CRITERIA_MISTAKES)
def test_a_mistake_in_the_criteria_gets_their_file_line_and_key(
    folder: Path, old: str, new: str, expected: str
) -> None:
    change(folder, old, new, "criteria/reference.yaml")
    message = error(folder)
    assert message.startswith("criteria/reference.yaml line ")
    assert f": {expected}" in message


def test_a_criterion_that_an_earlier_one_shadows_is_an_error(folder: Path) -> None:
    line = change(
        folder,
        "  - response: PR\n    all:\n      - {variable: marrow, at_least: 5, at_most: 25}\n",
        "  - response: MLFS\n    all:\n      - {variable: marrow, below: 25}\n"
        "  - response: PR\n    all:\n      - {variable: marrow, at_least: 5, below: 25}\n",
        "criteria/reference.yaml",
    )
    change(folder, "PR: partial", "MLFS: partial", "criteria/reference.yaml")
    assert error(folder) == (
        f"criteria/reference.yaml line {line + 3}: criteria[4]: is true only where criteria[3] (MLFS) is, which comes "
        "first; write it before that, or remove it"
    )


def test_a_study_without_criteria_files_says_which_is_missing(folder: Path) -> None:
    (folder / "criteria/reference.yaml").unlink()
    assert "response.criteria_set: no file criteria/reference.yaml; known: cibmtr, eln, " in error(folder)


def test_criteria_that_are_not_there_are_told_of_once(folder: Path) -> None:
    change(folder, "criteria_set: reference 1.0", "criteria_set: refrence 1.0")
    change(folder, "change: {dates.impute: first}", "change: {dates.imput: first}")
    with pytest.raises(StudyError) as caught:
        load_study(str(folder))
    assert len(caught.value.errors) == 1
    assert 'no file criteria/refrence.yaml; did you mean "reference"?' in caught.value.errors[0]


def test_a_mistake_is_one_line_whatever_it_repeats(folder: Path) -> None:
    change(folder, "term: Anemia,", 'term: "An\\nemia",')
    assert '"An emia" isn\'t graded in CTCAE 5.0' in error(folder)


def test_a_bound_of_0_beside_several_signs_is_told(folder: Path) -> None:
    change(folder, "    after: remission  ", "    above: 0\n    after: remission  ")
    assert "events.relapse.above: belongs to a sign; write it beside its `from`" in error(folder)


def test_fractions_of_the_baseline_that_contradict_each_other_tell_no_event(folder: Path) -> None:
    sign = "  x: {from: evaluation, at_most_of_baseline: 0.5, at_least_of_baseline: 0.75}\n"
    change(folder, "  failure: {without", f"{sign}  failure: {{without")
    assert "events.x.at_most_of_baseline: contradicts another bound; nothing can tell" in error(folder)


def test_criteria_in_the_protocol_itself_are_sent_to_their_file(folder: Path) -> None:
    change(folder, "  criteria_set: reference 1.0", "  criteria_sets: {}\n  criteria_set: reference 1.0")
    assert "response.criteria_sets: unknown key; criteria stand in files of their own" in error(folder)


def test_a_missing_key_is_named_at_its_section(folder: Path) -> None:
    line = change(folder, "  early_days: 30\n", "")
    message = error(folder)
    assert message.endswith("deaths.early_days: missing; add this key")
    assert int(message.split(" line ")[1].split(":")[0]) < line


def test_a_key_written_twice_is_an_error(folder: Path) -> None:
    line = change(folder, "  early_days: 30\n", "  early_days: 30\n  early_days: 31\n")
    assert error(folder) == (
        f"protocol.yaml line {line + 1}: deaths.early_days: written twice (line {line}); remove one"
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "protocol.yaml line 1: no keys"),
        (b"- a\n", "protocol.yaml line 1: no keys"),
        (b"id: x\n\tb: 1\n", "protocol.yaml line 2: "),
        (b"id: [x\nb: 1\n", "protocol.yaml line 2: "),
        (b"id: x\n---\nid: y\n", "protocol.yaml line 2: "),
        (b"id: x\nb: \xff\n", "protocol.yaml line 2: not UTF-8"),
        (b"id: x\nb: \x00\n", "protocol.yaml line 2: a control character"),
        (b"a: &a x\nb: *a\n", "protocol.yaml line 2: an alias"),
        (b"a: 1\n[b, c]: 1\n", "protocol.yaml line 2: : a key must be one word"),
        (b"a: " + b"[" * 3000, "protocol.yaml: nested too deeply"),
        (b"id: !!python/object:os.system x\n", "protocol.yaml line 1: id: the tag"),
    ],
)
def test_what_is_no_protocol_gets_one_line(folder: Path, content: bytes, expected: str) -> None:
    (folder / "protocol.yaml").write_bytes(content)
    assert error(folder).startswith(expected)


def test_all_mistakes_are_kept_in_the_order_of_the_file(folder: Path) -> None:
    change(folder, "paramcd: OS", "paramcd: overall")
    change(folder, 'version: "1.0"', "version: 1.0")
    with pytest.raises(StudyError) as caught:
        load_study(str(folder))
    assert [line.split(": ")[1] for line in caught.value.errors] == [
        "version",
        "endpoints.overall_survival.paramcd",
    ]


def test_any_that_can_never_hold_beside_all_is_an_error(folder: Path) -> None:
    change(
        folder,
        "      - {variable: platelets, below: 100}\n      - {variable: transfused, equals: true}\n",
        "      - {variable: anc, below: 1.0}\n      - {variable: marrow, at_least: 5}\n",
        "criteria/reference.yaml",
    )
    assert "criteria[2].any: each condition contradicts those of `all`" in error(folder)


CODELIST_MISTAKES = [
    (b"system,code\n", "line 1: another header"),
    (b"", "line 1: another header"),
    (b"system,code,display\n", ": no codes"),
    (b"system,code,display\nhttp://loinc.org,1\n", "line 2: 2 columns; write 3"),
    (b"system,code,display\n\n", "line 2: 0 columns; write 3"),
    (b"system,code,display\nhttp://loinc.org, 1,x\n", "line 2: spaces around a field"),
    (b"system,code,display\nhttp://loinc.org,,x\n", "line 2: an empty field"),
    (b"system,code,display\nloinc,1,x\n", "line 2: the system is no URI"),
    (
        b"system,code,display\nhttp://loinc.org,1,x\nhttp://loinc.org,1,y\n",
        "line 3: the code of line 2 again",
    ),
    (b'system,code,display\nhttp://loinc.org,1,"x\n', "line 2: unexpected end of data"),
    (b"system,code,display\nhttp://loinc.org,1,\xe9\n", "line 2: not UTF-8"),
]


@pytest.mark.parametrize(("content", "expected"), CODELIST_MISTAKES)
def test_a_codelist_is_read_strictly(folder: Path, content: bytes, expected: str) -> None:
    (folder / "codelists/anc.csv").write_bytes(content)
    message = error(folder)
    assert message.startswith("codelists/anc.csv")
    assert expected in message


def test_a_codelist_may_begin_with_a_byte_order_mark_and_end_lines_with_crlf(folder: Path) -> None:
    file = folder / "codelists/anc.csv"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert load_study(str(folder)).codelists["anc"] == load_study("clofarabine").codelists["anc"]


def test_the_published_schema_is_that_of_the_model() -> None:
    published = (PROJECT / "docs/protocol.schema.json").read_text(encoding="utf-8")
    assert published == schema_text()
    assert json.loads(published)["title"] == "Protocol"


@pytest.mark.parametrize("unit", ["bluk", "percent", "", "% "])
def test_a_measurement_kept_in_what_is_no_unit_of_ucum_gets_a_line(folder: Path, unit: str) -> None:
    line = change(folder, 'mrd: {unit: "%"', f'mrd: {{unit: "{unit}"')
    with pytest.raises(StudyError) as caught:
        request_of(str(folder), home=folder / "home", files=None, out=None)
    said = (
        f'measurements.mrd.unit: "{unit}" is no unit of UCUM; write it as there, such as "10*9/L" or "mg/dL"'
    )
    assert str(caught.value) == f"{folder}/protocol.yaml line {line}: {said}"
