"""Label selectors, field selectors and LabelSelector objects as predicates on objects.

Grammar and error texts: K8S staging/src/k8s.io/apimachinery/pkg/labels/selector.go. Field selectors know
`metadata.name`, `metadata.namespace` and the few fields each built-in kind declares. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from opsroom.simulator.kube.failures import bad_request
from opsroom.simulator.kube.resources import Kind
from opsroom.simulator.kube.versions import Obj

Labels = dict[str, str]
Requirement = Callable[[Labels], bool]

_TOKEN = re.compile(r"\s*(==|!=|[=!,()<>]|[^\s=!,()<>]+)")
_SPECIAL = frozenset({"==", "!=", "=", "!", ",", "(", ")", "<", ">"})
_ANYWHERE = ("metadata.name", "metadata.namespace")
_FIELDS: dict[str, tuple[str, ...]] = {
    "pods": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "status.phase",
        "status.podIP",
    ),
    "events": (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
    "secrets": ("type",),
    "namespaces": ("status.phase",),
    "replicasets": ("status.replicas",),
    "nodes": ("spec.unschedulable",),
}


class _Tokens:
    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        self._at = 0

    def peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self._at += 1
        return token


def label_selector(text: str) -> Requirement:
    """`team=a,tier in (x,y),!old` → a predicate on labels. Raises ApiError 400 with the server's own words."""
    tokens = _Tokens(text)
    requirements: list[Requirement] = []
    while tokens.peek():
        if tokens.peek() in _SPECIAL and tokens.peek() != "!":
            raise bad_request(f"found '{tokens.peek()}', expected: !, identifier, or 'end of string'")
        requirements.append(_requirement(tokens))
        after = tokens.take()
        if not after:
            break
        if after != ",":
            raise bad_request(f"found '{after}', expected: ',' or 'end of string'")
        if not tokens.peek() or (tokens.peek() in _SPECIAL and tokens.peek() != "!"):
            raise bad_request(f"found '{tokens.peek()}', expected: identifier after ','")
    return lambda labels: all(requirement(labels) for requirement in requirements)


def _requirement(tokens: _Tokens) -> Requirement:
    if tokens.peek() == "!":
        tokens.take()
        absent = tokens.take()
        return lambda labels: absent not in labels
    key = tokens.take()
    if tokens.peek() in ("", ","):
        return lambda labels: key in labels
    operator = tokens.take()
    if operator in ("=", "==", "!="):
        value = "" if tokens.peek() in ("", ",") else tokens.take()
        if operator == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if operator in ("in", "notin"):
        values = _values(tokens)
        if operator == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    raise bad_request(f"unable to parse requirement: found '{operator}', expected: in, notin, =, ==, !=, gt, lt")


def _values(tokens: _Tokens) -> frozenset[str]:
    opening = tokens.take()
    if opening != "(":
        raise bad_request(f"unable to parse requirement: found '{opening}', expected: '('")
    values = set()
    while (word := tokens.take()) != ")":
        if not word:
            raise bad_request("unable to parse requirement: found '', expected: ',', or ')'")
        if word != ",":
            values.add(word)
    return frozenset(values)


def matches(selector: dict[str, Any] | None, labels: Labels | None) -> bool:
    """Whether a LabelSelector object (matchLabels, matchExpressions) selects these labels; {} selects all."""
    if selector is None:
        return False
    labels = labels or {}
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_expression(one, labels) for one in selector.get("matchExpressions") or ())


def _expression(one: dict[str, Any], labels: Labels) -> bool:
    key, operator, values = one.get("key", ""), one.get("operator"), one.get("values") or ()
    if operator == "In":
        return labels.get(key) in values
    if operator == "NotIn":
        return labels.get(key) not in values
    return (key in labels) == (operator == "Exists")


def as_text(selector: dict[str, Any] | None) -> str:
    """A LabelSelector object in its text form, as `/scale` shows it."""
    selector = selector or {}
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for one in selector.get("matchExpressions") or ():
        operator, listed = one.get("operator"), ",".join(sorted(one.get("values") or ()))
        words = {"In": f"{one['key']} in ({listed})", "NotIn": f"{one['key']} notin ({listed})"}
        parts.append(words.get(operator, one["key"] if operator == "Exists" else f"!{one['key']}"))
    return ",".join(parts)


def field_selector(kind: Kind, text: str) -> Callable[[Obj], bool]:
    """`metadata.name=x,status.phase!=Running` → a predicate on objects. Raises ApiError 400."""
    terms: list[tuple[str, str, bool]] = []
    for part in filter(None, text.split(",")):
        found = re.fullmatch(r"([^=!]+)(==|!=|=)(.*)", part)
        if not found:
            raise bad_request(f"invalid selector: '{text}'; can't understand '{part}'")
        path = found[1].replace("regarding.", "involvedObject.")
        if path not in _ANYWHERE and path not in _FIELDS.get(kind.plural, ()):
            where = f"{kind.group}/{kind.version}, Resource={kind.plural}"
            raise bad_request(
                f'Unable to find "{where}" that match label selector "", field selector "{text}": '
                f"field label not supported: {found[1]}"
            )
        terms.append((path, found[3], found[2] != "!="))
    return lambda obj: all((_field(obj, path) == value) == wanted for path, value, wanted in terms)


def _field(obj: Obj, path: str) -> str:
    if path == "source" and obj.get("kind") == "Event":
        return str((obj.get("source") or {}).get("component") or obj.get("reportingComponent") or "")
    value: Any = obj
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return "" if value is None else str(value)


def selection(kind: Kind, labels: str, fields: str) -> Callable[[Obj], bool] | None:
    """Both selectors of a request as one predicate; None when neither is given."""
    tests: list[Callable[[Obj], bool]] = []
    if labels:
        wanted = label_selector(labels)
        tests.append(lambda obj: wanted(obj["metadata"].get("labels") or {}))
    if fields:
        tests.append(field_selector(kind, fields))
    return (lambda obj: all(test(obj) for test in tests)) if tests else None
