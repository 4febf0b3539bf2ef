"""Settings and policy files: what is right is read, what is wrong is named with file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.cli import main
from opsroom.config.policy_file import load_policy, parse_policy, write_policy
from opsroom.config.settings import load_settings
from opsroom.domain.clean import clean
from opsroom.domain.policy import Policy, PolicyRow, Rails
from opsroom.errors import ConfigError

GOOD = """
context = "prod-eu"
namespaces = ["shop", "pay"]

[prometheus]
url = "http://prometheus:9090"

[screen]
theme = "day"

[screen.keymap]
"rollout.promote" = "P"
"""


def test_settings_are_read(tmp_path: Path) -> None:
    file = tmp_path / "opsroom.toml"
    file.write_text(GOOD)
    settings = load_settings(str(file), {})
    assert settings.context == "prod-eu"
    assert settings.namespaces == ("shop", "pay")
    assert settings.screen.keymap == {"rollout.promote": "P"}


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "opsroom.toml"
    file.write_text(GOOD)
    settings = load_settings(
        str(file), {"OPSROOM_CONTEXT": "other", "OPSROOM_NAMESPACES": "a,b c", "OPSROOM_PROMETHEUS": "http://p"}
    )
    assert (settings.context, settings.namespaces, settings.prometheus.url) == ("other", ("a", "b", "c"), "http://p")


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        (GOOD.replace("theme", "theem"), ":9:", "screen.theem is not a setting"),
        (GOOD.replace('"day"', "7"), ":9:", "screen.theme: expected `str`, got `int`"),
        ("contxt = 1\n", ":1:", "contxt is not a setting"),
        ("[screen]\npromote_countdown = 60.0\n", "", "screen.promote_countdown must be 0 to 10 seconds"),
        (
            "[contexts.prod-eu]\nroll_back_countdown = -1.0\n",
            "",
            "contexts.prod-eu.roll_back_countdown must be 0 to 10",
        ),
        ("[contexts.prod-eu]\nsecond = true\n", ":2:", "contexts.prod-eu.second is not a setting"),
        ("context = \n", "line 1", "is not TOML"),
        ('path = "x"\n', "", "path is not a setting"),
        ("[prometheus]\ntimeout = inf\n", "", "prometheus.timeout must be more than 0 and at most 300 seconds"),
        ("[prometheus]\ntimeout = nan\n", "", "prometheus.timeout must be more than 0"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, where: str, what: str) -> None:
    file = tmp_path / "opsroom.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as error:
        load_settings(str(file), {})
    assert str(file) in str(error.value)
    assert where in str(error.value)
    assert what in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        'url = "https://bot:hunter2@prom.test/base"',
        'url = "https://hunter2@prom.test"',
        'headers = {authorization = "Bearer hunter2"}',
        'headers = {X-Scope-OrgID = "a", Cookie = "hunter2"}',
    ],
)
def test_a_secret_in_the_settings_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    file = tmp_path / "opsroom.toml"
    file.write_text(f"[prometheus]\n{text}\n")
    with pytest.raises(ConfigError, match="PROMETHEUS_TOKEN_FILE") as error:
        load_settings(str(file), {})
    assert "hunter2" not in str(error.value)


def test_a_secret_in_an_argument_is_refused_and_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["doctor"], ["manifest", "worker"], ["ls"]):
        main([*words, "--prometheus", "https://bot:hunter2@prom.test"])
        said = capsys.readouterr()
        assert "PROMETHEUS_TOKEN_FILE" in said.out + said.err
        assert "hunter2" not in said.out + said.err


@pytest.mark.parametrize("url", ["https://prom.test/@team/api", "kube:monitoring/prometheus:9090", "http://p:9090"])
def test_an_address_without_a_secret_is_taken(tmp_path: Path, url: str) -> None:
    file = tmp_path / "opsroom.toml"
    file.write_text("")
    assert load_settings(str(file), {"OPSROOM_PROMETHEUS": url}).prometheus.url == url


def test_a_file_that_was_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings(str(tmp_path / "none.toml"), {})


@pytest.mark.parametrize("value", ["maybe", "2"])
def test_a_truth_must_be_true_or_false(value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with pytest.raises(ConfigError, match="OPSROOM_READ_ONLY"):
        load_settings(None, {"OPSROOM_READ_ONLY": value})


ROWS = st.builds(
    PolicyRow,
    name=st.text(min_size=1, max_size=12).map(clean),
    match=st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=8), max_size=2),
    promote_below=st.floats(0, 0.3),
    rollback_above=st.floats(0.5, 0.9),
    min_requests=st.integers(50, 10_000),
    person=st.booleans(),
)


@given(st.builds(Policy, rows=st.lists(ROWS, min_size=1, max_size=3).map(tuple), rails=st.builds(Rails)))
def test_a_policy_that_is_written_reads_back_equal(policy: Policy) -> None:
    assert parse_policy(write_policy(policy), "policy") == policy


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ('[[rows]]\nname="a"\n\n[[rows]]\nname="b"\npromote_below=0.5\n', ":6:", "promote_below must be 0 to 0.3"),
        ("[[rows]]\nrollback_above=0.95\n", ":2:", "rollback_above must be 0.5 to 0.9"),
        ("[[rows]]\nmin_requests=10\n", ":2:", "at least 50"),
        ("[[rows]]\nmax_seconds=90000.0\n", ":2:", "24 h"),
        ("[rails]\nrollbacks=11\n", ":2:", "0 to 10"),
        ("[rails]\nwindow=0.001\n", ":2:", "60 s to 24 h"),
        ("[rails]\nwindow=nan\n", ":2:", "60 s to 24 h"),
        ("step=nan\n", ":1:", "at most 600 s"),
        ('[[rows]]\nname="a\\u001b]0;x"\n', ":2:", "one printable line"),
        ("[queue]\nslot=3\n", ":2:", "slot is not a setting"),
        ('[[queue.windows]]\nname="a"\nhotfixx=true\n', "", "hotfixx is not a setting"),
        ('[[queue.limits]]\nname="a\\u001b"\nslots=1\n', "", "one printable line"),
        ("[[rows]]\nmin_request=60\n", ":2:", "min_request is not a setting"),
        ('[[rows]]\nperson="yes"\n', ":2:", "expected `bool`"),
        ("[judge]\nfalse_rollbacks = 500.0\n", ":2:", "1 to 100 per 1000"),
        ("[judge.metrics.queue_depth]\nmatters = 0.2\nworse = 'sideways'\n", ":3:", "up or down"),
    ],
)
def test_no_policy_goes_beyond_the_bounds(tmp_path: Path, text: str, where: str, what: str) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as error:
        load_policy(file)
    assert f"{file}{where}" in str(error.value)
    assert what in str(error.value)


def test_without_a_file_the_built_in_policy_holds() -> None:
    assert load_policy(None) == Policy()
