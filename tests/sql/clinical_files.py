"""Files of a hospital in FHIR, landed and loaded; and the clinical tables that are built of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from flows.home import Home, open_home, read_key
from flows.landing import land_files
from flows.load_records import fhir_relations
from flows.loading import load
from flows.loading_step import bundled_views
from flows.pull.records import publish_pulls
from mappers.references import install_macros
from mappers.units import conversion_factor
from sql.build import build_clinical, publish_relations
from studies.reading import load_study

Resource = dict[str, Any]
Sites = Mapping[str, Mapping[str, Sequence[Resource | str]]]
WHEN = datetime(2024, 1, 1, tzinfo=UTC)

LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
ATC = "http://www.whocc.no/atc"
MEDDRA = "https://www.meddra.org"
LOCAL = "urn:hospital"
ITEM = "urn:cove:study-item"


def land(root: Path, sites: Sites, landed_at: datetime = WHEN) -> None:
    """Writes each site's files (NDJSON; a `.json` file holds its one resource) and lands them."""
    home = open_home(root / "home")
    for site, files in sites.items():
        folder = root / f"{landed_at:%Y%m%d%H%M%S}" / site
        folder.mkdir(parents=True)
        for name, resources in files.items():
            lines = [one if isinstance(one, str) else json.dumps(one) for one in resources]
            (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        land_files(home, site, folder, landed_at=landed_at)


def build(
    root: Path, as_of: datetime | None = None, time_zones: Mapping[str, str] | None = None
) -> duckdb.DuckDBPyConnection:
    """The clinical tables of everything landed, with the codelists of the reference study."""
    home: Home = open_home(root / "home")
    report = load(home, views=bundled_views())
    assert report.mismatches == ()
    con = duckdb.connect(config={"threads": 2})
    con.execute("set TimeZone = 'UTC'")
    install_macros(con, read_key(home))
    publish_relations(con, fhir_relations(home), as_of)
    publish_pulls(con, home, home.work, as_of)
    build_clinical(con, [load_study("clofarabine")], conversion_factor, time_zones=time_zones)
    lost = "landed <> mapped + quarantined + superseded + not_asked_for"
    assert rows(con, "quality.resources", where=lost) == []
    return con


def clinical(root: Path, *resources: Resource | str) -> duckdb.DuckDBPyConnection:
    """The clinical tables of one site whose only file holds the resources."""
    land(root, {"a": {"all.ndjson": resources}})
    return build(root)


def rows(
    con: duckdb.DuckDBPyConnection, table: str, columns: str = "*", where: str = "true"
) -> list[tuple[Any, ...]]:
    return con.execute(f"select {columns} from {table} where {where} order by all").fetchall()


def findings(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    """(type, id, rule) of every finding."""
    return rows(con, "quality.finding", "type, id, rule")


def persons(con: duckdb.DuckDBPyConnection, table: str, where: str = "true") -> list[tuple[str, str | None]]:
    """(resource id, Patient that its person is) of the rows of a table."""
    joined = f"clinical.{table} as record left join clinical.person using (person_id)"
    return rows(con, joined, "record.resource_id, person.patient_key", where)


def coded(system: str, code: str, display: str | None = None) -> Resource:
    coding = {"system": system, "code": code} | ({"display": display} if display else {})
    return {"coding": [coding]}


def ref(to: str) -> Resource:
    return {"reference": to}


def patient(id: str = "p", **fields: Any) -> Resource:
    return {"resourceType": "Patient", "id": id, **fields}


def observation(id: str, system: str, code: str, on: str | None = "2020-03-01", **fields: Any) -> Resource:
    dated = {"effectiveDateTime": on} if on else {}
    base = {"resourceType": "Observation", "id": id, "status": "final", "subject": ref("Patient/p")}
    return base | {"code": coded(system, code)} | dated | fields


def condition(id: str, **fields: Any) -> Resource:
    return {"resourceType": "Condition", "id": id, "subject": ref("Patient/p")} | fields


def administration(id: str, **fields: Any) -> Resource:
    base = {"resourceType": "MedicationAdministration", "id": id, "status": "completed"}
    return base | {"subject": ref("Patient/p"), "effectiveDateTime": "2020-03-01"} | fields


def event(id: str, **fields: Any) -> Resource:
    base = {"resourceType": "AdverseEvent", "id": id, "actuality": "actual", "subject": ref("Patient/p")}
    return base | fields


def concept_map(*groups: tuple[str, str, Mapping[str, str]], id: str = "map") -> Resource:
    """(source system, target system, {source code: target code}) a group."""
    return {
        "resourceType": "ConceptMap",
        "id": id,
        "status": "active",
        "group": [
            {
                "source": source,
                "target": target,
                "element": [
                    {"code": one, "target": [{"code": other, "equivalence": "equivalent"}]}
                    for one, other in codes.items()
                ],
            }
            for source, target, codes in groups
        ],
    }


def bundle(*entries: tuple[str, Resource], **fields: Any) -> Resource:
    listed = [{"fullUrl": url, "resource": resource} for url, resource in entries]
    return {"resourceType": "Bundle", "type": "collection", "entry": listed, **fields}
