"""Lays a query out for a reader: a column a line, a subquery a step in."""

import re
from collections.abc import Iterator

TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|[(),]|\s+|[^\s'"(),]+""")
STEP = "    "
CLAUSES = ("from", "where")


def laid_out(sql: str) -> str:
    """The same SQL, only its white space changed, and none of that within a text."""
    tokens = [token if token.strip() else " " for token in TOKEN.findall(sql)]
    kept: list[str] = []
    for piece in _laid_out(tokens):
        if piece.startswith("\n") and kept and kept[-1] == " ":
            kept.pop()
        kept.append(piece)
    return "".join(kept).lstrip("\n")


def _laid_out(tokens: list[str]) -> Iterator[str]:
    # For each open parenthesis, whether a query stands in it; the statement itself is the first.
    opened = [True]
    for number, token in enumerate(tokens):
        indent = STEP * (sum(opened) - 1)
        if token == "(":
            opened.append(_next_word(tokens, number) == "select")
            yield "("
        elif token == ")":
            yield f"\n{STEP * (sum(opened) - 1)})" if opened.pop() else ")"
        elif opened[-1] and token == "select":
            yield f"\n{indent}select\n{indent}{STEP}"
        elif opened[-1] and token in CLAUSES:
            yield f"\n{indent}{token}"
        elif opened[-1] and token == ",":
            yield f",\n{indent}{STEP}"
        elif token != " " or not _is_after_break(tokens, number, is_query=opened[-1]):
            yield token


def _next_word(tokens: list[str], number: int) -> str:
    return next((token for token in tokens[number + 1 :] if token != " "), "")


def _is_after_break(tokens: list[str], number: int, *, is_query: bool) -> bool:
    return is_query and number > 0 and tokens[number - 1] in ("select", ",", "(")
