"""The layers: who may know whom, and what each may touch."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = ("flows", "mappers", "sql", "reports", "studies", "demo")
MAY_IMPORT = {
    "flows": {"flows", "mappers", "sql", "reports", "studies", "demo"},
    "mappers": {"mappers", "studies"},
    "sql": {"sql", "studies"},
    "reports": {"reports", "studies"},
    "studies": {"studies"},
    "demo": {"demo"},
}
OUTSIDE = {"requests", "socket", "socketserver", "urllib", "http", "subprocess", "prefect"}
# The demo's hospitals listen on loopback, and connect to nobody: none of these modules makes a request.
MAY_LISTEN = {"demo/server/listening.py": {"http.server"}}
MAY_READ_QUERIES = {f"demo/server/{name}.py": {"urllib.parse"} for name in ("messages", "searches", "tokens")}
CLOCK_OR_ENVIRONMENT = re.compile(
    r"\bos\.environ\b|\bos\.getenv\b|\.now\(|\.utcnow\(|\.today\(|\btime\.time\(|\btime\.monotonic\("
)
SOURCES = [path for layer in LAYERS for path in sorted((ROOT / layer).rglob("*.py"))]
NAMES = [path.relative_to(ROOT).as_posix() for path in SOURCES]


def modules(path: Path) -> set[str]:
    """The modules that a file imports, inside functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return names


def imported(path: Path) -> set[str]:
    """Their top packages."""
    return {name.split(".")[0] for name in modules(path)}


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_a_file_imports_only_what_its_layer_may(path: Path) -> None:
    layer = path.relative_to(ROOT).parts[0]
    assert imported(path) & set(LAYERS) <= MAY_IMPORT[layer]


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_only_flows_touch_the_network_the_environment_and_the_clock(path: Path) -> None:
    if path.relative_to(ROOT).parts[0] == "flows":
        return
    allowed = (MAY_LISTEN | MAY_READ_QUERIES).get(path.relative_to(ROOT).as_posix(), set())
    assert not {name for name in modules(path) if name.split(".")[0] in OUTSIDE} - allowed
    assert not CLOCK_OR_ENVIRONMENT.search(path.read_text(encoding="utf-8"))


def test_no_python_names_a_code_of_a_study() -> None:
    codelists = [line.split(",")[1] for file in (ROOT / "studies").glob("*/codelists/*.csv")
                 for line in file.read_text(encoding="utf-8").splitlines()[1:] if line]  # fmt: skip
    distinctive = {code for code in codelists if len(code) >= 5 and any(c.isdigit() for c in code)}
    for path in SOURCES:
        # The demo writes hospitals' data, so it has to know their codes.
        if path.relative_to(ROOT).parts[0] != "demo":
            words = set(re.findall(r"[\w.-]+", path.read_text(encoding="utf-8")))
            assert not words & distinctive, path.name
