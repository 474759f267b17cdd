"""Routes the files of a load in as many processes as there are processors, each with a folder of its own.

This process reads the files, cuts them into blocks, and routes blocks itself whenever the others have enough
to do. The others are started when it is known that there is enough for them: at once where the files are large,
else when what came out of archives is. They get their routers when this process has routed a block, with all that it
worked out for that, as compiled views; until then they import what they need.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from flows.blocks import Block, DeletionsBlock
from flows.errors import SourceError
from flows.landing import LandedFile
from flows.ledgers import Row
from flows.processes import process_pool, processors
from flows.routing import LEDGERS, LinesKey, Router, ledger_path
from flows.sorted_lines import Lines
from flows.splitting import blocks_of

START_AT = 32 << 20  # bytes; a process takes half a second to start
AHEAD = 2  # blocks that a process has at most: one to do, and one so that it never waits
ORDINALS = 1 << 40  # more than the lines of any load

# Makes a router that writes into a folder, its ordinals beginning after the given one. Sent to the processes.
MakeRouter = Callable[[Path, int], Router]


@dataclass(frozen=True)
class Routed:
    """The lines by what they are; the ledgers, with the length of their longest row (0: they have none); how many
    resources of each type a file was found to hold, before anything was made of them; and whether any came with a URL
    of its own, as in a Bundle.
    """

    lines: dict[LinesKey, list[Lines]]
    ledgers: dict[type[Row], tuple[list[Path], int]]
    types: list[Counter[str]]
    has_urls: bool

    @property
    def size(self) -> int:
        """The bytes of all lines."""
        return sum(lines.size for some in self.lines.values() for lines in some)

    def has_rows(self, ledger: type[Row]) -> bool:
        return self.ledgers[ledger][1] > 0


def route(
    files: Sequence[LandedFile],
    make_router: MakeRouter,
    work: Path,
    progress: Callable[[str], None] = lambda _: None,
) -> Routed:
    """Routes every resource of the files, which are known by their place in the sequence.

    Raises SourceError when another process was killed.
    """
    types: list[Counter[str]] = [Counter() for _ in files]
    try:
        with ExitStack() as stack:
            team = _Team(make_router, work, types, stack)
            if sum(file.size for file in files) >= START_AT:
                team.start_others()
            for number, file in enumerate(files):
                progress(f"{file.site}: {file.sha256[:12]}")
                for block in blocks_of(file.path, work):
                    wanted = DeletionsBlock(block) if file.has_only_deletions else block
                    team.take(number, file.site, wanted)
            closed = team.close()
    except BrokenProcessPool as error:
        raise SourceError(
            "a process of the load was ended from outside; free memory, and run again"
        ) from error
    lines: dict[LinesKey, list[Lines]] = defaultdict(list)
    for one in closed:
        for key, some in one.lines.items():
            lines[key].append(some)
    ledgers = {
        kind: ([ledger_path(one.folder, kind) for one in closed], max(one.longest[kind] for one in closed))
        for kind in LEDGERS
    }
    return Routed(lines, ledgers, types, any(one.has_urls for one in closed))


@dataclass(frozen=True)
class Closed:
    """What one router wrote: its folder, the longest row of each ledger, its lines, and whether it met a URL."""

    folder: Path
    longest: dict[type[Row], int]
    lines: dict[LinesKey, Lines]
    has_urls: bool


class _Team:
    def __init__(
        self, make_router: MakeRouter, work: Path, types: list[Counter[str]], stack: ExitStack
    ) -> None:
        self._folders = 0
        self._make_router, self._work, self._types, self._stack = make_router, work, types, stack
        self._size = 0
        self._own = make_router(self._new_folder(), 0)
        self._others: list[_Other] | None = None

    def take(self, file: int, site: str, block: Block) -> None:
        other = self._idle()
        if other is None:
            self._types[file] += self._own.take(file, site, block)
            self._prepare_others()
        else:
            other.take(file, site, block)
        self._size += block.size

    def close(self) -> list[Closed]:
        prepared = [other for other in self._others or () if other.is_prepared]
        closing = [other.close() for other in prepared]
        closed = [_closed(self._own), *(one.result() for one in closing)]
        for other in prepared:
            other.settle(everything=True)
        return closed

    def _idle(self) -> _Other | None:
        if self._others is None and self._size >= START_AT:
            self.start_others()
        return next((other for other in self._others or () if other.has_room()), None)

    def start_others(self) -> None:
        """Starts a process for each other processor: they get ready while this one goes on."""
        pools = [self._stack.enter_context(process_pool(1)) for _ in range(1, processors())]
        self._others = [_Other(pool, self._make_router, self._types) for pool in pools]

    def _prepare_others(self) -> None:
        for number, other in enumerate(self._others or (), 1):
            if not other.is_prepared:
                other.prepare(self._new_folder(), number * ORDINALS)

    def _new_folder(self) -> Path:
        folder = self._work / str(self._folders)
        folder.mkdir(mode=0o700)
        self._folders += 1
        return folder


class _Other:
    """One other process, and the blocks that it was given."""

    def __init__(self, pool: ProcessPoolExecutor, make_router: MakeRouter, types: list[Counter[str]]) -> None:
        self._pool, self._make_router, self._types = pool, make_router, types
        self._started = pool.submit(_import, make_router)
        self._ready: Future[None] | None = None
        self._given: deque[tuple[int, Future[Counter[str]]]] = deque()

    @property
    def is_prepared(self) -> bool:
        return self._ready is not None

    def prepare(self, folder: Path, first_ordinal: int) -> None:
        self._ready = self._pool.submit(_prepare, self._make_router, folder, first_ordinal)

    def has_room(self) -> bool:
        self.settle()
        return self.is_prepared and len(self._given) < AHEAD

    def take(self, file: int, site: str, block: Block) -> None:
        self._given.append((file, self._pool.submit(_take, file, site, block)))

    def close(self) -> Future[Closed]:
        return self._pool.submit(_close)

    def settle(self, *, everything: bool = False) -> None:
        """Counts what was found in the blocks that are done; raises what went wrong in one."""
        for task in (self._started, self._ready):
            if task is not None and (everything or task.done()):
                task.result()
        while self._given and (everything or self._given[0][1].done()):
            file, counted = self._given.popleft()
            self._types[file] += counted.result()


# The router of a process that was started for one.
_router: Router


def _import(make_router: MakeRouter) -> None:
    """To be given the function is to have imported its modules."""


def _prepare(make_router: MakeRouter, folder: Path, first_ordinal: int) -> None:
    global _router
    _router = make_router(folder, first_ordinal)


def _take(file: int, site: str, block: Block) -> Counter[str]:
    return _router.take(file, site, block)


def _close() -> Closed:
    return _closed(_router)


def _closed(router: Router) -> Closed:
    return Closed(router.folder, router.close(), router.lines, router.has_urls)
