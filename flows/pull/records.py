"""The records of pulls in the warehouse: `fhir.pull`, its types and its files, as of a time."""

from __future__ import annotations

import datetime as dt

import duckdb

from flows.home import Home
from flows.pull.state import record_paths
from sql.build import PULL_TABLES

COLUMNS = {
    "id": "varchar",
    "site": "varchar",
    "source": "varchar",
    "started_at": "timestamptz",
    "ended_at": "timestamptz",
    "completed_at": "timestamptz",
    "failed_step": "varchar",
    "is_full": "boolean",
    "deletions": "varchar",
    "since": "map(varchar, varchar)",
    "files": "struct(sha256 varchar, kind varchar, resource_type varchar, received_at timestamptz)[]",
}
FILL = """
insert into fhir.pull
select site, id, source, started_at, ended_at, completed_at, failed_step, is_full, deletions from pull_record;

insert into fhir.pulled_type
select site, id, asked.key, asked.value
from (select site, id, unnest(map_entries(since)) as asked from pull_record);

insert into fhir.pulled_file
select site, id, file.sha256, file.kind, file.resource_type, file.received_at
from (select site, id, unnest(files) as file from pull_record);

drop table pull_record;
"""


def publish_pulls(connection: duckdb.DuckDBPyConnection, home: Home, as_of: dt.datetime | None) -> None:
    """Fills `fhir.pull`, `fhir.pulled_type` and `fhir.pulled_file` with the pulls that had ended by `as_of`."""
    connection.execute(PULL_TABLES)
    paths = record_paths(home)
    if not paths:
        return
    records = connection.read_json(
        [str(path) for path in paths],  # type: ignore[arg-type]
        columns=COLUMNS,
        format="unstructured",
        # DuckDB sets aside several times as much, whatever a record really has.
        maximum_object_size=max(path.stat().st_size for path in paths) + 1,
    )
    records.create("pull_record")
    if as_of is not None:
        connection.execute("delete from pull_record where ended_at > $as_of", {"as_of": as_of})
    connection.execute(FILL)
