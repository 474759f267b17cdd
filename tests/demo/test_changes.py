"""What the hospitals knew a month earlier, and how each of them can tell the difference."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.cohort import simulated_histories
from demo.drops import BY_FILES, drop_first, drop_news
from demo.earlier import a_month_earlier, changes
from demo.hospitals import held, of_hospital, shapes
from demo.server.holdings import FIRST_NIGHT, SECOND_NIGHT, Holding, holding
from demo.server.opening import BY_EXPORT, BY_SEARCH

CURRENT = simulated_histories()
EARLIER = a_month_earlier(CURRENT)
# How a change is told: what happens to resources of the person, by the change.
TOLD = {
    "value corrected": {"updated"},
    "value withdrawn": {"deleted"},
    "person enrolled": {"created"},
}


def holding_of(letter: str) -> Holding:
    return holding(held(letter, of_hospital(letter, EARLIER)), held(letter, of_hospital(letter, CURRENT)))


def test_each_hospital_is_pulled_in_one_way() -> None:
    assert sorted((*BY_EXPORT, *BY_SEARCH, *BY_FILES)) == shapes()


def test_five_deaths_are_reported_late_and_two_persons_enrolled() -> None:
    assert sum(1 for row in CURRENT if row.death) - sum(1 for row in EARLIER if row.death) == 5
    assert {row.person for row in CURRENT} - {row.person for row in EARLIER} == {28, 48}


def test_only_persons_of_the_table_change() -> None:
    before = {row.person: row for row in EARLIER}
    changed = {row.person for row in CURRENT if before.get(row.person) != row}
    assert changed == {number for number, _ in changes()}


@pytest.mark.parametrize(("number", "change"), changes())
def test_a_change_is_told_as_its_kind_is(number: int, change: str) -> None:
    letter = next(row.hospital for row in CURRENT if row.person == number)
    own = [version for version in holding_of(letter).versions if version.id.startswith(f"p{number:03d}")]
    later = [version for version in own if version.at > FIRST_NIGHT]
    kinds = {
        "deleted" if version.content is None else "updated" if version.number > 1 else "created"
        for version in later
    }
    assert later and all(version.at < SECOND_NIGHT for version in later)
    # A death is told where the hospital records it: a new observation or stay, or a patient or event that changed.
    assert kinds == TOLD[change] if change in TOLD else kinds <= {"created", "updated"}


@pytest.mark.parametrize("letter", ["f", *BY_FILES])
def test_a_hospital_that_tells_no_deletion_deletes_nothing(letter: str) -> None:
    assert all(version.content is not None for version in holding_of(letter).versions)


@pytest.mark.parametrize("letter", shapes())
def test_what_is_held_at_the_second_night_is_what_the_files_say(letter: str) -> None:
    there = {(row.type, row.id): row.content for row in holding_of(letter).current(SECOND_NIGHT)}
    sent = {(row["resourceType"], row["id"]): row for row in held(letter, of_hospital(letter, CURRENT))}
    assert there.keys() == sent.keys()
    for name, content in there.items():
        assert content is not None
        stamps = {"versionId", "lastUpdated"}
        meta = {key: value for key, value in content["meta"].items() if key not in stamps}
        assert {**content, "meta": meta} == sent[name]


def test_files_are_dropped_beside_the_former_ones_and_dated_by_their_night(tmp_path: Path) -> None:
    drop_first(tmp_path, EARLIER, FIRST_NIGHT)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert drop_news(tmp_path, EARLIER, CURRENT, SECOND_NIGHT) == {
        "hospital-c": 2, "hospital-g": 0, "hospital-h": 1
    }  # fmt: skip
    assert all(path.read_bytes() == content for path, content in before.items())
    dates = {path.stat().st_mtime for path in tmp_path.rglob("*") if path.is_file()}
    assert dates == {FIRST_NIGHT.timestamp(), SECOND_NIGHT.timestamp()}
