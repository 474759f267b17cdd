"""The known name that is meant by a name that isn't known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`did you mean "evidence"?`, or the list of known names where none is near."""
    names = sorted(known)
    near = get_close_matches(name.lower(), [n.lower() for n in names], n=1, cutoff=0.6)
    if near:
        meant = next(n for n in names if n.lower() == near[0])
        return f'did you mean "{meant}"?'
    return f"known: {', '.join(names)}" if names else "none is known here"
