"""The published criteria sets on the same assessments. Expected responses by hand from docs/clinical-rules.md."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from studies.reading import load_study
from tests.sql.drawn_study import History

SETS = ("reference", "nci_2010", "cibmtr", "eln", "ponte_di_legno_2022")


@dataclass(frozen=True)
class Seen:
    """Day 30: marrow and blood blasts, ANC, platelets, MRD; then another evaluation, a dose of the same cycle."""

    marrow: float
    anc: float | None = 2.0
    platelets: float | None = 150.0
    blood: float | None = None
    outside: bool = False
    transfused: bool = False
    mrd: float | None = None
    later: tuple[int, float] | None = None
    last_contact: int = 400
    doses: tuple[int, ...] = (0,)


# Baseline marrow 40 %. Responses in the order of SETS.
ASSESSMENTS = {
    "remission": (Seen(2.0), "CR CR CR CR CR"),
    "marrow at 5": (Seen(5.0), "PR PR NR PR NR"),
    "marrow at 5, low MRD": (Seen(5.0, mrd=0.9), "PR PR NR PR CR"),
    "MRD at 1": (Seen(5.0, mrd=1.0), "PR PR NR PR NR"),
    "counts at the bound": (Seen(2.0, anc=1.0, platelets=100.0), "CR CR CR CRi CR"),
    "few platelets": (Seen(2.0, platelets=99.0), "CRp CRi NR CRi CR"),
    "transfused": (Seen(2.0, transfused=True), "CRp CRi NR CR CR"),
    "few neutrophils": (Seen(2.0, anc=0.9), "NR CRi NR CRi CR"),
    "no counts": (Seen(2.0, anc=None, platelets=None), "NE NE NE MLFS CR"),
    "blasts in blood": (Seen(2.0, blood=1.0), "NR NR NR MLFS CR"),
    "disease outside": (Seen(2.0, outside=True), "NR NR NR MLFS NR"),
    "halved": (Seen(20.0), "PR PR NR PR NR"),
    "halved without counts": (Seen(20.0, anc=0.5, platelets=20.0), "NR PR NR NR NR"),
    "not halved": (Seen(20.1), "NR NR NR NR NR"),
    "recurred on day 28": (Seen(2.0, later=(58, 30.0)), "CR NR NR CR CR"),
    "recurred on day 29": (Seen(2.0, later=(59, 30.0)), "CR CR CR CR CR"),
    "seen to day 27": (Seen(2.0, last_contact=57), "CR CR NR CR CR"),
    "seen to day 28": (Seen(2.0, last_contact=58), "CR CR CR CR CR"),
    "course goes on": (Seen(2.0, doses=(0, 6, 12, 18, 24, 29, 33)), "CR CR CR CR NR"),
    "next course": (Seen(2.0, doses=(0, 29, 36)), "CR CR CR CR CR"),
}


def drawn(seen: Seen) -> History:
    history = History().patient("p", *seen.doses, last_contact=seen.last_contact)
    history.value("marrow_blasts", -1, 40.0)
    history.value("marrow_blasts", 30, seen.marrow)
    counts = {"anc": seen.anc, "platelets": seen.platelets, "blood_blasts": seen.blood, "mrd": seen.mrd}
    for codelist, value in counts.items():
        if value is not None:
            history.value(codelist, 30, value)
    if seen.outside:
        history.item("extramedullary_disease", 30, True)
    if seen.transfused:
        history.procedure("platelet_transfusion", 30)
    if seen.later:
        history.value("marrow_blasts", *seen.later)
    return history


@pytest.mark.parametrize("name", ASSESSMENTS)
def test_each_set_judges_an_assessment_by_its_own_criteria(name: str) -> None:
    seen, expected = ASSESSMENTS[name]
    history = drawn(seen)
    response = history.rules.protocol.response
    assert response
    found = []
    for one in SETS:
        history.under(response=response.model_copy(update={"criteria_set": f"{one} 1.0"})).build()
        found += history.one("response", "assessment", "evaluation = 2")
    assert found == expected.split()


def test_what_the_investigator_recorded_is_read_in_the_words_of_the_set() -> None:
    history = History()
    response = history.rules.protocol.response
    assert response
    for number, (person, code) in enumerate((("p", "CRp"), ("q", "PR"), ("r", "NE"))):
        history.patient(person)
        coded = [{"system": "urn:cove:response", "code": code}]
        history.value("investigator_response", 30 + number, person=person, value_codes=coded)
    history.under(response=response.model_copy(update={"criteria_set": "cibmtr 1.0"})).build()
    found = history.all("person_id, investigator_response", "response")
    assert found == [("p", "NR"), ("q", "NR"), ("r", "NE")]


def test_every_set_says_what_its_source_leaves_open() -> None:
    response = load_study("clofarabine").protocol.response
    assert response
    assert set(response.criteria_sets) == set(SETS)
    assert all(one.choices for one in response.criteria_sets.values())
