"""Each trouble of the table is told by its line, and ends with its code."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.doctor.examined import examined
from tests.doctor.table_of_troubles import TROUBLES, Fault, Trouble
from tests.pulling.pulls import Bench, site, smart
from tests.pulling.server import Server

pytestmark = pytest.mark.slow

PLAIN: dict[str, dict[str, Any]] = {
    "none": {},
    "bearer": {"auth": "bearer", "token": "env:NIGHT_TOKEN"},
    "basic": {"auth": "basic", "user": "env:NIGHT_USER", "password": "env:NIGHT_PASSWORD"},
}


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.id)
def test_a_trouble_is_told_with_its_remedy(bench: Bench, server: Server, trouble: Trouble) -> None:
    server.authorization.kind = trouble.auth
    credentials = smart(bench, server) if trouble.auth == "smart" else PLAIN[trouble.auth]
    trouble.before(server)
    if trouble.does is not None:
        server.faults.append(Fault(trouble.at, trouble.does, trouble.times))
    said = examined(bench, site(server, trouble.source, **credentials, **trouble.site))
    line = said.line(trouble.check)
    assert re.fullmatch(trouble.says, line), line
    assert not line.startswith("fail") or said.code == 3
    assert not server.asked("kick-off"), "an export was started"
    assert not bench.home.exists(), "the home was touched"
