"""Text that came from a source, made safe to print: on a terminal, and in a spreadsheet."""

from __future__ import annotations

import unicodedata

# What a spreadsheet takes for the beginning of a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def plain(text: str) -> str:
    """The text in one line, without control characters, marks of direction and halves of pairs.

    A terminal obeys escape sequences, and shows text after a mark of direction in another order.
    """
    kept = (
        "" if unicodedata.category(character) in ("Cc", "Cf", "Cs") else character
        for character in _spaced(text)
    )
    return "".join(kept).strip()


def shortened(text: str, width: int) -> str:
    """At most `width` characters, the last an ellipsis where some are left out."""
    return text if len(text) <= width else text[: width - 1] + "…"


def without_formula(text: str) -> str:
    """The text as a cell that no spreadsheet calculates."""
    return f"'{text}" if text.startswith(FORMULA) else text


def _spaced(text: str) -> str:
    return " ".join(text.split())
