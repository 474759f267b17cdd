"""What is documented is what there is: commands, options, keys, tables, columns, rules, rows, links."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
import types
import typing
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
import typer
from pydantic import BaseModel

from flows.cli import app
from flows.config import read_config
from flows.config_keys import key_names
from flows.errors import CoveError
from mappers.resource_rules import ORDERS
from studies.protocol import Protocol
from studies.reading import bundled_studies, load_study
from studies.validity import FAMILIES

# One worker makes the report that the tests share.
pytestmark = pytest.mark.xdist_group("documentation")

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md"), ROOT / "studies" / "README.md"])
STUDY = "clofarabine"
CODE = re.compile(r"`([^`]+)`")
COMMANDS = {
    name: command
    for name, command in vars(typer.main.get_command(app))["commands"].items()
    if not command.hidden
}


@dataclass(frozen=True)
class Made:
    """A report's results, and the home they were made in."""

    results: Path
    home: Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The reference study on one Patient: every table and most rows are there, however few persons are."""
    folder = tmp_path_factory.mktemp("documented")
    files = folder / "files"
    files.mkdir()
    patient = {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "2010-05-01"}
    (files / "patients.ndjson").write_text(json.dumps(patient) + "\n")
    cove = Path(sys.executable).with_name("cove")
    places = {"--files": files, "--out": folder / "out", "--home": folder / "home"}
    options = [str(word) for pair in places.items() for word in pair]
    subprocess.run([cove, "run", STUDY, *options], check=True, capture_output=True)
    return Made(folder / "out" / "results.csv", folder / "home")


@pytest.fixture(scope="module")
def columns(made: Made) -> dict[str, set[str]]:
    """The columns of every table and view of a real warehouse, by `schema.table`; the study is `<study>`."""
    found: dict[str, set[str]] = {}
    with duckdb.connect(str(made.home / "warehouse.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            "select schema_name, table_name, column_name from duckdb_columns() where not internal"
        ).fetchall()
    for schema, table, column in rows:
        # A sensitivity analysis has tables of the study, as they are documented.
        if schema.startswith(f"{STUDY}."):
            continue
        name = "<study>" if schema == STUDY else schema
        found.setdefault(f"{name}.{table}", set()).add(column)
    return found


def first_cells(text: str) -> set[str]:
    """Names in backticks in the first cell of each row of the tables in a text."""
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| ")]
    return {name for cell in cells for name in CODE.findall(cell)}


def sections(level: str) -> dict[str, str]:
    """The warehouse's page by its headings of a level, each up to the next heading."""
    text = (DOCS / "warehouse.md").read_text(encoding="utf-8")
    parts = re.split(rf"^{level} (.+)$|^#+ .+$", text, flags=re.MULTILINE)
    named = zip(parts[1::2], parts[2::2], strict=True)
    return {name.strip("`"): body for name, body in named if name}


def test_every_table_and_column_of_the_warehouse_is_documented_and_no_other(
    columns: dict[str, set[str]],
) -> None:
    documented = {name: first_cells(body) for name, body in sections("###").items() if "." in name}
    lineage = first_cells(sections("##")["fhir"])
    real = {name: found for name, found in columns.items() if not name.startswith("current.")}
    # A study's view of a clinical table has its columns, and is documented by them.
    used = {name for name in real if real[name] == real.get(name.replace("<study>", "clinical"))}
    views = {name for name in used if name.startswith("<study>.")} - {"<study>.codelist"}
    assert first_cells(sections("##")["<study>"]) == views
    real = {name: found for name, found in real.items() if name not in views}
    assert set(documented) == set(real)
    for name, found in real.items():
        # Those of `fhir` that have a resource's lineage have it documented once, for all.
        shared = lineage if name.startswith("fhir.") and lineage <= found else set()
        assert documented[name] | shared == found, name


