"""What a configuration means: every key, its default, and where its paths lead."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from flows.config import Rate, Retry, Secret, Site, Timeout, read_config
from flows.config_template import write_template
from flows.errors import UserError
from tests.configuration.configured import BULK, FILES, REST, read, site, written

DESIGN = """
home = "/var/lib/cove"

[[site]]
name = "snuh"
source = "bulk"
url = "https://fhir.snuh.example/fhir"
group = "clofarabine"
types = ["Patient", "Observation"]
auth = "smart"
client_id = "cove"
private_key = "file:/etc/cove/snuh.jwk"
ca = "/etc/cove/hospital-ca.pem"
since = true
deletions = "manifest"
timezone = "Asia/Seoul"
rate = { requests_per_second = 5, concurrent = 3 }
maps = "maps/snuh/"

[[site]]
name = "amc"
source = "files"
path = "/srv/drop/amc"

[publish]
keep = 10
"""


def test_the_example_of_the_design_is_read(tmp_path: Path) -> None:
    config = read(tmp_path, DESIGN)
    snuh = Site(
        name="snuh",
        source="bulk",
        url="https://fhir.snuh.example/fhir",
        group="clofarabine",
        level="group",
        types=("Patient", "Observation"),
        auth="smart",
        client_id="cove",
        private_key=Secret("file:/etc/cove/snuh.jwk", "snuh", "private_key", tmp_path),
        ca=Path("/etc/cove/hospital-ca.pem"),
        deletions="manifest",
        timezone="Asia/Seoul",
        rate=Rate(5.0, None, 3),
        maps=tmp_path / "maps/snuh",
    )
    amc = Site(name="amc", source="files", path=Path("/srv/drop/amc"))
    assert config.sites == (snuh, amc)
    assert (config.home, config.keep, config.path) == (Path("/var/lib/cove"), 10, tmp_path / "cove.toml")


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    bulk = site(tmp_path, BULK)
    assert (bulk.level, bulk.types, bulk.auth, bulk.since, bulk.deletions) == (
        "patient", None, "none", True, "manifest",
    )  # fmt: skip
    assert bulk.rate == Rate(None, None, 3)
    assert bulk.timeout == Timeout(10, 60, 86_400)
    assert bulk.retry == Retry(5, 1, 300)
    assert site(tmp_path, REST).deletions == site(tmp_path, FILES).deletions == "none"
    assert site(tmp_path, FILES).settle == 60


def test_every_other_key_is_read(tmp_path: Path) -> None:
    text = REST + (
        'auth = "basic"\nuser = "env:USER_OF_A"\npassword = "env:PASSWORD_OF_A"\n'
        'include = ["MedicationAdministration:medication"]\ncount = 50\nsince = false\n'
        'window = ["22:00", 06:00:00]\ntimeout = { connect = 1, read = 2.5 }\nrate.bytes_per_second = 1000\n'
        "[site.retry]\nattempts = 2\nwait = 0\nlongest = 3\n"
    )
    one = site(tmp_path, text)
    assert one.user == Secret("env:USER_OF_A", "a", "user", tmp_path)
    assert one.include == ("MedicationAdministration:medication",)
    assert (one.count, one.since) == (50, False)
    assert one.window == (dt.time(22), dt.time(6))
    assert one.timeout == Timeout(1, 2.5, 86_400)
    assert one.rate == Rate(None, 1000, 3)
    assert one.retry == Retry(2, 0, 3)


def test_an_address_has_no_slash_at_its_end(tmp_path: Path) -> None:
    assert site(tmp_path, BULK.replace("/fhir", "/fhir/")).url == "https://host.example/fhir"


def test_paths_are_relative_to_the_file_and_the_default_home_to_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "etc"
    there.mkdir()
    monkeypatch.chdir(tmp_path)
    config = read_config(written(there, FILES + 'maps = "maps"\n'), {})
    assert config.home == tmp_path / "cove-home"
    assert (config.sites[0].path, config.sites[0].maps) == (there / "drop", there / "maps")
    assert read_config(written(there, 'home = "h"\n'), {}).home == there / "h"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    text = 'home = "/one"\n[publish]\nkeep = 3\n'
    environ = {"COVE_HOME": "/two", "COVE_PUBLISH_KEEP": "5"}
    config = read(tmp_path, text, environ)
    assert (config.home, config.keep) == (Path("/two"), 5)
    with pytest.raises(UserError, match="COVE_PUBLISH_KEEP that is no whole number from 1 up"):
        read(tmp_path, text, {"COVE_PUBLISH_KEEP": "many"})


def test_without_a_name_the_file_of_the_current_folder_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"cove\.toml: there is no such file"):
        read_config(None, {})
    written(tmp_path, FILES)
    assert read_config(None, {}).sites[0].name == "a"


def test_a_drop_folder_needn_t_be_there_yet(tmp_path: Path) -> None:
    assert site(tmp_path, FILES).path == tmp_path / "drop"


def test_credentials_go_over_plain_http_to_loopback(tmp_path: Path) -> None:
    for host in ("127.0.0.1:8080", "localhost:1", "[::1]:9"):
        text = REST.replace("https://host.example", f"http://{host}") + 'auth = "bearer"\ntoken = "env:T"\n'
        assert site(tmp_path, text).url == f"http://{host}/fhir"


def test_what_init_writes_is_read_once_it_is_filled_in(tmp_path: Path) -> None:
    path = tmp_path / "cove.toml"
    write_template(path)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UserError, match="still FILL-IN"):
        read_config(path, {})
    path.write_text(path.read_text().replace("FILL-IN", "hospital"))
    (one,) = read_config(path, {}).sites
    assert (one.name, one.source, one.auth) == ("hospital", "bulk", "smart")
    with pytest.raises(UserError, match="is there already"):
        write_template(path)


def test_every_commented_line_of_what_init_writes_is_right(tmp_path: Path) -> None:
    path = tmp_path / "cove.toml"
    write_template(path)
    keys = re.findall(r"^# (\w+ = .*|\[publish\])$", path.read_text(), re.MULTILINE)
    of_bulk = ("group", "types", "scope", "token_url", "ca", "since", "deletions", "timezone", "rate", "window",
               "timeout", "retry", "maps", "type_filter")  # fmt: skip
    chosen = [key for key in keys if key.split(" ")[0] in of_bulk]
    assert len(chosen) == len(of_bulk)
    filled = "\n".join([path.read_text(), "[[site]]", 'name = "b"', 'source = "bulk"', 'url = "https://h/f"',
                        'auth = "smart"', 'client_id = "c"', 'private_key = "env:K"', *chosen])  # fmt: skip
    path.write_text(filled.replace("FILL-IN", "x"))
    assert read_config(path, {}).sites[1].timezone == "Asia/Seoul"
