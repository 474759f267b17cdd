"""The demo: simulated hospitals behind servers and drop folders, pulled from in two nights a month apart.

Everything after that is the same run as on real hospitals.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import secrets
import shutil
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from demo.cohort import simulated_histories
from demo.drops import drop_first, drop_news, write_maps
from demo.earlier import a_month_earlier, changes
from demo.history import History
from demo.server.holdings import FIRST_NIGHT, SECOND_NIGHT
from demo.server.listening import Listener, listening, move_on
from demo.server.opening import exporting_hospitals, open_hospitals
from demo.server.tokens import ALGORITHMS, CLIENT
from flows.config import Config, read_config
from flows.errors import UserError
from flows.execute import execute, request_of
from flows.home import make_private, opened_private
from flows.progress import Progress, progress_for
from flows.run import Run
from flows.steps import ANALYSE, BUILD, LOAD, PULL, REPORT, Step

STUDY = "clofarabine"
MARK = "simulated"  # the file by which a folder is known as the demo's own


@dataclass(frozen=True)
class Places:
    """Where the demo writes: the report, the home, and what belongs to the hospitals (files, and cove.toml)."""

    out: Path
    home: Path
    hospitals: Path

    @property
    def drop(self) -> Path:
        return self.hospitals / "drop"

    @property
    def config(self) -> Path:
        return self.hospitals / "cove.toml"


def run_demo(out: Path, home: Path | None, *, as_flow: bool = False) -> Run:
    """Runs the reference study on simulated hospitals, and says so in the report."""
    places = Places(out, home or out.with_name(f"{out.name}-home"), out.with_name(f"{out.name}-hospitals"))
    _check(places)
    progress, current = progress_for(), simulated_histories()
    earlier = a_month_earlier(current)
    _prepare(places, earlier)
    tell = _in_turn(progress)
    with listening() as listener:
        config = _open(listener, places, earlier, current, tell)
        tell(f"eight simulated hospitals: five at {listener.origin}, three by files")
        tell(f"they are pulled by {places.config}")
        first = _run(places, config, progress, as_flow, _night("First night", FIRST_NIGHT))
        move_on(listener.hospitals)
        _tell_news(places, earlier, current, tell)
        steps = (_night("Second night", SECOND_NIGHT), LOAD, BUILD, ANALYSE, REPORT)
        last = _run(places, config, progress, as_flow, *steps)
    return replace(
        last, failures=(*first.failures, *last.failures), problems=(*first.problems, *last.problems)
    )


def _open(
    listener: Listener,
    places: Places,
    earlier: list[History],
    current: list[History],
    tell: Callable[[str], None],
) -> Config:
    """Opens the hospitals' servers; gives the configuration to pull from them by."""
    open_hospitals(
        listener,
        earlier,
        current,
        keys=_new_keys(places.home),
        clock=lambda: dt.datetime.now(dt.UTC),
        new_token=lambda: secrets.token_urlsafe(24),
        tell=tell,
    )
    return _write_config(places, listener.origin)


def _run(places: Places, config: Config, progress: Progress, as_flow: bool, *steps: Step) -> Run:
    request = request_of(STUDY, home=places.home, files=None, out=places.out, simulated=True, config=config)
    return execute(request, steps=steps, as_flow=as_flow, progress=progress)


def _night(name: str, at: dt.datetime) -> Step:
    return replace(PULL, title=f"{name}, {at.day} {at:%B %Y}: pulling from the hospitals")


def _check(places: Places) -> None:
    """Raises UserError, before anything is written, where a place can't be the demo's."""
    for option, folder in (("home", places.home), ("out", places.hospitals)):
        if folder.exists() and not (folder / MARK).exists() and any(folder.iterdir()):
            raise UserError(
                f"--{option} {folder}: holds other data; simulated hospitals need a folder of their own"
            )
    request_of(STUDY, home=places.home, files=None, out=places.out)


def _prepare(places: Places, earlier: list[History]) -> None:
    for folder in (places.home, places.hospitals):
        make_private(folder)
        (folder / MARK).touch()
    shutil.rmtree(places.drop, ignore_errors=True)
    drop_first(places.drop, earlier, FIRST_NIGHT)
    write_maps(places.hospitals)


def _new_keys(home: Path) -> dict[str, dict[str, Any]]:
    """Makes the client's key for each hospital that asks for one; gives what the hospitals know of them."""
    from joserfc.jwk import ECKey, RSAKey

    known = {}
    for name, algorithm in zip(exporting_hospitals(), ALGORITHMS, strict=True):
        parameters: Any = {"alg": algorithm, "kid": secrets.token_hex(8), "use": "sig"}
        key: ECKey | RSAKey = (
            ECKey.generate_key("P-384", parameters)
            if algorithm.startswith("E")
            else RSAKey.generate_key(2048, parameters)
        )
        path = _key_file(home, name)
        make_private(path.parent)
        with opened_private(path) as target:
            target.write(json.dumps(key.as_dict(private=True)).encode())
        known[name] = {"keys": [key.as_dict(private=False)]}
    return known


def _key_file(home: Path, name: str) -> Path:
    return home / "smart" / f"{name}.jwk"


def _write_config(places: Places, origin: str) -> Config:
    """Writes the configuration and reads it, as `cove pull` would."""
    keys = {name: _quoted(f"file:{_key_file(places.home, name)}") for name in exporting_hospitals()}
    template = Template(files("demo").joinpath("cove.toml").read_text(encoding="utf-8"))
    text = template.substitute(
        home=_quoted(str(places.home)),
        origin=origin,
        client=CLIENT,
        **{f"key_{name[-1]}": reference for name, reference in keys.items()},
    )
    places.config.write_text(text, encoding="utf-8")
    return read_config(places.config, os.environ)


def _quoted(text: str) -> str:
    """The text as TOML has it."""
    return json.dumps(text, ensure_ascii=False)


def _tell_news(
    places: Places, earlier: list[History], current: list[History], tell: Callable[[str], None]
) -> None:
    dropped = drop_news(places.drop, earlier, current, SECOND_NIGHT)
    counted = Counter(change for _, change in changes())
    tell(f"a month goes by: {', '.join(_several(count, change) for change, count in counted.items())}")
    for name, count in dropped.items():
        tell(f"{name} drops {count or 'no'} new files")


def _several(count: int, change: str) -> str:
    noun, _, rest = change.partition(" ")
    return f"{count} {noun}s {rest}"


def _in_turn(progress: Progress) -> Callable[[str], None]:
    """Tells from any thread, a line at a time."""
    lock = threading.Lock()

    def tell(text: str) -> None:
        with lock:
            progress.note(text)

    return tell
