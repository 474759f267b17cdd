"""Drawn histories give what a second reading of the rules says, whatever their days."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.hospitals.builder import (
    ETOPOSIDE,
    Outcome,
    Resource,
    anc,
    blood,
    day,
    dispensed,
    given,
    item,
    leukaemia,
    marrow,
    ordered,
    person,
    platelets,
    reaction,
    run,
    run_files,
    stated,
    transfusion,
    transplant,
    visit,
    write,
)
from tests.hospitals.second_reading import LEVELS, History, read

RECORDS = dict(zip(LEVELS, (given, dispensed, stated, ordered), strict=True))
CUTOFF = 130


def drawn(chance: random.Random) -> History:
    """Days lie close to the bounds of windows, and nothing lies after the death."""
    died = chance.choice([None, None, None, 0, 5, 30, 31, 40, 83, 84, 85, 110, 130, 131])
    until = 140 if died is None else died

    def days(most: int, *near: int) -> list[int]:
        found = [chance.choice(near) + chance.randint(-2, 2) for _ in range(chance.randint(0, most))]
        return [on for on in found if on <= until]

    def values(most: int, numbers: tuple[float, ...], *near: int) -> list[tuple[int, float]]:
        return [(on, chance.choice(numbers)) for on in days(most, *near)]

    level = chance.choices(LEVELS, (6, 1, 1, 2))[0]
    doses = [("index", level, 0), *(("index", chance.choice(LEVELS), on) for on in days(4, 0, 6, 7, 13))]
    doses += [("other", chance.choice(LEVELS), on) for on in days(2, -7, 7, 14, 20, 60)]
    around = (15, 22, 30, 37, 60, 84, 120)
    return History(
        diagnosed=chance.choice([None, -20, -20, -20, -20, 0, 30, 31]),
        doses=[dose for dose in doses if dose[2] <= until],
        marrow=values(5, (0, 2, 4.9, 5, 10, 20, 20.1, 25, 25.1, 40, 60), -3, 0, *around),
        anc=values(5, (0.5, 0.99, 1.0, 2, 3, 4), *around),
        platelets=values(5, (20, 99.9, 100, 150, 200), *around),
        blood=values(2, (0, 0, 0, 1, 5), *around),
        outside=[(on, chance.random() < 0.3) for on in days(1, -5, 30, 60)],
        relapses=days(1, 30, 60, 120) if chance.random() < 0.3 else [],
        transfusions=days(2, 8, 15, 23, 30, 53) if chance.random() < 0.5 else [],
        transplants=days(2, -5, 0, 37, 60, 84) if chance.random() < 0.4 else [],
        visits=[(on, chance.choice([None, on, on + 20])) for on in days(3, 3, 83, 84, 120, 130)],
        reactions=[*days(3, 0, 30, 37, 44), *([None] if chance.random() < 0.2 else [])],
        died=died,
    )


def sent(history: History, chance: random.Random) -> list[Resource]:
    drugs = {"index": "L01BB06", "other": ETOPOSIDE}
    records = [
        *([leukaemia(history.diagnosed)] if history.diagnosed is not None else []),
        *(RECORDS[level](on, drugs[drug]) for drug, level, on in history.doses),
        *(marrow(on, value) for on, value in history.marrow),
        *(anc(on, round(value * 1000), "/uL") for on, value in history.anc),
        *(platelets(on, value) for on, value in history.platelets),
        *(blood(on, value) for on, value in history.blood),
        *(item(on, "extramedullary-disease", valueBoolean=truth) for on, truth in history.outside),
        *(item(on, "disease-relapse", valueBoolean=True) for on in history.relapses),
        *(transfusion(on) for on in history.transfusions),
        *(transplant(on) for on in history.transplants),
        *(visit(start, end) for start, end in history.visits),
        *(reaction(on) for on in history.reactions),
    ]
    chance.shuffle(records)
    return records


def people_of(histories: dict[str, History], chance: random.Random) -> list[Resource]:
    return [
        one
        for name, history in histories.items()
        for one in person(
            name,
            sent(history, chance),
            **({"deceasedDateTime": day(history.died)} if history.died is not None else {}),
        )
    ]


@pytest.mark.slow
def test_numbers_of_all_depend_neither_on_sites_nor_on_when_files_came(tmp_path: Path) -> None:
    """The same persons at three sites give the same; the same persons at two sites each give twice as many."""
    chance = random.Random(20200302)
    histories = {f"p{number}": drawn(chance) for number in range(120)}
    people = people_of(histories, chance)
    parts = {
        f"s{part}": people_of({name: h for name, h in histories.items() if int(name[1:]) % 3 == part}, chance)
        for part in range(3)
    }
    at_one = run(tmp_path / "one", cutoff=day(CUTOFF), a=people)
    at_three = run(tmp_path / "three", cutoff=day(CUTOFF), **parts)
    twice = run(tmp_path / "twice", cutoff=day(CUTOFF), a=people, b=people)

    def of_all(outcome: Outcome) -> dict[tuple[str, str, str, str, str], str]:
        # A comparison of the sites depends on them.
        return {
            key: value
            for key, value in outcome.rows().items()
            if key[1] in ("all", "hsct=yes", "hsct=no") and not key[0].endswith("_by_site")
        }

    once, doubled = of_all(at_one), of_all(twice)
    assert of_all(at_three) == once
    counted = ("n", "events", "denominator", "at_risk", "missing")
    kept = ("min", "max", "median", "percent", "survival", "incidence", "raw_median")
    for key, value in once.items():
        if key[2] == "control":  # as published
            assert doubled[key] == value, key
        elif value and key[3] in counted:
            assert float(doubled[key]) == 2 * float(value), key
        if value and key[3] in kept:
            assert float(doubled[key]) == pytest.approx(float(value)), key

    later = tmp_path / "later"
    for number, part in enumerate((people[:300], people[300:900], people[900:])):
        write(later / "files/a", {f"{number}.ndjson": part})
        in_parts = run_files(later, cutoff=day(CUTOFF))
    assert (in_parts.out / "results.csv").read_bytes() == (at_one.out / "results.csv").read_bytes()


@pytest.mark.slow
def test_drawn_histories_give_what_a_second_reading_says(tmp_path: Path) -> None:
    chance = random.Random(20200301)
    histories = {f"p{number}": drawn(chance) for number in range(400)}
    people = people_of(histories, chance)
    outcome = run(tmp_path, cutoff=day(CUTOFF), a=people)
    readings = {name: read(history, CUTOFF) for name, history in histories.items()}
    expected = {name: reading for name, reading in readings.items() if reading is not None}
    # Enough of each kind, so that the comparison says something.
    assert len(expected) > 200
    assert {reading.best for reading in expected.values()} == {"CR", "CRp", "PR", "NR", "NE"}

    cohort = outcome.each("cohort", "regimen, evidence_level, cycles, death_class")
    assert cohort == {n: (r.regimen, r.level, r.cycles, r.death_class) for n, r in expected.items()}
    assert outcome.each("response", "best_response") == {n: r.best for n, r in expected.items()}
    emergent = outcome.each("teae", "count(*)", "true group by person.resource_id")
    assert emergent == {n: r.emergent for n, r in expected.items() if r.emergent}
    for endpoint in (
        "overall_survival",
        "event_free_survival",
        "time_to_remission",
        "duration_of_remission",
        "duration_of_remission.at_hsct",
        "duration_of_remission.at_new_therapy",
        "remission_incidence",
        "hsct_incidence",
    ):
        found = outcome.each("endpoint", "days, status", f"endpoint = '{endpoint}'")
        wanted = {n: r.endpoints[endpoint] for n, r in expected.items() if endpoint in r.endpoints}
        assert found == wanted, endpoint
