"""FHIRPath text into a typed tree.

The grammar is `fhirpath.lark`. Every node keeps the column (from 1) where its distinguishing token stands, so
that whoever reads the tree can say where in the text something is wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from mappers.calendar import is_understood_date, is_understood_time


class FhirPathError(Exception):
    """What is wrong in a FHIRPath, and at which column (from 1) of its text."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.message = message
        self.column = column


@dataclass(frozen=True)
class Literal:
    """A written value. `kind` is string, boolean, integer, decimal, dateTime, time or empty; `text` its
    value."""

    kind: str
    text: str
    column: int


@dataclass(frozen=True)
class Constant:
    """`%name`: a constant of the view, or one of the environment's."""

    name: str
    column: int


@dataclass(frozen=True)
class Variable:
    """`$this`, `$index` or `$total`."""

    name: str
    column: int


@dataclass(frozen=True)
class Member:
    """An element by name, of `source` or, where that is None, of the context."""

    source: Expression | None
    name: str
    column: int


@dataclass(frozen=True)
class Call:
    """A function, applied to `source` or, where that is None, to the context."""

    source: Expression | None
    name: str
    arguments: tuple[Expression, ...]
    column: int


@dataclass(frozen=True)
class Item:
    """`source[index]`, counted from 0."""

    source: Expression
    index: Expression
    column: int


@dataclass(frozen=True)
class Unary:
    operator: str
    operand: Expression
    column: int


@dataclass(frozen=True)
class Binary:
    operator: str
    left: Expression
    right: Expression
    column: int


@dataclass(frozen=True)
class TypeOperator:
    """`operand is type_name` or `operand as type_name`."""

    operator: str
    operand: Expression
    type_name: str
    column: int


Expression: TypeAlias = Literal | Constant | Variable | Member | Call | Item | Unary | Binary | TypeOperator

LONGEST = 100_000  # characters of a FHIRPath
ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"} | {sign: sign for sign in "\\/'`\""}


def unescaped(quoted: str, column: int) -> str:
    """The text inside a pair of quotes, its escapes resolved; `column` is where it begins, for errors."""

    def resolve(match: re.Match[str]) -> str:
        code = match.group(1)
        if len(code) == 5:
            return chr(int(code[1:], 16))
        if code not in ESCAPES:
            known = "\\' \\\" \\` \\\\ \\/ \\f \\n \\r \\t or \\uXXXX"
            raise FhirPathError(f"\\{code} is no escape; use {known}", column + match.start() + 1)
        return ESCAPES[code]

    made = re.sub(r"\\(u[0-9a-fA-F]{4}|.)", resolve, quoted[1:-1], flags=re.DOTALL)
    try:
        # Characters beyond the first 65,536 are written as two escapes.
        made = made.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise FhirPathError("half of a surrogate pair is no character; write both halves", column) from None
    if "\0" in made:
        raise FhirPathError("a text can't hold the character NUL", column)
    return made


