"""What is kept of a defect of ours: where it happened, and nothing of the data it happened on."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
import traceback


def write_defect(error: BaseException, now: dt.datetime) -> str:
    """Writes the places of the failing calls to a log, and gives the line to show.

    Messages of errors are left out: they may repeat a patient's value.
    """
    places = []
    current: BaseException | None = error
    while current is not None:
        places.append(f"{type(current).__module__}.{type(current).__qualname__}")
        places += [
            f"  {frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(current.__traceback__)
        ]
        current = current.__cause__ or current.__context__
    told = f"a defect of Cove ({type(error).__name__}); what was landed is kept; please report"
    try:
        handle, name = tempfile.mkstemp(prefix=f"cove-{now:%Y%m%dT%H%M%S}-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8") as log:
            log.write("\n".join(places) + "\n")
    except OSError:
        # Python would print the first error's message beside this one.
        return f"{told} {' / '.join(place.strip() for place in places)}"
    return f"{told} the log {name}"
