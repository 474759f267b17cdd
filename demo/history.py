"""What happened to one simulated person, as dated facts, before any hospital writes it down.

Dates are local. A text date may be partial (`2015-03`, `2015`) or empty: the fact was recorded so, whatever the
hospital. Amounts are in the units of `UNITS`; a hospital converts them to its own.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

UNITS = {
    "marrow_blasts": "%",
    "blood_blasts": "%",
    "anc": "10*9/L",
    "platelets": "10*9/L",
    "haemoglobin": "g/L",
    "leukocytes": "10*9/L",
    "alt": "U/L",
    "ast": "U/L",
    "bilirubin": "umol/L",
    "creatinine": "umol/L",
}


@dataclass(frozen=True)
class Diagnosis:
    """A condition. `disease` is a name of `demo.hospitals.codes`; `clinical_status` an HL7 condition-clinical code."""

    disease: str
    onset: str
    recorded: str = ""
    clinical_status: str = "active"
    verification: str = "confirmed"


@dataclass(frozen=True)
class Dose:
    """One dose. `outcome` is `given`, `cancelled` (never given) or `withheld` (the order says: don't)."""

    drug: str
    on: date
    hour: int = 14
    outcome: str = "given"


@dataclass(frozen=True)
class Measurement:
    """One value, in the unit of `UNITS`. `low` and `high` are the laboratory's normal limits."""

    concept: str
    on: date
    value: Decimal
    comparator: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    is_mistaken: bool = False


@dataclass(frozen=True)
class StudyItem:
    """What the hospital recorded for the study: an integer, a boolean, or a response (`CR` … `NE`)."""

    item: str
    on: date
    value: int | bool | str


@dataclass(frozen=True)
class Intervention:
    """A procedure: `hsct`, `platelet_transfusion` or another name of `demo.hospitals.codes`."""

    procedure: str
    on: date
    status: str = "completed"


@dataclass(frozen=True)
class Reaction:
    """An adverse event. `grade` 0 is ungraded; `suspect` a drug's name; `causality` an HL7 assessment code or empty."""

    term: str
    onset: str
    ended: str = ""
    grade: int = 0
    is_coded: bool = True
    is_serious: bool = False
    is_fatal: bool = False
    led_to_discontinuation: bool = False
    suspect: str = ""
    causality: str = ""
    is_mistaken: bool = False


@dataclass(frozen=True)
class Stay:
    """An encounter. `has_died` where the discharge says so."""

    start: date
    end: date | None
    is_inpatient: bool = False
    has_died: bool = False


@dataclass(frozen=True)
class Death:
    """A death: its date as text (may be partial; empty where nobody wrote one) and where it is recorded.

    `source` is `patient`, `observation`, `encounter`, `adverse_event` or `undated`. `cause` is an adverse event's
    term, `ALL`, or empty. `also_observed` is the date of a second record, an observation that disagrees.
    """

    on: str
    source: str
    cause: str = ""
    also_observed: str = ""


@dataclass(frozen=True)
class History:
    """One person. `hospital` is the letter of the hospital that holds the record."""

    person: int
    hospital: str
    sex: str
    birth: str
    diagnoses: tuple[Diagnosis, ...] = ()
    doses: tuple[Dose, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    items: tuple[StudyItem, ...] = ()
    interventions: tuple[Intervention, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    stays: tuple[Stay, ...] = ()
    death: Death | None = None