def test_every_table_and_view_can_be_read_by_any_duckdb_attached_or_not(made: Made) -> None:
    file = made.home / "warehouse.duckdb"
    with duckdb.connect(str(file), read_only=True) as opened, duckdb.connect() as attaching:
        attaching.execute(f"attach '{file}' as w (read_only)")
        names = opened.execute(
            "select schema_name, view_name from duckdb_views() where not internal"
        ).fetchall()
        assert len(names) > 20
        for schema, view in names:
            rows = f'"{schema}"."{view}"'
            assert opened.sql(f"from {rows}").fetchall() is not None
            assert attaching.sql(f"from w.{rows}").fetchall() is not None


def test_every_view_is_documented_with_its_columns(columns: dict[str, set[str]]) -> None:
    documented = sections("###")
    in_views_page = first_cells((DOCS / "views.md").read_text(encoding="utf-8"))
    for path in sorted((ROOT / "mappers" / "views").glob("*.json")):
        name = json.loads(path.read_text(encoding="utf-8"))["name"]
        assert f"fhir.{name}" in documented
        assert f"fhir.{name}" in columns
        assert name in in_views_page


def test_every_table_of_the_current_resources_is_documented(columns: dict[str, set[str]]) -> None:
    documented = first_cells(sections("##")["current"])
    real = {name for name in columns if name.startswith("current.")}
    views = {f"current.{path.stem}" for path in (ROOT / "mappers" / "views").glob("*.json")}
    assert documented == real - views


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_documented_with_its_options_and_variables(name: str) -> None:
    text = (DOCS / "command-line.md").read_text(encoding="utf-8")
    assert f"## `cove {name}`" in text
    own = text.split(f"## `cove {name}`")[1].split("\n## ")[0]
    shared = text.split("## Options of several commands")[1].split("\n## ")[0]
    usage = own.split(f"    cove {name}")[1].splitlines()[0]
    for parameter in COMMANDS[name].params:
        flags = [name for name in parameter.opts if name.startswith("--")]
        flag = flags[0] if flags else parameter.metavar or parameter.name
        if flag == "--help":
            continue
        assert flag.lower() in usage.lower(), f"cove {name}: {flag} isn't in its usage"
        if flag.startswith("--"):
            assert f"`{flag}" in own + shared
        for variable in [parameter.envvar] if isinstance(parameter.envvar, str) else parameter.envvar or []:
            assert f"`{variable}`" in text


def test_no_command_is_documented_that_does_not_exist() -> None:
    text = (DOCS / "command-line.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^## `cove (\w+)`", text, re.MULTILINE)) == set(COMMANDS)
    for page in PAGES:
        used = re.findall(r"(?:bin/|`)cove (\w+)", page.read_text(encoding="utf-8"))
        assert set(used) <= {*COMMANDS, "COMMAND"}, page.name


def test_every_exit_code_is_documented() -> None:
    errors: list[type[CoveError]] = [CoveError, *CoveError.__subclasses__()]
    codes = {0, 1, 130} | {error.exit_code for error in errors}
    for page, expected in ((DOCS / "command-line.md", codes), (ROOT / "README.md", codes - {130})):
        text = page.read_text(encoding="utf-8").split("## Exit codes")[1].split("\n## ")[0]
        assert {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)} == expected, page.name


def keys_of(model: type[BaseModel]) -> set[str]:
    """The keys that a section of a protocol and those within it may have."""
    keys = set()
    for name, field in model.model_fields.items():
        keys.add(field.alias or name)
        for inner in models_in(field.annotation):
            keys |= keys_of(inner)
    return keys


def models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [model for inner in typing.get_args(annotation) for model in models_in(inner)]


def test_every_key_of_a_protocol_is_documented() -> None:
    text = (DOCS / "add-a-study.md").read_text(encoding="utf-8").split("## Keys")[1]
    documented = {part for name in CODE.findall(text) for part in name.split(".")}
    assert keys_of(Protocol) - documented == set()


def test_every_key_of_a_configuration_is_documented_and_no_other() -> None:
    text = (DOCS / "configuration.md").read_text(encoding="utf-8")
    assert first_cells(text.split("## Keys at the top")[1].split("## Time zones")[0]) == set(key_names())


