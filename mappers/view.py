"""Reads and checks a ViewDefinition (SQL on FHIR v2) into frozen dataclasses.

Every error says the file, the path within the view, the column of the FHIRPath where there is one, what is
wrong and what would be right.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from pathlib import Path
from typing import Any

from mappers.calendar import is_understood_date, is_understood_time
from mappers.fhirpath import FhirPathError, parse
from mappers.view_parts import Select, View, ViewColumn, ViewConstant, ViewError, ViewPath

# The keys of a ViewDefinition and its parts, as the standard lists them.
VIEW_KEYS = frozenset(
    [
        "resourceType",
        "id",
        "meta",
        "implicitRules",
        "language",
        "text",
        "contained",
        "extension",
        "modifierExtension",
        "url",
        "identifier",
        "version",
        "versionAlgorithmString",
        "versionAlgorithmCoding",
        "name",
        "title",
        "status",
        "experimental",
        "date",
        "publisher",
        "contact",
        "description",
        "useContext",
        "jurisdiction",
        "purpose",
        "copyright",
        "copyrightLabel",
        "approvalDate",
        "lastReviewDate",
        "effectivePeriod",
        "topic",
        "author",
        "editor",
        "reviewer",
        "endorser",
        "relatedArtifact",
        "profile",
        "fhirVersion",
        "resource",
        "constant",
        "select",
        "where",
    ]
)
SELECT_KEYS = frozenset(
    [
        "id",
        "extension",
        "modifierExtension",
        "column",
        "select",
        "forEach",
        "forEachOrNull",
        "repeat",
        "unionAll",
    ]
)
COLUMN_KEYS = frozenset(
    ["id", "extension", "modifierExtension", "name", "path", "description", "collection", "type", "tag"]
)
WHERE_KEYS = frozenset(["id", "extension", "modifierExtension", "path", "description"])
NO_CHARACTER = re.compile("[\0\ud800-\udfff]")
CONSTANT_KEYS = frozenset(["id", "extension", "modifierExtension", "name"])
CONSTANT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
ENVIRONMENT = frozenset({"rowIndex", "resource", "rootResource", "context"})
COLUMN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
COLUMN_TYPES = {
    name: kind
    for kind, names in {
        "text": "string code id uri url canonical oid uuid markdown base64Binary xhtml "
        "date dateTime instant time",
        "boolean": "boolean",
        "integer": "integer positiveInt unsignedInt integer64",
        "decimal": "decimal",
    }.items()
    for name in names.split()
}

CONSTANT_RANGES = {
    "integer": (-(2**31), 2**31 - 1),
    "positiveInt": (1, 2**31 - 1),
    "unsignedInt": (0, 2**31 - 1),
    "integer64": (-(2**63), 2**63 - 1),
}
UNDERSTOOD = {
    "date": is_understood_date,
    "dateTime": is_understood_date,
    "instant": is_understood_date,
    "time": is_understood_time,
}
EXAMPLES = {
    "date": "2024-02-29",
    "dateTime": "2024-02-29T10:00:00Z",
    "instant": "2024-02-29T10:00:00Z",
    "time": "10:00:00",
}


# Deeper than any resource; DuckDB's own limit is near 200 queries within another.
DEEPEST = 64


def read_view(path: Path | str, *, checks_paths: bool = True) -> View:
    """The view of a JSON file. Raises ViewError, also where the file can't be read or is no JSON.

    `checks_paths` is false where every FHIRPath is known to be right: each is read when it is needed.
    """
    file = Path(path)
    try:
        # Editors on Windows put a mark before the text.
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise ViewError(str(path), "", None, "there is no such file") from error
    except UnicodeDecodeError as error:
        raise ViewError(str(path), "", None, "is not UTF-8 text; save it as UTF-8") from error
    except json.JSONDecodeError as error:
        raise ViewError(
            str(path), f"line {error.lineno}", error.colno, f"is not JSON: {error.msg.lower()}"
        ) from error
    return view_from(content, file=str(path), checks_paths=checks_paths)


def view_from(content: object, *, file: str, checks_paths: bool = True) -> View:
    """The view of a ViewDefinition's JSON value; `file` is named in errors."""
    return _Reader(file, checks_paths=checks_paths).view(content)