class TreeBuilder(Transformer[Token, Expression]):
    """Turns lark's tree into ours; one method for each alias in the grammar."""

    def start(self, children: list) -> Expression:
        return children[0]

    def identifier(self, children: list) -> Token:
        token = children[0]
        return token.update(value=unescaped(token, token.column)) if token.type == "DELIMITED" else token

    def type_name(self, children: list) -> Token:
        """The name without its namespace (`FHIR.Quantity`, `System.String`)."""
        first, second = children
        return second or first

    def arguments(self, children: list) -> tuple[Expression, ...]:
        return tuple(child for child in children if child is not None)

    def binary(self, children: list) -> Expression:
        left, operator, right = children
        return Binary(str(operator), left, right, operator.column)

    def unary(self, children: list) -> Expression:
        operator, operand = children
        return Unary(str(operator), operand, operator.column)

    def type_operator(self, children: list) -> Expression:
        operand, operator, name = children
        return TypeOperator(str(operator), operand, str(name), name.column)

    def member(self, children: list) -> Expression:
        source, name = children
        return Member(source, str(name), name.column)

    def root_member(self, children: list) -> Expression:
        return Member(None, str(children[0]), children[0].column)

    def call(self, children: list) -> Expression:
        source, name, arguments = children
        return Call(source, str(name), arguments, name.column)

    def root_call(self, children: list) -> Expression:
        name, arguments = children
        return Call(None, str(name), arguments, name.column)

    def index(self, children: list) -> Expression:
        source, index = children
        return Item(source, index, index.column)

    def constant(self, children: list) -> Expression:
        token = children[0]
        name = token[1:]
        return Constant(unescaped(name, token.column + 1) if name[0] in "`'" else str(name), token.column)

    def variable(self, children: list) -> Expression:
        return Variable(str(children[0]), children[0].column)

    def string(self, children: list) -> Expression:
        return Literal("string", unescaped(children[0], children[0].column), children[0].column)

    def boolean(self, children: list) -> Expression:
        return Literal("boolean", str(children[0]), children[0].column)

    def number(self, children: list) -> Expression:
        text = str(children[0])
        return Literal("decimal" if "." in text else "integer", text, children[0].column)

    def quantity(self, children: list) -> Expression:
        column = children[0].column
        raise FhirPathError(
            "a quantity literal is not supported; compare .value and .code one by one", column
        )

    def datetime(self, children: list) -> Expression:
        text = str(children[0])[1:]
        kind = "dateTime" if "T" in text else "date"
        # An hour may stand alone here, in FHIR's own dates it can't.
        if not is_understood_date(re.sub(r"T(\d\d)(?!:)", r"T\1:00", text).removesuffix("T")):
            raise FhirPathError(f"@{text} is no date that exists", children[0].column)
        return Literal(kind, text.removesuffix("T"), children[0].column)

    def time(self, children: list) -> Expression:
        text = str(children[0])[2:]
        if not is_understood_time(text if ":" in text else f"{text}:00"):
            raise FhirPathError(f"@T{text} is no time of day", children[0].column)
        return Literal("time", text, children[0].column)

    def empty(self, children: list) -> Expression:
        return Literal("empty", "", children[0].column)


@cache
def _grammar() -> Lark:
    grammar = Path(__file__).with_name("fhirpath.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", transformer=TreeBuilder(), maybe_placeholders=True)


EXPECTED = {
    "NAME": "a name",
    "STRING": "a text in '…'",
    "NUMBER": "a number",
    "RPAR": "')'",
    "RSQB": "']'",
}


@cache
def parse(text: str) -> Expression:
    """The tree of a FHIRPath. Raises FhirPathError with the column of the first thing that can't be read."""
    if not text.strip():
        raise FhirPathError("the FHIRPath is empty; write at least a name", 1)
    if len(text) > LONGEST:
        raise FhirPathError(f"the FHIRPath has {len(text)} characters; write one of at most {LONGEST}", 1)
    try:
        return _grammar().parse(text)  # type: ignore[return-value]
    except VisitError as error:
        if isinstance(error.orig_exc, FhirPathError):
            raise error.orig_exc from None
        raise
    except UnexpectedCharacters as error:
        column = error.column
        raise FhirPathError(f"{text[column - 1]!r} can't stand here{_expected(error)}", column) from None
    except UnexpectedToken as error:
        raise _at_token(error, text) from None


def _at_token(error: UnexpectedToken, text: str) -> FhirPathError:
    if error.token.type == "$END":
        return FhirPathError(f"the FHIRPath ends too early{_expected(error)}", len(text) + 1)
    return FhirPathError(f"{str(error.token)!r} can't stand here{_expected(error)}", error.column)


def _expected(error: UnexpectedInput) -> str:
    accepted = getattr(error, "accepts", None) or getattr(error, "allowed", None) or set()
    names = [wording for terminal, wording in EXPECTED.items() if terminal in accepted]
    return f"; expected {' or '.join(names)}" if names else ""
