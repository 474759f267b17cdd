"""The JSON Schema of a protocol, for editors: `python -m studies.schema > docs/protocol.schema.json`."""

from __future__ import annotations

import json
import sys
from typing import Any

from studies.protocol import Protocol


def protocol_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `protocol.yaml`. What only several sections together can tell isn't in it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Protocol.model_json_schema(by_alias=True),
    }


def schema_text() -> str:
    """The schema as it is published in `docs/protocol.schema.json`."""
    return json.dumps(protocol_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
