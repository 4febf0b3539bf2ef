"""What looks like a secret in somebody else's sentence never gets further than the edge; what people write stays."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.domain.masking import MASK, masked, said, without_secrets

PLANTED = [
    ("Authorization: Bearer abcdef0123456789 sent", "abcdef0123456789"),
    ("got eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJlLWhlcmU back", "eyJhbGciOiJSUzI1NiJ9"),
    ("AKIAIOSFODNN7EXAMPLE with wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI"),
    ("the hash a3f5c8e1b2d4f6a7c9e0b1d2f3a4c5e6 opens it", "a3f5c8e1b2d4"),
    ("key 7Zk2Qp9LxV4mN8rT1sYw in use", "7Zk2Qp9LxV4m"),
    ("connect with password=hunter2 now", "hunter2"),
    ('config {"token": "hunter2"} read', "hunter2"),
    ("token: hunter2", "hunter2"),
    ("dsn postgres://ada:hunter2@db:5432/shop", "hunter2"),
    ("-----BEGIN EC PRIVATE KEY----- hunter2", "hunter2"),
    ("MHcCAQEEIIGl0pQ2vN7s8kLwZx3rYtUo1hJ5mB9dE4fC6aXqWnTvoAoGCCqGSM49", "MHcCAQEEIIGl0p"),
    ("Cookie: sid=hunter2; theme=dark", "hunter2"),
    ("PWD=hunter2 sessionId=hunter2", "hunter2"),
    ("https://hooks.slack.com/services/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", "x7Yz9Qw2"),
]


@pytest.mark.parametrize(("text", "secret"), PLANTED)
def test_a_secret_is_masked_wherever_it_stands(text: str, secret: str) -> None:
    for sentence in (text, f"at 12:04 {text}", f"{text}; again {text}"):
        assert secret not in said(sentence)
        assert MASK in said(sentence)


@pytest.mark.parametrize(
    "text",
    [
        "Scaled up replica set checkout-api-7d4f9b6c5d in payments to 3 from 2",
        "Deployment/checkout-api-7d4f9b6c5d exceeded its progress deadline",
        "pull registry/app:v1@sha256:e68ae332e8379a7f172cbaebb97d6383b1b64ab4460ff06f73afef3d4f2f8814",
        "uid e39639be-7a60-4a91-b306-98a1c0093492",
        "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 took 12ms",
        '{"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "ms": 12}',
        "at com.acme.CheckoutServiceImplV2Handler, io.netty.AbstractHttp2ServerConnection",
        "GET /api/v1/namespaces/payments/pods/checkout-api-7d4f9b6c5d-x2x4z/log 200",
        "2026-11-23T13:41:46.123456Z INFO [pool-3-thread-12] secret not found, token review failed",
    ],
)
def test_what_people_and_programs_need_to_read_stays(text: str) -> None:
    assert said(text) == text


def test_a_line_made_of_beginnings_of_tokens_is_read_to_its_end() -> None:
    line = b'"' + b"eyJ-" * 200_000 + b'"'
    assert without_secrets(line) == line


def test_half_a_secret_at_the_end_of_a_long_line_is_none_either() -> None:
    text = "x " * 40 + "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJlLWhlcmU"
    for limit in range(80, 100):
        assert "eyJ" not in said(text, limit)
        assert len(said(text, limit)) <= limit


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.text(max_size=200))
def test_any_sentence_can_be_masked_and_twice_is_as_good_as_once(text: str) -> None:
    once = said(text)
    assert said(once) == once
    assert masked(once) == once
