"""A configuration's text as a file, and what reading it says."""

from __future__ import annotations

from pathlib import Path

from flows.config import Config, ConfigError, Site, read_config

BULK = '[[site]]\nname = "a"\nsource = "bulk"\nurl = "https://host.example/fhir"\n'
REST = '[[site]]\nname = "a"\nsource = "rest"\nurl = "https://host.example/fhir"\n'
FILES = '[[site]]\nname = "a"\nsource = "files"\npath = "drop"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "cove.toml"
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, text: str, environ: dict[str, str] | None = None) -> Config:
    return read_config(written(folder, text), environ or {})


def site(folder: Path, text: str) -> Site:
    """The only site of a configuration."""
    (only,) = read(folder, text).sites
    return only


def said(folder: Path, text: str) -> list[str]:
    """The lines of the error, without the folder that the file is in."""
    try:
        read(folder, text)
    except ConfigError as error:
        return [line.replace(f"{folder}/", "") for line in error.errors]
    raise AssertionError("nothing was said")
