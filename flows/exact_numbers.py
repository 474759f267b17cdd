"""Writes numbers as JSON strings, digit for digit, where their written precision counts.

DuckDB's JSON reader passes every number through a double, and a double keeps 15 digits.
"""

import json
from typing import Any

import msgspec

from mappers.fields import FieldPath, Repeat, of_resource_type

Tree = dict[str, "Tree"]


class DuplicateKeyError(Exception):
    """An object of the resource has the same key twice."""


def tree_of(paths: frozenset[FieldPath]) -> Tree:
    """The paths by their first steps; an empty tree is the end of a path, and what repeats leads back."""
    tree: Tree = {}
    for path in paths:
        _grow(tree, path)
    return tree


def _grow(tree: Tree, path: FieldPath) -> None:
    if not path:
        return
    step, rest = path[0], path[1:]
    if not isinstance(step, Repeat):
        _grow(tree.setdefault(step, {}), rest)
        return
    _grow(tree, rest)
    for repeated in step.steps:
        branch = tree
        for name in repeated[:-1]:
            branch = branch.setdefault(name, {})
        # What is below the last step is what is below here.
        for name, below in branch.get(repeated[-1], {}).items():
            tree.setdefault(name, below)
        branch[repeated[-1]] = tree


def with_exact_numbers(data: bytes, tree: Tree) -> bytes:
    """The resource with the numbers at the tree's ends as strings, all others as they were written.

    Raises DuplicateKeyError, since writing the resource anew would hide it.
    """
    value = json.loads(data, parse_int=_as_written, parse_float=_as_written, object_pairs_hook=_unique)
    return msgspec.json.encode(_quoted(value, tree))


def _as_written(number: str) -> msgspec.Raw:
    return msgspec.Raw(number.encode())


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise DuplicateKeyError
    return made


def _quoted(value: Any, tree: Tree) -> Any:
    if isinstance(value, list):
        return [_quoted(item, tree) for item in value]
    if isinstance(value, msgspec.Raw):
        return value if tree else bytes(value).decode()
    if isinstance(value, dict):
        inner = {name: _quoted(value[name], branch) for name, branch in tree.items() if name in value}
        of_its_type = tree.get(of_resource_type(str(value.get("resourceType"))), {})
        inner |= {name: _quoted(value[name], branch) for name, branch in of_its_type.items() if name in value}
        return value | inner
    return value
