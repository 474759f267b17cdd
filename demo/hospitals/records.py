"""From a history to the resources of one hospital, in its dialect. Ids begin with the person's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import count

from demo.history import (
    UNITS,
    Death,
    Diagnosis,
    History,
    Intervention,
    Measurement,
    Reaction,
    Stay,
    StudyItem,
)
from demo.hospitals import codes
from demo.hospitals.dialect import Dialect, Resource, coding_of, plain, tagged
from demo.hospitals.medication import drug_records
from demo.reactions import terms

PANEL = ("leukocytes", "haemoglobin", "platelets", "anc")


def resources_of(history: History, dialect: Dialect) -> list[Resource]:
    """Every resource of one person, the Patient first; each refers to `Patient/<id>`."""
    record = _Record(history, dialect)
    return [
        record.patient(),
        *record.diagnoses(),
        *drug_records(history, dialect, record.subject),
        *record.measurements(),
        *record.items(),
        *record.interventions(),
        *record.reactions(),
        *record.stays(),
        *record.deaths(),
    ]


def person_id(history: History) -> str:
    """The Patient's id."""
    return f"p{history.person:03d}"


class _Record:
    """One person's record while it is written; numbers the resources of each type."""

    def __init__(self, history: History, dialect: Dialect) -> None:
        self.history, self.dialect = history, dialect
        self.subject = {"reference": f"Patient/{person_id(history)}"}
        self._numbers: defaultdict[str, Iterator[int]] = defaultdict(lambda: count(1))

    def _id(self, kind: str) -> str:
        return f"{person_id(self.history)}-{kind}{next(self._numbers[kind])}"

    def patient(self) -> Resource:
        death = self.history.death
        has_date = death is not None and death.source == "patient"
        return tagged(
            "Patient",
            person_id(self.history),
            identifier=[
                {
                    "system": f"{self.dialect.system}/number",
                    "value": f"{self.dialect.letter}-{self.history.person}",
                }
            ],
            gender=self.history.sex,
            birthDate=self.history.birth,
            deceasedDateTime=death.on if death and has_date else None,
            deceasedBoolean=True if death and death.source == "undated" else None,
        )

    def diagnoses(self) -> Iterator[Resource]:
        for diagnosis in self.history.diagnoses:
            yield self._diagnosis(diagnosis)

    def _diagnosis(self, diagnosis: Diagnosis) -> Resource:
        is_mistake = diagnosis.verification == "entered-in-error"
        return tagged(
            "Condition",
            self._id("dx"),
            clinicalStatus=None if is_mistake else _status(codes.CLINICAL_STATUS, diagnosis.clinical_status),
            verificationStatus=_status(codes.VERIFICATION, diagnosis.verification),
            code=self.dialect.concept(diagnosis.disease),
            subject=self.subject,
            onsetDateTime=diagnosis.onset,
            recordedDate=diagnosis.recorded,
        )

    def measurements(self) -> Iterator[Resource]:
        counted: list[Measurement] = []
        others: list[Measurement] = []
        for measurement in self.history.measurements:
            in_panel = self.dialect.counts_as_panel and measurement.concept in PANEL
            (counted if in_panel and not measurement.is_mistaken else others).append(measurement)
        yield from (self._measurement(measurement) for measurement in others)
        by_day: defaultdict[str, list[Measurement]] = defaultdict(list)
        for measurement in counted:
            by_day[measurement.on.isoformat()].append(measurement)
        for day, values in sorted(by_day.items()):
            yield tagged(
                "Observation",
                self._id("cbc"),
                status="final",
                code={"text": "Complete blood count"},
                subject=self.subject,
                effectiveDateTime=day,
                component=[self._value(value) for value in values],
            )

    def _measurement(self, measurement: Measurement) -> Resource:
        return tagged(
            "Observation",
            self._id("lab"),
            status="entered-in-error" if measurement.is_mistaken else "final",
            subject=self.subject,
            effectiveDateTime=measurement.on.isoformat(),
            **self._value(measurement),
        )

    def _value(self, measurement: Measurement) -> Resource:
        """Code, value and normal limits, of an Observation or of a component."""
        unit = UNITS[measurement.concept]
        content: Resource = {"code": self.dialect.concept(measurement.concept)}
        if self.dialect.values_as_text:
            content["valueString"] = f"{measurement.comparator}{plain(measurement.value)}"
        else:
            quantity = self.dialect.quantity(measurement.concept, measurement.value, unit)
            if measurement.comparator:
                quantity["comparator"] = measurement.comparator
            content["valueQuantity"] = quantity
        limits = {
            side: self.dialect.quantity(measurement.concept, limit, unit)
            for side, limit in (("low", measurement.low), ("high", measurement.high))
            if limit is not None
        }
        if limits and not self.dialect.values_as_text:
            content["referenceRange"] = [limits]
        return content

    def items(self) -> Iterator[Resource]:
        for item in self.history.items:
            yield tagged(
                "Observation",
                self._id("item"),
                status="final",
                code=self.dialect.concept(item.item),
                subject=self.subject,
                effectiveDateTime=item.on.isoformat(),
                **self._item_value(item),
            )

    def _item_value(self, item: StudyItem) -> Resource:
        if isinstance(item.value, bool):
            return {"valueBoolean": item.value}
        if isinstance(item.value, int):
            return {"valueInteger": item.value}
        return {"valueCodeableConcept": self.dialect.concept(item.value)}

    def interventions(self) -> Iterator[Resource]:
        for intervention in self.history.interventions:
            yield self._procedure(intervention)

    def _procedure(self, intervention: Intervention) -> Resource:
        when = "occurrenceDateTime" if self.dialect.is_r5 else "performedDateTime"
        return tagged(
            "Procedure",
            self._id("proc"),
            status=intervention.status,
            code=self.dialect.concept(intervention.procedure),
            subject=self.subject,
            **{when: intervention.on.isoformat()},
        )

    def reactions(self) -> Iterator[Resource]:
        for reaction in self.history.reactions:
            if self.dialect.events_as_conditions:
                yield self._event_as_condition(reaction)
            else:
                yield self._adverse_event(reaction)

    def _adverse_event(self, reaction: Reaction) -> Resource:
        shared = {
            "actuality": "actual",
            "subject": self.subject,
            "seriousness": _status(codes.SERIOUSNESS, "serious" if reaction.is_serious else "non-serious"),
            "extension": _extensions(reaction),
        }
        if self.dialect.is_r5:
            return tagged("AdverseEvent", self._id("ae"), **shared, **self._r5_event(reaction))
        # R4 has no status: what was entered by mistake is only potential.
        shared["actuality"] = "potential" if reaction.is_mistaken else "actual"
        causality = (
            [{"assessment": _status(codes.CAUSALITY, reaction.causality)}] if reaction.causality else []
        )
        suspect: Resource = {"instance": {"reference": f"Medication/{reaction.suspect}"}}
        if causality:
            suspect["causality"] = causality
        return tagged(
            "AdverseEvent",
            self._id("ae"),
            **shared,
            event=_term(reaction),
            date=reaction.onset,
            outcome=_status(codes.OUTCOME, "fatal") if reaction.is_fatal else None,
            suspectEntity=[suspect] if reaction.suspect else None,
        )

    def _r5_event(self, reaction: Reaction) -> Resource:
        suspect: Resource = {"instanceCodeableConcept": self.dialect.concept(reaction.suspect)}
        if reaction.causality:
            suspect["causality"] = {"entityRelatedness": _status(codes.CAUSALITY, reaction.causality)}
        content: Resource = {
            "status": "entered-in-error" if reaction.is_mistaken else "completed",
            "code": _term(reaction),
            "outcome": [_status(codes.OUTCOME, "fatal")] if reaction.is_fatal else None,
            "suspectEntity": [suspect] if reaction.suspect else None,
        }
        if reaction.ended:
            period = {"start": reaction.onset, "end": reaction.ended}
            content["occurrencePeriod"] = {side: text for side, text in period.items() if text}
        elif reaction.onset:
            content["occurrenceDateTime"] = reaction.onset
        return content

    def _event_as_condition(self, reaction: Reaction) -> Resource:
        verification = "entered-in-error" if reaction.is_mistaken else "confirmed"
        return tagged(
            "Condition",
            self._id("ae"),
            clinicalStatus=None
            if reaction.is_mistaken
            else _status(codes.CLINICAL_STATUS, "resolved" if reaction.ended else "active"),
            verificationStatus=_status(codes.VERIFICATION, verification),
            category=[self.dialect.concept("adverse-event")],
            code=_term(reaction),
            subject=self.subject,
            onsetDateTime=reaction.onset,
            abatementDateTime=reaction.ended,
            extension=_extensions(reaction),
        )

    def stays(self) -> Iterator[Resource]:
        for stay in self.history.stays:
            yield self._encounter(stay)

    def _encounter(self, stay: Stay) -> Resource:
        kind = {"system": codes.ACT_CODE, "code": "IMP" if stay.is_inpatient else "AMB"}
        period = {"start": stay.start.isoformat()} | ({"end": stay.end.isoformat()} if stay.end else {})
        leaving = {"dischargeDisposition": self.dialect.concept("exp" if stay.has_died else "home")}
        identity = self._id("enc")
        if self.dialect.is_r5:
            return tagged(
                "Encounter",
                identity,
                status="completed",
                **{"class": [{"coding": [kind]}]},
                subject=self.subject,
                actualPeriod=period,
                admission=leaving if stay.is_inpatient else None,
            )
        return tagged(
            "Encounter",
            identity,
            status="finished",
            **{"class": kind},
            subject=self.subject,
            period=period,
            hospitalization=leaving if stay.is_inpatient else None,
        )

    def deaths(self) -> Iterator[Resource]:
        death = self.history.death
        if death is None:
            return
        dates = [death.on] if death.source == "observation" else []
        for on in [*dates, *([death.also_observed] if death.also_observed else [])]:
            yield self._observed("death", on)
        if death.cause:
            yield self._cause(death)

    def _observed(self, name: str, on: str, **value: object) -> Resource:
        return tagged(
            "Observation",
            self._id("death"),
            status="final",
            code=self.dialect.concept(name),
            subject=self.subject,
            effectiveDateTime=on,
            **value,
        )

    def _cause(self, death: Death) -> Resource:
        if death.cause in terms():
            concept = {"coding": [coding_of((codes.MEDDRA, terms()[death.cause].pt_code), death.cause)]}
        else:
            concept = self.dialect.concept(death.cause)
        return self._observed("cause_of_death", death.on, valueCodeableConcept=concept)


def _status(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}


def _term(reaction: Reaction) -> Resource:
    if not reaction.is_coded:
        return {"text": reaction.term}
    term = terms()[reaction.term]
    return {
        "coding": [
            coding_of((codes.MEDDRA, term.pt_code), term.name),
            coding_of((codes.MEDDRA, term.soc_code), term.soc),
        ],
        "text": term.name,
    }


def _extensions(reaction: Reaction) -> list[Resource]:
    base = "https://simulated.example/fhir/StructureDefinition"
    made: list[Resource] = []
    if reaction.grade:
        made.append(
            {
                "url": f"{base}/ae-grade",
                "valueCodeableConcept": {
                    "coding": [{"system": f"{base}/grade", "code": str(reaction.grade)}]
                },
            }
        )
    if reaction.led_to_discontinuation:
        made.append({"url": f"{base}/caused-subject-to-discontinue-study", "valueBoolean": True})
    return made
