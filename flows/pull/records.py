"""The records of pulls in the warehouse: `fhir.pull`, its types and its files, as of a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import duckdb
import msgspec

from flows.home import Home
from flows.pull.state import record_paths
from sql.build import PULL_TABLES

PULLS = {
    "record": "bigint",
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
}
FILES = {
    "record": "bigint",
    "file": "struct(sha256 varchar, kind varchar, resource_type varchar, received_at timestamptz)",
}
FILL = """
insert into fhir.pull
select site, id, source, started_at, ended_at, completed_at, failed_step, is_full, deletions from pull_record;

insert into fhir.pulled_type
select site, id, asked.key, asked.value
from (select site, id, unnest(map_entries(since)) as asked from pull_record);

insert into fhir.pulled_file
select site, id, file.sha256, file.kind, file.resource_type, file.received_at
from pull_record_file join pull_record using (record);

drop table pull_record;
drop table pull_record_file;
"""

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_items = msgspec.json.Decoder(list[msgspec.Raw]).decode


def publish_pulls(
    connection: duckdb.DuckDBPyConnection, home: Home, work: Path, as_of: dt.datetime | None
) -> None:
    """Fills `fhir.pull`, `fhir.pulled_type` and `fhir.pulled_file` with the pulls that had ended by `as_of`.

    `work` is the folder for what is under way.
    """
    connection.execute(PULL_TABLES)
    paths = record_paths(home)
    if not paths:
        return
    pulls, files = work / "pulls.ndjson", work / "pulled-files.ndjson"
    longest = _write_lines(paths, pulls, files)
    for path, columns, table in ((pulls, PULLS, "pull_record"), (files, FILES, "pull_record_file")):
        # DuckDB sets aside several times the longest that it is told of, in memory that it can't spill.
        lines = connection.read_json(
            str(path), columns=columns, format="newline_delimited", maximum_object_size=longest
        )
        lines.create(table)
        path.unlink()
    if as_of is not None:
        connection.execute("delete from pull_record where ended_at > $as_of", {"as_of": as_of})
    connection.execute(FILL)


def _write_lines(paths: Sequence[Path], pulls: Path, files: Path) -> int:
    """Writes a line for each record, and one for each of its files: DuckDB holds an object of JSON whole, and
    the record of a large hospital's first pull is a large one. Gives the bytes of the longest line.
    """
    longest = 1
    with pulls.open("wb") as of_pulls, files.open("wb") as of_files:
        for number, path in enumerate(paths):
            # A line break within a text is escaped, so that these are only those between the members.
            record = _decode(path.read_bytes().replace(b"\n", b" "))
            listed = _items(record.pop("files"))
            record["record"] = msgspec.Raw(b"%d" % number)
            longest = max(longest, of_pulls.write(msgspec.json.encode(record) + b"\n"))
            for item in listed:
                longest = max(longest, of_files.write(b'{"record":%d,"file":%b}\n' % (number, bytes(item))))
    return longest
