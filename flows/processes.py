"""Other processes of this machine, for work that Python can only do in one thread."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def process_pool(workers: int, prepare: Callable[..., None], *arguments: Any) -> ProcessPoolExecutor:
    """Processes that call `prepare(*arguments)` first, and end when this one does, however it ends.

    They start anew rather than as copies: a copy of a process with threads, as Prefect's, may never move.
    """
    return ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(prepare, *arguments),
    )


def _begin(prepare: Callable[..., None], *arguments: Any) -> None:
    # The interrupt of a terminal goes to the whole group; the parent deals with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    prepare(*arguments)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
