"""YAML with the line of every key, read strictly: no duplicate keys, no aliases, no guesses about types."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from studies.errors import StudyError

KeyPath = tuple[str | int, ...]

SCALARS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "null": lambda text: None,
    "bool": lambda text: text == "true",
    "int": int,
    "float": float,
}


@dataclass(frozen=True)
class MarkedYaml:
    """`data` as dicts, lists, str, int, float, bool and None.

    `lines` has the line (from 1) of each key and item, `name` is the file as messages name it.
    """

    name: str
    data: dict[str, Any]
    lines: Mapping[KeyPath, int]

    def where(self, path: KeyPath) -> str:
        """`protocol.yaml line 12: population.index_drug`."""
        place = f"{self.name} line {self.line(path)}"
        return f"{place}: {key_text(path)}" if path else place

    def line(self, path: KeyPath) -> int:
        """The line of a key; of one that isn't there, that of its section."""
        return next(self.lines[path[:n]] for n in range(len(path), -1, -1) if path[:n] in self.lines)


def key_text(path: KeyPath) -> str:
    """`response.criteria[2].all[1].above`: items of a list are counted from 1, as lines are."""
    text = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


class _Loader(yaml.SafeLoader):
    """Knows null, true, false and decimal numbers only: `no`, `1:30`, `010` and dates stay text."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's name)

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.MarkedYAMLError(None, None, "an alias (*) isn't read; write the part out", mark)
        return super().compose_node(parent, index)


for _tag, _pattern, _first in (
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
    ("bool", r"^(?:true|false)$", ["t", "f"]),
    ("int", r"^[-+]?(?:0|[1-9][0-9]{0,14})$", list("-+0123456789")),
    ("float", r"^[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$", list("-+0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


def read_marked_yaml(file: Path, name: str) -> MarkedYaml:
    """The mapping that a YAML file holds, with lines. Raises StudyError: unreadable, not UTF-8, not YAML,
    a key written twice, or no mapping at the top."""
    text = read_text(file, name)
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        raise StudyError(_syntax_error(error, name)) from error
    except RecursionError as error:
        raise StudyError(f"{name}: nested too deeply; a protocol has six levels at most") from error
    finally:
        loader.dispose()
    if not isinstance(root, MappingNode):
        raise StudyError(f"{name} line 1: no keys; write `key: value` lines, beginning with `id:`")
    lines: dict[KeyPath, int] = {(): 1}
    data = _value(root, (), lines, name)
    return MarkedYaml(name=name, data=data, lines=lines)


def read_text(file: Path, name: str) -> str:
    """A file's text without byte order mark. Raises StudyError when it can't be read, isn't UTF-8 or has
    characters that no text has."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise StudyError(f"{name}: can't be read ({error.strerror}); check that it is there") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise StudyError(f"{name} line {line}: not UTF-8; save the file as UTF-8") from error
    control = re.search(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    if control:
        line = text.count("\n", 0, control.start()) + 1
        raise StudyError(f"{name} line {line}: a control character; remove it")
    return text


def _syntax_error(error: yaml.MarkedYAMLError, name: str) -> str:
    mark = error.problem_mark or error.context_mark
    line = f" line {mark.line + 1}" if mark else ""
    problem = " ".join(str(error.problem or error.context or "not YAML").split())
    return f"{name}{line}: {problem}; check the indentation, colons and quotes there"


def _value(node: Node, path: KeyPath, lines: dict[KeyPath, int], name: str) -> Any:
    if isinstance(node, MappingNode):
        return _mapping(node, path, lines, name)
    if isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            lines[(*path, index)] = item.start_mark.line + 1
        return [_value(item, (*path, index), lines, name) for index, item in enumerate(node.value)]
    return _scalar(node, path, lines, name)


def _mapping(node: MappingNode, path: KeyPath, lines: dict[KeyPath, int], name: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, ScalarNode):
            raise StudyError(f"{name} line {line}: {key_text(path)}: a key must be one word")
        key = str(key_node.value)
        at = (*path, key)
        if at in lines:
            first = lines[at]
            raise StudyError(f"{name} line {line}: {key_text(at)}: written twice (line {first}); remove one")
        lines[at] = line
        result[key] = _value(value_node, at, lines, name)
    return result


def _scalar(node: Node, path: KeyPath, lines: dict[KeyPath, int], name: str) -> Any:
    line = node.start_mark.line + 1
    try:
        return SCALARS[node.tag.removeprefix("tag:yaml.org,2002:")](node.value)
    except (KeyError, ValueError) as error:
        message = f"the tag {node.tag} isn't read here; remove it"
        raise StudyError(f"{name} line {line}: {key_text(path)}: {message}") from error
