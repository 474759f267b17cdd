"""A drawn history, built into the study's tables and read back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from sql.build_study import build_study
from studies.reading import Study, load_study
from tests.sql.clinical_tables import Drawing, day

PERSON = "p"


class History(Drawing):
    """Histories of persons of a study; `p` is the one that most tests are about."""

    def __init__(self, study_id: str = "clofarabine") -> None:
        super().__init__(study_id)
        self.rules: Study = load_study(study_id)

    def under(self, **sections: object) -> History:
        """The same study with sections of its protocol exchanged."""
        self.rules = replace(self.rules, protocol=self.rules.protocol.model_copy(update=sections))
        return self

    def patient(
        self, person: str = PERSON, *doses: int, last_contact: int | None = 400, **given: object
    ) -> History:
        """A diagnosed person with index doses on the days given, and an encounter as the last contact."""
        self.draw("person", person, **given)
        self.draw("diagnosis", person, codelist="diagnosis", onset=day(-100))
        for number in doses or (0,):
            self.dose(number, person)
        if last_contact is not None:
            self.draw("contact", person, starts_on=day(last_contact))
        return self

    def dose(self, number: int, person: str = PERSON, **given: object) -> str:
        """A dose of the index drug on a day."""
        drawn = {"codelist": "index_drug", "concept": "clofarabine", "exposed": day(number)}
        return self.draw("drug_exposure", person, **{**drawn, **given})

    def value(
        self, codelist: str, number: int, value: float | None = None, person: str = PERSON, **given: object
    ) -> str:
        """A measured value of a codelist on a day."""
        return self.draw(
            "measurement", person, codelist=codelist, value=value, **{"measured": day(number), **given}
        )

    def item(self, codelist: str, number: int, truth: bool, person: str = PERSON, **given: Any) -> str:
        """A yes-no item of the study on a day."""
        return self.value(codelist, number, person=person, value_boolean=truth, **given)

    def remission(self, number: int, person: str = PERSON) -> None:
        """An assessment that is a complete remission."""
        for codelist, value in (("marrow_blasts", 1.0), ("anc", 2.0), ("platelets", 150.0)):
            self.value(codelist, number, value, person)

    def procedure(self, codelist: str, number: int, person: str = PERSON, **given: object) -> str:
        """A procedure on a day."""
        return self.draw("procedure", person, codelist=codelist, **{"performed": day(number), **given})

    def death(self, number: int | None, person: str = PERSON, **given: object) -> str:
        """A death in the Patient on a day, or without a date."""
        dated = {} if number is None else {"died": day(number)}
        return self.draw("death_record", person, **{**dated, **given})

    def build(self, data_cutoff: date | None = None) -> History:
        """Builds the study's tables."""
        build_study(self.con, self.rules, data_cutoff)
        return self

    def one(self, columns: str, table: str, condition: str = "true") -> tuple[object, ...]:
        """The only row of a study table that fulfils a condition."""
        rows = self.rows(f'select {columns} from "{self.study}".{table} where {condition}')
        if len(rows) != 1:
            pytest.fail(f"{len(rows)} rows of {table}")
        return rows[0]

    def all(self, columns: str, table: str, condition: str = "true") -> list[tuple[object, ...]]:
        """The rows of a study table that fulfil a condition, sorted."""
        return self.rows(f'select {columns} from "{self.study}".{table} where {condition} order by all')


def on(number: int) -> date:
    """Day `number` of the drawn histories as a date."""
    return date.fromisoformat(day(number))
