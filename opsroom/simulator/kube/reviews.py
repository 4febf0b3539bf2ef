"""The kinds that are only asked and answered: access reviews, token reviews, "who am I".

Shapes: K8S staging/src/k8s.io/api/{authorization,authentication}/v1/types.go and the recorded transcripts.
"""

from __future__ import annotations

from typing import Any

from opsroom.simulator.clock import stamp
from opsroom.simulator.kube import fields
from opsroom.simulator.kube.access import Attributes, Auth, Authorizer, User
from opsroom.simulator.kube.failures import ApiError, bad_request
from opsroom.simulator.kube.resources import Kind, Review
from opsroom.simulator.kube.versions import Obj

AUDIENCE = "https://kubernetes.default.svc"


class Reviewer:
    """Answers reviews; `now` in Unix seconds stamps the ones that carry a time."""

    def __init__(self, auth: Auth, authorizer: Authorizer) -> None:
        self._auth = auth
        self._authorizer = authorizer

    def answer(self, review: Review, body: Obj, user: User, *, manager: str, namespace: str, now: float) -> Obj:
        """The review object with its status. Raises ApiError 400 for a body that asks nothing."""
        spec = _spec_of(body)
        time = stamp(now)
        if review.kind == "SelfSubjectReview":
            return _object(review, {"creationTimestamp": time}, {"status": {"userInfo": user.info()}})
        if review.kind == "SelfSubjectRulesReview":
            if not spec.get("namespace"):
                raise bad_request("no namespace on request")
            return _object(review, {}, {"spec": {}, "status": self._rules(user, spec["namespace"])})
        if review.kind == "TokenReview":
            status = self._token(str(spec.get("token", "")))
        else:
            status = self._access(review, spec, user, namespace)
        kind = Kind(review.plural, review.kind, review.group)
        stamped = fields.record_update(kind, None, {"metadata": {}, "spec": spec}, manager, None, time)
        return _object(review, stamped["metadata"], {"spec": spec, "status": status})

    def _token(self, token: str) -> dict[str, Any]:
        user = self._auth.by_token(token)
        if user is None:
            return {"user": {}, "error": "invalid bearer token"}
        return {"authenticated": True, "user": user.info(), "audiences": [AUDIENCE]}

    def _access(self, review: Review, spec: dict[str, Any], user: User, namespace: str) -> dict[str, Any]:
        if review.kind != "SelfSubjectAccessReview":
            user = User(str(spec.get("user", "")), tuple(spec.get("groups") or ()), str(spec.get("uid", "")))
        asked = attributes_of(spec)
        if asked is None or (review.namespaced and asked.namespace != namespace):
            raise ApiError(422, "Invalid", f'{review.kind}.{review.group} "" is invalid: spec', {})
        reason = self._authorizer.reason(user, asked)
        if reason is None:
            return {"allowed": False}
        return {"allowed": True, "reason": reason} if reason else {"allowed": True}

    def _rules(self, user: User, namespace: str) -> dict[str, Any]:
        resource_rules, other_rules = [], []
        for _, rule in self._authorizer.rules(user, namespace):
            if rule.get("nonResourceURLs"):
                other_rules.append({"verbs": rule["verbs"], "nonResourceURLs": rule["nonResourceURLs"]})
            else:
                kept = ("verbs", "apiGroups", "resources", "resourceNames")
                resource_rules.append({key: rule[key] for key in kept if rule.get(key)})
        return {"resourceRules": resource_rules, "nonResourceRules": other_rules, "incomplete": False}


def _spec_of(body: Obj) -> dict[str, Any]:
    spec = body.get("spec") or {}
    shapes = (("resourceAttributes", dict), ("nonResourceAttributes", dict), ("groups", list))
    if not isinstance(spec, dict) or any(not isinstance(spec.get(name) or kind(), kind) for name, kind in shapes):
        raise bad_request("couldn't get version/kind; json: the spec of a review is an object of objects")
    checked: dict[str, Any] = spec
    return checked


def attributes_of(spec: dict[str, Any]) -> Attributes | None:
    """What a review's spec asks for; None when it names neither a resource nor a path."""
    wanted = spec.get("resourceAttributes")
    if wanted is not None:
        return Attributes(
            verb=str(wanted.get("verb", "")),
            group=str(wanted.get("group", "")),
            resource=str(wanted.get("resource", "")),
            subresource=str(wanted.get("subresource", "")),
            namespace=str(wanted.get("namespace", "")),
            name=str(wanted.get("name", "")),
        )
    other = spec.get("nonResourceAttributes")
    if other is not None:
        return Attributes(verb=str(other.get("verb", "")), path=str(other.get("path", "")))
    return None


def _object(review: Review, metadata: dict[str, Any], rest: dict[str, Any]) -> Obj:
    return {"kind": review.kind, "apiVersion": f"{review.group}/v1", "metadata": metadata, **rest}
