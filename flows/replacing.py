"""Replacing a folder as a whole: readers see the former one or the new one, never a half."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def replace_folder(new: Path, target: Path) -> None:
    """Put the folder `new` in the place of `target`, which may or may not exist.

    On Linux both names are exchanged in one system call; where the file system can't, by two renames.
    A process killed in between leaves the former folder at its place or beside it.
    """
    if not target.exists():
        new.rename(target)
        return
    if not _exchange(new, target):
        aside = target.with_name(f"{new.name}.former")
        target.rename(aside)
        new.rename(target)
        new = aside
    shutil.rmtree(new)


def _exchange(one: Path, other: Path) -> bool:
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    done = renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    if done == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(other))
