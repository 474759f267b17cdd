"""Sensitivity analyses of a protocol: what they change, and the one line that each mistake gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from studies.reading import STUDIES, StudyError, load_study
from studies.variations import varied_protocol
from studies.varied_analyses import varied_analyses
from tests.studies.test_reading import error, folder

__all__ = ["folder"]

REFERENCE = load_study("clofarabine").protocol
HEAD = "sensitivity:                        # each number beside the primary; the rules that are changed, and why\n"


def with_variation(folder: Path, text: str) -> int:
    """Writes a variation `x` before the others; returns the line that it begins at."""
    file = folder / "protocol.yaml"
    before, after = file.read_text(encoding="utf-8").split(HEAD)
    indented = "".join(f"    {line}\n" for line in text.splitlines())
    file.write_text(f"{before}{HEAD}  x:\n{indented}{after}", encoding="utf-8")
    return f"{before}{HEAD}".count("\n") + 1


def test_a_change_is_of_its_key_only() -> None:
    varied = varied_protocol(REFERENCE, "dates_first")
    assert varied.dates.impute == "first"
    assert varied.sensitivity == {}
    back = varied.model_copy(update={"dates": REFERENCE.dates, "sensitivity": REFERENCE.sensitivity})
    assert back == REFERENCE


def test_a_list_is_replaced_and_an_absent_key_is_added() -> None:
    assert varied_protocol(REFERENCE, "administered").population.index_drug.evidence == ["administered"]
    assert varied_protocol(REFERENCE, "at_hsct").endpoints["overall_survival"].ends_at == ["hsct"]
    assert (
        varied_protocol(REFERENCE, "assessment_gap").endpoints["duration_of_remission"].assessment_gap_days
        == 84
    )


def test_one_analysis_has_the_variations_name_and_several_have_their_own_behind_it() -> None:
    names = [one.analysis for one in varied_analyses(REFERENCE)]
    assert names[:3] == [
        "sensitivity.evaluable",
        "sensitivity.certain_remission.response.remission",
        "sensitivity.certain_remission.response.overall",
    ]
    assert len(names) == len(set(names))


GIVEN = "reason: Why.\nanalyses: [overall_survival]\n"


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        (
            "change: {dates.impute: frist}", 3,
            'sensitivity.x.change.dates.impute: not one of first, middle, last; did you mean "first"?',
        ),
        (
            "change: {dates.imput: first}", 3,
            'sensitivity.x.change.dates.imput: unknown key; did you mean "impute"?',
        ),
        (
            "change: {date.impute: first}", 3,
            'sensitivity.x.change.date.impute: "date" is no key there; did you mean "dates"?',
        ),
        (
            "change: {title.de: x}", 3,
            "sensitivity.x.change.title.de: can't be varied; make a study of its own for that",
        ),
        (
            "change: {version: \"2\"}", 3,
            "sensitivity.x.change.version: can't be varied; make a study of its own for that",
        ),
        (
            "change: {dates.impute.how: first}", 3,
            "sensitivity.x.change.dates.impute.how: dates.impute is no section of this protocol; change a key that "
            "it has",
        ),
        (
            "change:\n  endpoints.overall_survival.ends_at:\n    - hscd", 5,
            'sensitivity.x.change.endpoints.overall_survival.ends_at[1]: "hscd" is no event of this protocol; did you '
            'mean "hsct"?',
        ),
        (
            "change: {exposure.combination: null}", 0,
            "sensitivity.x: with its changes endpoints.duration_of_remission.variants.at_new_therapy[1]: "
            '"new_therapy" needs `exposure.combination`; known: ',
        ),
        (
            "change: {population.index_drug.routes: route}", 3,
            "sensitivity.x.change.population.index_drug.routes: no file codelists/route.csv; known: ",
        ),
        ("persons: all", 0, "sensitivity.x: varies nothing; write `change`, `persons` or `leave_out`"),
        (
            "persons: nobody", 3,
            "sensitivity.x.persons: not one of all, evaluable; choose one",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(folder: Path, text: str, offset: int, message: str) -> None:
    line = with_variation(folder, GIVEN + text)
    assert f"protocol.yaml line {line + offset}: {message}" in error(folder)


@pytest.mark.parametrize(
    ("analyses", "message"),
    [
        ("[overal_survival]", 'is no analysis that can be given again; did you mean "overall_survival"?'),
        ("[death, death]", '"death" stands here twice; remove one'),
        ("[baseline.age]", '"baseline.age" is no analysis that can be given again; '),
        ("[]", "an empty list; write at least one item"),
    ],
)  # fmt: skip
def test_an_analysis_that_cannot_be_given_again_is_a_mistake(
    folder: Path, analyses: str, message: str
) -> None:
    with_variation(folder, f"reason: Why.\nanalyses: {analyses}\npersons: evaluable")
    assert message in error(folder)


def test_a_codelist_that_only_a_variation_names_is_read(folder: Path) -> None:
    with_variation(folder, f"{GIVEN}change: {{population.index_drug.routes: route}}")
    (folder / "codelists" / "route.csv").write_text("system,code,display\nurn:route,iv,into a vein\n")
    assert "route" in load_study(str(folder)).codelists


def test_a_study_without_response_has_no_evaluable_persons(tmp_path: Path) -> None:
    text = (STUDIES / "mimic_vancomycin" / "protocol.yaml").read_text(encoding="utf-8")
    indented = "".join(f"    {line}\n" for line in GIVEN.splitlines())
    varied = f"sensitivity:\n  x:\n    persons: evaluable\n{indented}"
    (tmp_path / "protocol.yaml").write_text(text + varied, encoding="utf-8")
    with pytest.raises(StudyError, match=r"sensitivity\.x\.persons: needs a section `response`"):
        load_study(str(tmp_path))
