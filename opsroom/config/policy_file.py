"""The policy from its TOML file, inside the hard bounds that ``domain.policy`` sets."""

from __future__ import annotations

from pathlib import Path

import msgspec

from opsroom.config.toml_file import line_of, parse, read
from opsroom.domain.policy import Policy, out_of_bounds
from opsroom.errors import ConfigError


def load_policy(path: Path | None) -> Policy:
    """Read the policy at ``path``; the built-in policy where None is given.

    Raises:
        ConfigError: unreadable, not TOML, an unknown key, a wrong type, or a value outside the hard bounds.
    """
    if path is None:
        return Policy()
    return parse_policy(read(path), str(path))


def parse_policy(text: str, name: str) -> Policy:
    """The same for a text that is already here (of a ConfigMap); ``name`` stands for the file in errors."""
    policy = parse(text, Policy, name)
    bad = out_of_bounds(policy)
    if bad:
        key, words = bad[0]
        line = line_of(text, _path(policy, key))
        where = f"{name}:{line}" if line else name
        raise ConfigError(f"{where}: {key} must be {words}", "No policy may go beyond that; correct the value")
    return policy


def _path(policy: Policy, key: str) -> list[str | int]:
    """The TOML path of a key as ``out_of_bounds`` names it (``row 'x': max_seconds``, ``rails: window``, ``step``)."""
    if key.startswith("row "):
        for index, row in enumerate(policy.rows):
            if key.startswith(f"row {row.name!r}: "):
                return ["rows", index, key.rpartition(": ")[2]]
    return [part for piece in key.split(": ") for part in piece.split(".")]


def write_policy(policy: Policy) -> str:
    """``policy`` as TOML, without the values that are built in; ``load_policy`` reads it back equal."""
    import tomli_w

    return tomli_w.dumps(msgspec.to_builtins(policy))
