"""What is landed from a site's folder, and what is passed over."""

import gzip
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.errors import UserError
from flows.home import open_home, site_name
from flows.landing import find_sites, land_files, landed_files

FIRST, LATER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
PATIENT = '{"resourceType":"Patient","id":"1"}\n'


def write(path: Path, text: str = PATIENT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_each_file_is_copied_with_its_manifest(tmp_path: Path) -> None:
    home = open_home(tmp_path / "home")
    write(tmp_path / "in/a/Patient.ndjson")
    landing = land_files(home, "snuh", tmp_path / "in", landed_at=FIRST)
    (file,) = landing.files
    # sha256sum of the line above
    assert file.path == home.landing / "snuh" / file.sha256
    assert file.path.read_text() == PATIENT
    assert json.loads((home.landing / "snuh" / f"{file.sha256}.json").read_text()) == {
        "site": "snuh",
        "source": "a/Patient.ndjson",
        "landed_at": "2026-01-01T00:00:00+00:00",
        "sha256": file.sha256,
        "bytes": len(PATIENT),
        "resources": None,
        "types": None,
    }
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert file.path.parent.stat().st_mode & 0o777 == 0o700


def test_the_same_content_is_landed_once_a_site(tmp_path: Path) -> None:
    home = open_home(tmp_path / "home")
    write(tmp_path / "in/a.ndjson")
    write(tmp_path / "in/b.ndjson")
    first = land_files(home, "a", tmp_path / "in", landed_at=FIRST)
    assert first.ignored == {"same content as another file": 1}
    again = land_files(home, "a", tmp_path / "in", landed_at=LATER)
    assert [(f.sha256, f.landed_at, f.is_new) for f in again.files] == [
        (f.sha256, FIRST, False) for f in first.files
    ]
    land_files(home, "b", tmp_path / "in", landed_at=LATER)
    assert [(f.site, f.landed_at) for f in landed_files(home)] == [("a", FIRST), ("b", LATER)]


def test_what_is_no_fhir_is_passed_over_and_counted(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write(folder / "README.md", "# Data\n")
    write(folder / "SHA256SUMS.txt", "00 a\n")
    write(folder / ".hidden.ndjson")
    write(folder / ".git/a.json")
    write(folder / "export", PATIENT)
    (folder / "noname").write_bytes(gzip.compress(b'{"resourceType":"Patient","id":"2"}'))
    write(folder / "broken.JSON", "nothing")
    write(tmp_path / "outside.ndjson", "{}")
    (folder / "link.ndjson").symlink_to(tmp_path / "outside.ndjson")
    landing = land_files(open_home(tmp_path / "home"), "a", folder, landed_at=FIRST)
    assert sorted(file.source for file in landing.files) == ["broken.JSON", "export", "noname"]
    assert landing.ignored == {"hidden": 2, "not FHIR by its name and look": 2, "link out of the folder": 1}


def test_sub_folders_are_sites_and_none_is_one_site(tmp_path: Path) -> None:
    write(tmp_path / "one/a.ndjson")
    assert find_sites(tmp_path / "one") == {"site": tmp_path / "one"}
    write(tmp_path / "two/서울/x/a.ndjson")
    write(tmp_path / "two/amc/a.ndjson")
    write(tmp_path / "two/README.md", "# Data\n")
    assert find_sites(tmp_path / "two") == {"amc": tmp_path / "two/amc", "서울": tmp_path / "two/서울"}


@pytest.mark.parametrize("name", ["missing", "empty", "beside", "dash", "file"])
def test_a_folder_that_says_no_sites_is_one_clear_error(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path / "beside/a/a.ndjson")
    write(tmp_path / "beside/a.ndjson")
    write(tmp_path / "dash/-a/a.ndjson")
    write(tmp_path / "file")
    with pytest.raises(UserError) as error:
        find_sites(tmp_path / name)
    assert "\n" not in str(error.value)


def test_a_site_name_has_letters_of_any_script() -> None:
    decomposed = "서울".encode().decode()
    for name in ("snuh", "서울대 병원", "Charité", "a.b-c_d e", "१२", decomposed):
        assert site_name(name) == name
    assert site_name("e\u0301cole") == "école"
    for name in ("", ".a", "-a", "_a", " a", "a/b", "..", "a\0", "a\nb", "a*", "x" * 201):
        with pytest.raises(UserError):
            site_name(name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read every file")
def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "in/a.ndjson").chmod(0)
    with pytest.raises(UserError, match=r"a\.ndjson"):
        land_files(open_home(tmp_path / "home"), "a", tmp_path / "in", landed_at=FIRST)


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    home = open_home(tmp_path / "home")
    key = home.key_file.read_bytes()
    assert (len(key), home.key_file.stat().st_mode & 0o777) == (32, 0o600)
    assert open_home(tmp_path / "home").key_file.read_bytes() == key
