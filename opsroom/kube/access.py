"""What the holder of these credentials may do, asked of the API server itself and remembered for two minutes.

Protocol: K8S staging/src/k8s.io/api/authorization/v1/types.go. Both reviews are open to every authenticated user; "no
opinion" (neither allowed nor denied) means no. Admission may still refuse what a review allows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opsroom.clock import awake_or_not
from opsroom.domain.board import Right
from opsroom.domain.clean import clean
from opsroom.errors import NotPermitted, OpsroomError
from opsroom.kube.writer import Writer

REMEMBERED = 120.0
"""Seconds."""

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"

Question = tuple[str, str, str, str, str]


class Access:
    """Remembered answers to access reviews."""

    def __init__(self, writer: Writer, clock: Callable[[], float] = awake_or_not) -> None:
        self._writer = writer
        self._clock = clock
        self._answers: dict[Question, tuple[float, Right]] = {}

    async def may(self, namespace: str, group: str, resource: str, subresource: str, verb: str) -> Right:
        """Whether ``verb`` is allowed; ``allowed`` is None when the server cannot be asked.

        An empty ``namespace`` asks for all of them.
        """
        question = (namespace, group, resource, subresource, verb)
        known = self._answers.get(question)
        if known is not None and self._clock() - known[0] < REMEMBERED:
            return known[1]
        try:
            right = await may(self._writer, namespace, group, resource, subresource, verb)
        except NotPermitted:
            right = Right()
        except OpsroomError:
            return Right()
        self._answers[question] = (self._clock(), right)
        return right


async def may(
    writer: Writer, namespace: str, group: str, resource: str, subresource: str, verb: str, name: str = ""
) -> Right:
    """Ask the API server once, by a SelfSubjectAccessReview; without ``name`` for all objects of that kind.

    Raises:
        Unreachable, Unauthorized, NotPermitted: nobody would say.
    """
    attributes = {"verb": verb, "resource": resource, "group": group}
    if namespace:
        attributes["namespace"] = namespace
    if subresource:
        attributes["subresource"] = subresource
    if name:
        attributes["name"] = name
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    status: dict[str, Any] = (await writer.post(REVIEWS, body, field_manager="")).get("status") or {}
    if status.get("allowed") is True:
        return Right(allowed=True)
    return Right(allowed=False, missing=f"{verb} {resource}" + (f"/{subresource}" if subresource else ""))


async def whoami(writer: Writer) -> str:
    """The user name the API server knows us by; empty where it does not tell.

    Raises:
        Unreachable, Unauthorized: nobody would say.
    """
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    try:
        answer = await writer.post(WHOAMI, body, field_manager="")
    except NotPermitted:
        return ""
    user: dict[str, Any] = (answer.get("status") or {}).get("userInfo") or {}
    return clean(user.get("username", ""))