class _Reader:
    """Goes down the JSON; `file` stays for the errors."""

    def __init__(self, file: str, *, checks_paths: bool) -> None:
        self.file, self.checks_paths = file, checks_paths

    def fail(self, at: str, message: str, column: int | None = None) -> ViewError:
        return ViewError(self.file, at, column, message)

    def view(self, content: object) -> View:
        view = self.object(content, "", VIEW_KEYS)
        if view.get("resourceType", "ViewDefinition") != "ViewDefinition":
            raise self.fail("resourceType", 'must be "ViewDefinition"')
        resource = self.text(view, "resource", "", 'name the resource type, as in "resource": "Patient"')
        name = view.get("name", Path(self.file).stem)
        if not isinstance(name, str) or not name:
            raise self.fail("name", 'must be a text; leave it out, or write it as in "name": "patients"')
        constants = tuple(
            self.constant(item, at) for item, at in self.items(view, "constant", "", is_required=False)
        )
        selects = tuple(self.select(item, at) for item, at in self.items(view, "select", ""))
        where = tuple(self.where(item, at) for item, at in self.items(view, "where", "", is_required=False))
        made = View(self.file, str(name), resource, constants, selects, where)
        self.check_names(made)
        self.check_constants(made)
        return made

    def select(self, content: object, at: str) -> Select:
        if at.count("[") > DEEPEST:
            raise self.fail("", f"selects more than {DEEPEST} levels deep; make it flatter")
        select = self.object(content, at, SELECT_KEYS)
        iterations = [key for key in ("forEach", "forEachOrNull", "repeat") if key in select]
        if len(iterations) > 1:
            raise self.fail(at, f"has {' and '.join(iterations)}; keep one, and nest the other in a select")
        made = Select(
            at,
            tuple(self.column(i, a) for i, a in self.items(select, "column", at, is_required=False)),
            tuple(self.select(i, a) for i, a in self.items(select, "select", at, is_required=False)),
            tuple(self.select(i, a) for i, a in self.items(select, "unionAll", at, is_required=False)),
            self.path(select, "forEach", at) if "forEach" in select else None,
            self.path(select, "forEachOrNull", at) if "forEachOrNull" in select else None,
            tuple(self.parse(i, a) for i, a in self.items(select, "repeat", at, is_required=False)),
        )
        if not (made.columns or made.selects or made.union_all):
            raise self.fail(at, "selects nothing; give it a column, a select or a unionAll")
        self.check_union(made)
        return made

    def column(self, content: object, at: str) -> ViewColumn:
        column = self.object(content, at, COLUMN_KEYS)
        name = self.text(column, "name", at, "give the column a name")
        if not COLUMN_NAME.fullmatch(name):
            raise self.fail(
                f"{at}.name", f"{name!r} is no column name; use letters, digits and _, a letter first"
            )
        type_name = column.get("type")
        if type_name is not None and not isinstance(type_name, str):
            raise self.fail(f"{at}.type", f"must be a FHIR type as text, not {_json_kind(type_name)}")
        if type_name is not None and type_name not in COLUMN_TYPES:
            near = _nearest(str(type_name), COLUMN_TYPES)
            raise self.fail(f"{at}.type", f"{type_name!r} is no primitive FHIR type{near}")
        is_collection = column.get("collection", False)
        if not isinstance(is_collection, bool):
            raise self.fail(f"{at}.collection", "must be true or false")
        return ViewColumn(name, self.path(column, "path", at), type_name, is_collection, at)

    def where(self, content: object, at: str) -> ViewPath:
        return self.path(self.object(content, at, WHERE_KEYS), "path", at)

    def constant(self, content: object, at: str) -> ViewConstant:
        constant = self.object(content, at, None)
        name = self.text(constant, "name", at, "give the constant a name")
        if not CONSTANT_NAME.fullmatch(name):
            raise self.fail(f"{at}.name", f"{name!r} is no constant's name; use letters, digits and _")
        if name in ENVIRONMENT:
            raise self.fail(f"{at}.name", f"%{name} means something else in every view; choose another name")
        for key in constant:
            if key not in CONSTANT_KEYS and not key.startswith("value"):
                raise self.fail(f"{at}.{key}", "is no key of a constant; it has a name and a value")
        values = [key for key in constant if key.startswith("value")]
        if len(values) != 1:
            raise self.fail(at, f'has {len(values)} values; give it one, as in "valueString": "official"')
        suffix = values[0].removeprefix("value")
        type_name = suffix[:1].lower() + suffix[1:]
        if type_name not in COLUMN_TYPES:
            raise self.fail(f"{at}.{values[0]}", f"{type_name!r} is no primitive FHIR type")
        self.check_constant(constant[values[0]], type_name, f"{at}.{values[0]}")
        return ViewConstant(name, type_name, constant[values[0]])

    def check_constant(self, value: object, type_name: str, at: str) -> None:
        kind = COLUMN_TYPES[type_name]
        if type_name in CONSTANT_RANGES and isinstance(value, int):
            least, most = CONSTANT_RANGES[type_name]
            if not least <= value <= most:
                raise self.fail(at, f"must be between {least} and {most}, as every {type_name}")
        if isinstance(value, float) and not math.isfinite(value):
            raise self.fail(at, "must be a number that a double can hold")
        if type_name in UNDERSTOOD and isinstance(value, str) and not UNDERSTOOD[type_name](value):
            raise self.fail(at, f"must be a {type_name} as FHIR writes it, as in {EXAMPLES[type_name]!r}")
        allowed = {"text": (str,), "boolean": (bool,), "integer": (int,), "decimal": (int, float)}[kind]
        if not isinstance(value, allowed) or (isinstance(value, bool) and kind != "boolean"):
            wanted = {"text": "a text", "boolean": "true or false", "integer": "a whole number"}
            raise self.fail(at, f"must be {wanted.get(kind, 'a number')}")
        if isinstance(value, str):
            self.check_characters(value, at)

    def check_union(self, select: Select) -> None:
        """Branches of a union have the same columns, in the same order and of the same type."""
        for branch in select.union_all[1:]:
            first = [column.name for column in select.union_all[0].all_columns()]
            names = [column.name for column in branch.all_columns()]
            if names != first:
                message = f"has the columns {', '.join(names)}, the first branch {', '.join(first)}"
                raise self.fail(branch.at, f"{message}; give every branch the same, in the same order")

    def check_constants(self, view: View) -> None:
        names = [constant.name for constant in view.constants]
        for number, name in enumerate(names):
            if name in names[:number]:
                first = names.index(name)
                raise self.fail(
                    f"constant[{number}].name", f"{name!r} is also the name of constant[{first}]; rename one"
                )

    def check_names(self, view: View) -> None:
        seen: dict[str, str] = {}
        for column in view.all_columns():
            if column.name.lower() in seen:
                other = seen[column.name.lower()]
                raise self.fail(
                    f"{column.at}.name", f"{column.name!r} is also the name of {other}; rename one"
                )
            seen[column.name.lower()] = column.at

    def path(self, content: dict[str, Any], key: str, at: str) -> ViewPath:
        place = f"{at}.{key}" if at else key
        if key not in content:
            raise self.fail(at, f'has no {key}; write one, as in "{key}": "id"')
        return self.parse(content[key], place)

    def parse(self, content: object, at: str) -> ViewPath:
        if isinstance(content, str):
            self.check_characters(content, at)
        else:
            raise self.fail(at, f'must be a FHIRPath as text, not {_json_kind(content)}; write it in "…"')
        try:
            if self.checks_paths:
                parse(content)
        except FhirPathError as error:
            raise self.fail(at, error.message, error.column) from None
        return ViewPath(content, at)

    def check_characters(self, content: str, at: str) -> None:
        if found := NO_CHARACTER.search(content):
            raise self.fail(
                at, "has a NUL or half of a surrogate pair, which is no character", found.start() + 1
            )

    def object(self, content: object, at: str, keys: frozenset[str] | None) -> dict[str, Any]:
        if not isinstance(content, dict):
            raise self.fail(at, f"must be an object, not {_json_kind(content)}")
        for key in content:
            if keys and key not in keys:
                place = f"{at}.{key}" if at else key
                raise self.fail(place, f"is no key of this part of a view{_nearest(key, keys)}")
        return content

    def items(
        self, content: dict[str, Any], key: str, at: str, *, is_required: bool = True
    ) -> list[tuple[Any, str]]:
        place = f"{at}.{key}" if at else key
        if key not in content and not is_required:
            return []
        found = content.get(key)
        if not isinstance(found, list) or not found:
            raise self.fail(place, f"must be a list with at least one item, not {_json_kind(found)}")
        return [(item, f"{place}[{number}]") for number, item in enumerate(found)]

    def text(self, content: dict[str, Any], key: str, at: str, advice: str) -> str:
        found = content.get(key)
        if not isinstance(found, str) or not found:
            raise self.fail(f"{at}.{key}" if at else key, f"must be a text; {advice}")
        return found


def _nearest(word: str, known: Any) -> str:
    close = difflib.get_close_matches(word, sorted(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _json_kind(content: object) -> str:
    if content is None:
        return "nothing"
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    return kinds.get(type(content), "a number")
