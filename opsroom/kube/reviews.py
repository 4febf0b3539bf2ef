"""Asking the API server about somebody else: whose token is this, and what may its owner do.

For a feed that serves others (the way of kube-rbac-proxy): TokenReview, then SubjectAccessReview. Both need rights of
their own (``system:auth-delegator``). Protocol: K8S staging/src/k8s.io/api/{authentication,authorization}/v1/types.go.
"""

from __future__ import annotations

from typing import Any

import msgspec

from opsroom.domain.clean import clean
from opsroom.errors import Unauthorized
from opsroom.kube.writer import Writer

TOKENS = "/apis/authentication.k8s.io/v1/tokenreviews"
ACCESS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


class Subject(msgspec.Struct, frozen=True):
    """Somebody whom the API server knows."""

    username: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: dict[str, tuple[str, ...]] = {}


async def subject_of(writer: Writer, token: str) -> Subject:
    """Whose ``token`` this is.

    Raises:
        Unauthorized: nobody's.
        NotPermitted, Unreachable: nobody would say.
    """
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
    status: dict[str, Any] = (await writer.post(TOKENS, body, field_manager="")).get("status") or {}
    user = status.get("user") or {}
    if status.get("authenticated") is not True or not user.get("username"):
        raise Unauthorized(
            "The cluster does not know this token", "Make a new one and store it with opsroom login feed"
        )
    return msgspec.convert(user, Subject)


async def subject_may(writer: Writer, who: Subject, namespace: str, group: str, resource: str, verb: str) -> bool:
    """Whether ``who`` may; an empty ``namespace`` asks for all of them.

    Raises:
        NotPermitted, Unreachable: nobody would say.
    """
    attributes = {"verb": verb, "group": group, "resource": resource}
    if namespace:
        attributes["namespace"] = namespace
    spec = {
        "user": who.username,
        "uid": who.uid,
        "groups": who.groups,
        "extra": who.extra,
        "resourceAttributes": attributes,
    }
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    status: dict[str, Any] = (await writer.post(ACCESS, body, field_manager="")).get("status") or {}
    return status.get("allowed") is True


def name_of(who: Subject) -> str:
    """For people."""
    return clean(who.username, 200)
