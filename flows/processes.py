"""Other processes of this machine, for work that Python can only do in one thread."""

import gc
import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def process_pool(workers: int) -> ProcessPoolExecutor:
    """Processes that end when this one does, however it ends.

    They start anew rather than as copies: a copy of a process with threads, as Prefect's, may never move.
    What they need is sent as work: Python waits forever for a process that was killed while it was given
    much to begin with.
    """
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin)


def _begin() -> None:
    # The interrupt of a terminal goes to the whole group; the parent deals with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # What was imported stays to the end: the garbage collector needn't look at it.
    gc.freeze()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