def test_the_example_of_a_configuration_is_one(tmp_path: Path) -> None:
    text = (DOCS / "configuration.md").read_text(encoding="utf-8")
    path = tmp_path / "cove.toml"
    path.write_text(text.split("```toml")[1].split("```")[0])
    assert [site.name for site in read_config(path, {}).sites] == ["snuh", "amc"]


def test_every_option_has_a_variable() -> None:
    for name, command in COMMANDS.items():
        for parameter in command.params:
            if parameter.opts[0].startswith("--") and "--help" not in parameter.opts:
                assert parameter.envvar, f"cove {name}: {parameter.opts[0]}"


def test_the_worked_example_of_a_study_is_a_study(tmp_path: Path) -> None:
    text = (DOCS / "add-a-study.md").read_text(encoding="utf-8")
    example = re.findall(r"`([\w/.]+)`:\n\n```(?:yaml|csv)\n(.*?)```", text, re.DOTALL)
    for name, content in example:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
    study = load_study(str(tmp_path))
    assert {f"codelists/{name}.csv" for name in study.codelists} | {"protocol.yaml"} == {
        n for n, _ in example
    }


def test_every_bundled_study_is_named_on_the_command_lines_page() -> None:
    text = (DOCS / "command-line.md").read_text(encoding="utf-8")
    assert all(f"`{study}`" in text for study in bundled_studies())


def test_every_rule_of_quarantine_and_finding_is_documented() -> None:
    documented = first_cells((DOCS / "files.md").read_text(encoding="utf-8"))
    sources = [*(ROOT / "flows").glob("*.py"), ROOT / "mappers" / "shape_check.py"]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    rules = set(re.findall(r'(?:rule=|ArchiveError\(|_Broken\(|_refused\(before, )"([a-z-]+)"', code))
    rules |= set(re.findall(r'return \("([a-z-]+)",\)', code))
    rules |= {"encoding", "unreadable"}
    finding = (ROOT / "sql" / "quality" / "finding.sql").read_text(encoding="utf-8")
    rules |= set(re.findall(r"'([a-z-]+:[a-z-]+)' as rule", finding))
    assert rules - documented == set()
    assert {"number-precision", "archive-limit", "truncated", "unit:not-convertible"} <= rules


def test_every_rule_of_the_full_validation_is_documented_with_its_sentence() -> None:
    text = (
        (DOCS / "files.md").read_text(encoding="utf-8").split("### Validation in full")[1].split("\n## ")[0]
    )
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    documented = {row.split("|")[2].strip(): set(CODE.findall(row.split("|")[1])) for row in rows}
    assert set(documented) == set(FAMILIES.values())
    for family, sentence in FAMILIES.items():
        assert {name.partition(":")[0] for name in documented[sentence]} == {family}
    orders = {f"order:{order.resource_type}.{order.name}" for order in ORDERS}
    assert documented[FAMILIES["order"]] == orders
    assert documented[FAMILIES["dose"]] == {"dose:negative", "dose:per-zero"}


def generic_name(name: str) -> str:
    """A sensitivity analysis has a name of its study, and that of another analysis may follow."""
    parts = name.split(".", 2)
    if parts[0] != "sensitivity":
        return name
    return "sensitivity.<name>" if len(parts) == 2 else "sensitivity.<name>.<analysis>"


def test_every_analysis_statistic_and_method_of_the_results_is_documented(made: Made) -> None:
    text = (DOCS / "results.md").read_text(encoding="utf-8")
    documented = set(CODE.findall(text))
    with made.results.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for column in ("analysis", "statistic", "population"):
        assert {generic_name(row[column]) for row in rows} - documented == set()
    assert {row["method"] for row in rows} - {""} - documented == set()
    assert set(rows[0]) <= documented


def test_every_page_and_file_that_is_linked_exists() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_readme_links_every_page_and_begins_with_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\(docs/([\w-]+\.md)\)", text))
    assert linked == {page.name for page in DOCS.glob("*.md")}
    first = text.split("## ")[0]
    assert re.findall(r"^    (make \w+)", first, re.MULTILINE) == ["make demo", "make test"]
