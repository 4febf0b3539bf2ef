"""Whether a kind is served: discovery says so, or nobody does."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from opsroom.kube.reader import Reader
from opsroom.kube.served import absent, kind_of

HERE = "/apis/argoproj.io/v1alpha1"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (f"{HERE}/rollouts", (HERE, "rollouts")),
        (f"{HERE}/namespaces/shop/rollouts", (HERE, "rollouts")),
        (f"{HERE}/namespaces/shop/rollouts/cart", (HERE, "rollouts")),
        (f"{HERE}/namespaces/shop/rollouts/cart/status", (HERE, "rollouts/status")),
        ("/api/v1/namespaces", ("/api/v1", "namespaces")),
        ("/api/v1/namespaces/shop", ("/api/v1", "namespaces")),
        ("/api/v1/namespaces/shop/pods/x/log", ("/api/v1", "pods/log")),
        ("/version", ("", "")),
        ("/apis", ("", "")),
    ],
)
def test_a_path_names_its_kind(path: str, found: tuple[str, str]) -> None:
    assert kind_of(path) == found


@pytest.mark.parametrize(
    ("here", "groups", "gone"),
    [
        (["rollouts"], None, False),
        (["experiments"], None, True),
        (404, ["argoproj.io/v1alpha1"], False),
        (404, ["apps/v1"], True),
        (404, 503, False),
        (503, ["apps/v1"], False),
        (403, ["apps/v1"], False),
    ],
)
def test_only_a_full_answer_of_discovery_says_that_a_kind_is_not_served(
    kube: Any, here: Any, groups: Any, gone: bool
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        found = here if request.url.path == HERE else groups
        if isinstance(found, int):
            said: httpx.Response = kube.status(found)
            return said
        names = [{"name": name} for name in found]
        versions = [{"versions": [{"groupVersion": name}]} for name in found]
        body: httpx.Response = kube.body({"resources": names} if request.url.path == HERE else {"groups": versions})
        return body

    server = kube.Server(answer=answer)
    assert asyncio.run(absent(Reader(server.connection()), f"{HERE}/rollouts")) is gone
