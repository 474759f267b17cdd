"""A ViewDefinition as it was read: frozen, its FHIRPaths parsed, each with its place for errors."""

from __future__ import annotations

from dataclasses import dataclass

from mappers.fhirpath import Expression, parse


class ViewError(Exception):
    """What is wrong in a view: where in which file, and what to write instead."""

    def __init__(self, file: str, path: str, column: int | None, message: str) -> None:
        place = f"{file}: {path}" if path else file
        super().__init__(f"{place}, column {column}: {message}" if column else f"{place}: {message}")
        self.file = file
        self.path = path
        self.column = column
        self.message = message


@dataclass(frozen=True)
class ViewPath:
    """A FHIRPath of the view, and where in the view it stands (`select[0].column[1].path`)."""

    text: str
    at: str

    @property
    def tree(self) -> Expression:
        """The path, read when it is needed. Raises FhirPathError where it can't be."""
        return parse(self.text)


@dataclass(frozen=True)
class ViewColumn:
    name: str
    path: ViewPath
    type_name: str | None
    is_collection: bool
    at: str


@dataclass(frozen=True)
class Select:
    """A select of the view; at most one of `for_each`, `for_each_or_null` and `repeat` is there."""

    at: str
    columns: tuple[ViewColumn, ...] = ()
    selects: tuple[Select, ...] = ()
    union_all: tuple[Select, ...] = ()
    for_each: ViewPath | None = None
    for_each_or_null: ViewPath | None = None
    repeat: tuple[ViewPath, ...] = ()

    def all_columns(self) -> tuple[ViewColumn, ...]:
        """The columns in the order of the standard: own, nested selects', then the first union branch's."""
        nested = [column for select in self.selects for column in select.all_columns()]
        union = self.union_all[0].all_columns() if self.union_all else ()
        return (*self.columns, *nested, *union)


@dataclass(frozen=True)
class ViewConstant:
    """A constant: its FHIR type and its value as JSON gave it."""

    name: str
    type_name: str
    value: str | int | float | bool


@dataclass(frozen=True)
class View:
    file: str
    name: str
    resource: str
    constants: tuple[ViewConstant, ...]
    selects: tuple[Select, ...]
    where: tuple[ViewPath, ...]

    def all_columns(self) -> tuple[ViewColumn, ...]:
        return tuple(column for select in self.selects for column in select.all_columns())
