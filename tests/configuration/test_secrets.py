"""A secret is where the reference says, and shown nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.config import Secret
from flows.errors import UserError
from tests.configuration.configured import REST, read


def test_a_secret_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hunter2\n")
    assert Secret("env:T", "a", "token", tmp_path).reveal({"T": "hunter2"}) == "hunter2"
    assert Secret("file:token", "a", "token", tmp_path).reveal({}) == "hunter2"


def test_a_secret_that_is_not_there_names_site_and_key(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "bytes").write_bytes(b"hunter2\xff")
    for reference, why in (
        ("env:T", "variable T isn't set"),
        ("file:gone", "can't be read"),
        ("file:empty", "is empty"),
        ("file:bytes", "isn't UTF-8"),
    ):
        with pytest.raises(UserError, match=f'site "a": token: .*{why}') as caught:
            Secret(reference, "a", "token", tmp_path).reveal({})
        assert "hunter2" not in str(caught.value)
        assert caught.value.__cause__ is None or "hunter2" not in repr(caught.value.__cause__)


def test_the_text_of_a_configuration_has_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T", "hunter2")
    config = read(tmp_path, REST + 'auth = "bearer"\ntoken = "env:T"\n')
    token = config.sites[0].token
    assert token is not None
    assert token.reveal() == "hunter2"
    assert str(token) == "env:T"
    assert "hunter2" not in repr(config)
