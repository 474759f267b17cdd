"""Finds the line as received that a row came from."""

from __future__ import annotations

import tempfile
from pathlib import Path

from flows.home import Home
from flows.splitting import split


def source_line(home: Home, site: str, file: str, line: int) -> str:
    """The resource at a line (or entry) of a landed file, as received but for its line breaks."""
    landed = home.landing / site / file
    with tempfile.TemporaryDirectory(dir=home.root, prefix=".trace-") as work:
        for batch in split(landed, Path(work)):
            if batch and batch[0].line <= line <= batch[-1].line:
                for piece in batch:
                    if piece.line == line:
                        return (
                            piece.data.decode("utf-8", errors="replace").replace("\r", "").replace("\n", " ")
                        )
    raise LookupError(f"{file} line {line}: isn't in landing")
