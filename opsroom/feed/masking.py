"""Secrets that people and programs let slip into texts, masked by how they look. Pure.

Nothing that the worker reads is a secret by design: no Secret, no environment, no annotation reaches a frame. But an
event or an error may quote one, and a recording outlives the incident and is passed on. It works on a whole line of
JSON: every pattern stays inside one string of it, so what comes out is JSON of the same shape.
"""

from __future__ import annotations

import re

MASK = b"(masked)"

_NAME = rb"[\w-]{0,40}(?:pass(?:word|wd|phrase)|secret|token|credential|(?:api|private|access)[-_]?key)[\w-]{0,40}"
_QUOTE = rb"(?:\\\"|')?"

_SHAPES = (
    # -----BEGIN RSA PRIVATE KEY----- and what follows in the same text
    (re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^\"\\]|\\.)*"), MASK),
    # Authorization: Bearer x, Basic x
    (re.compile(rb"\b(bearer|basic)(\s+)[\w.~+/=-]{8,}", re.IGNORECASE), rb"\1\2" + MASK),
    # JSON Web Tokens, those of service accounts among them
    (re.compile(rb"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"), MASK),
    # https://user:password@host
    (re.compile(rb"(?<=://)[^/@\s\"\\]+(?=@)"), MASK),
    # password=x, "token": "x" in a quoted document, --api-key=x
    (
        re.compile(rb"(?<![\w-])(" + _NAME + _QUOTE + rb"\s*[=:]\s*" + _QUOTE + rb")[^\s\"'\\,;&(]{3,}", re.IGNORECASE),
        rb"\1" + MASK,
    ),
    # Tokens that begin with their maker's sign: AWS, GitHub, GitLab, Slack, Google
    (
        re.compile(
            rb"\b(?:(?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}"
            rb"|xox[abeprs]-[\w-]{10,}|AIza[\w-]{30,})"
        ),
        MASK,
    ),
)


def without_secrets(line: bytes) -> bytes:
    """``line`` (JSON, one line) with what looks like a secret replaced by ``(masked)``."""
    for shape, put in _SHAPES:
        line = shape.sub(put, line)
    return line
