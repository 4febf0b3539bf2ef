"""Secrets are found where they should be, and never show."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from opsroom.config.secrets import Secret, token
from opsroom.errors import ConfigError


def test_a_secret_shows_itself_only_when_asked() -> None:
    secret = Secret("hunter2")
    assert secret.reveal() == "hunter2"
    assert "hunter2" not in f"{secret} {secret!r} {[secret]} {vars if False else ''}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_a_token_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("abc\n")
    file.chmod(0o600)
    found = token("prometheus", {"PROMETHEUS_TOKEN_FILE": str(file)})
    assert found is not None
    assert found.reveal() == "abc"


@pytest.mark.parametrize(("text", "mode", "what"), [("abc", 0o644, "chmod 600"), ("", 0o600, "holds no token")])
def test_a_bad_token_file_is_refused(tmp_path: Path, text: str, mode: int, what: str) -> None:
    file = tmp_path / "token"
    file.write_text(text)
    file.chmod(mode)
    with pytest.raises(ConfigError, match=what):
        token("prometheus", {"PROMETHEUS_TOKEN_FILE": str(file)})


def test_a_missing_token_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="none"):
        token("prometheus", {"PROMETHEUS_TOKEN_FILE": str(tmp_path / "none")})


def test_a_token_of_one_server_goes_to_that_server_alone(tmp_path: Path) -> None:
    environment = {}
    for variable, text in (("PROMETHEUS_TOKEN_FILE", "all"), ("PROMETHEUS_PROM_EU_9090_TOKEN_FILE", "eu")):
        file = tmp_path / text
        file.write_text(text)
        file.chmod(0o600)
        environment[variable] = str(file)

    def found(url: str, shared: bool) -> str | None:
        secret = token("prometheus", environment, url=url, shared=shared)
        return secret.reveal() if secret is not None else None

    assert found("https://prom.eu:9090", True) == found("https://prom.eu:9090/base", False) == "eu"
    assert found("https://prom.us:9090", True) == "all"
    assert found("https://prom.us:9090", False) is None
    assert found("kube:monitoring/prometheus:9090", False) == "all"
