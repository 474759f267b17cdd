"""Reads a study: its protocol and the codelists that this names, checked; errors say where and what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from studies.checks import named_codelists, protocol_problems, unit_problems
from studies.codelists import Codelist, CodelistRow, read_codelist
from studies.ctcae import CtcaeRow, ctcae_rows
from studies.errors import StudyError
from studies.explaining import explain
from studies.marked_yaml import KeyPath
from studies.nearest import did_you_mean
from studies.protocol import Protocol
from studies.protocol_files import ProtocolFiles, read_protocol_files

__all__ = [
    "Codelist",
    "CodelistRow",
    "CtcaeRow",
    "Study",
    "StudyError",
    "bundled_studies",
    "ctcae_rows",
    "load_study",
]

STUDIES = Path(__file__).parent


@dataclass(frozen=True)
class Study:
    """A protocol with its criteria, the codelists that it names, by name, their folder, and the sha256 of all."""

    protocol: Protocol
    codelists: Mapping[str, Codelist]
    folder: Path
    digest: str


def bundled_studies() -> list[str]:
    """Ids of the studies that come with the package, sorted."""
    return sorted(file.parent.name for file in STUDIES.glob("*/protocol.yaml"))


def any_unit(text: str) -> bool:
    """Takes every text for a unit."""
    return True


def load_study(id_or_folder: str, is_unit: Callable[[str], bool] = any_unit) -> Study:
    """The study of a bundled id (it wins over a folder of that name) or of a folder with a `protocol.yaml`.

    `is_unit` says whether a text is a unit of UCUM. Raises StudyError, whose `errors` are one line each: where, what
    is wrong, what to do.
    """
    folder, shown_as = _find(id_or_folder)
    source = read_protocol_files(folder, shown_as)
    protocol = _validate(source)
    files = _codelist_files(protocol, source, folder, is_unit)
    codelists = {
        name: read_codelist(file, f"{shown_as}/codelists/{name}.csv") for name, file in files.items()
    }
    names = [f"criteria/{name}.yaml" for name in source.criteria]
    names += [f"codelists/{name}.csv" for name in sorted(codelists)]
    return Study(protocol, MappingProxyType(codelists), folder, _digest(folder, names))


def _find(id_or_folder: str) -> tuple[Path, str]:
    if id_or_folder in bundled_studies():
        return STUDIES / id_or_folder, f"studies/{id_or_folder}"
    folder = Path(id_or_folder)
    try:
        is_folder, is_file = folder.is_dir(), folder.is_file()
    except OSError:
        is_folder = is_file = False
    if is_folder and id_or_folder:
        return folder, str(folder)
    if is_file:
        raise StudyError(f'study "{id_or_folder}" is a file; give the folder that holds protocol.yaml')
    known = ", ".join(bundled_studies())
    near = did_you_mean(id_or_folder, bundled_studies())
    hint = near if near.startswith("did") else "give an id, or a folder with a protocol.yaml"
    raise StudyError(f'study "{id_or_folder}" isn\'t known (known: {known}); {hint}')


def _validate(source: ProtocolFiles) -> Protocol:
    # As JSON and strictly: nothing is coerced, and sections are still read from mappings.
    try:
        return Protocol.model_validate_json(json.dumps(source.data), strict=True)
    except ValidationError as error:
        raise StudyError(*explain(error, source)) from error


def _codelist_files(
    protocol: Protocol, source: ProtocolFiles, folder: Path, is_unit: Callable[[str], bool]
) -> dict[str, Path]:
    """The files of the codelists that the protocol names, by name. Raises StudyError when one isn't there, or
    when sections of the protocol don't fit each other."""
    present = {file.stem: file for file in (folder / "codelists").glob("*.csv")}
    problems = [*protocol_problems(protocol), *unit_problems(protocol, is_unit)]
    # A variation with a mistake names no codelists yet, nor one that wasn't looked at for want of criteria.
    if any(path[0] == "sensitivity" or path == ("response", "criteria_set") for path, _ in problems):
        _raise_if_any(problems, source)
    named = list(named_codelists(protocol))
    missing = [
        (path, f"no file codelists/{name}.csv; {did_you_mean(name, present)}")
        for path, name in named
        if name not in present
    ]
    _raise_if_any([*problems, *missing], source)
    return {name: present[name] for name in sorted({name for _, name in named})}


def _raise_if_any(problems: list[tuple[KeyPath, str]], source: ProtocolFiles) -> None:
    if problems:
        in_order = sorted(problems, key=lambda problem: source.order(problem[0]))
        raise StudyError(*(f"{source.where(path)}: {message}" for path, message in in_order))


def _digest(folder: Path, names: Sequence[str]) -> str:
    """sha256 over each file's name, length and bytes, the protocol first."""
    digest = hashlib.sha256()
    for name in ("protocol.yaml", *names):
        content = (folder / name).read_bytes()
        digest.update(f"{name}\n{len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()
