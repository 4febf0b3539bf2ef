"""One request to the API server, understood: what it names, what it wants, and in which form.

The path grammar and the verbs are those of K8S staging/src/k8s.io/apiserver/pkg/endpoints/request/requestinfo.go.
This module reads requests; it answers none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from opsroom.simulator.kube.access import Attributes, User
from opsroom.simulator.kube.event_spelling import NEW_EVENTS, as_core, as_new
from opsroom.simulator.kube.failures import bad_request
from opsroom.simulator.kube.protobuf import CONTENT_TYPE, decode_protobuf
from opsroom.simulator.kube.resources import BY_PLURAL, REVIEWS, Kind, Review
from opsroom.simulator.kube.versions import Obj, Version

_REVIEWS = {(review.group, review.plural): review for review in REVIEWS}
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "GET": "get", "HEAD": "get"}


class Form(StrEnum):
    """How objects are wanted."""

    OBJECT = "object"
    TABLE = "table"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names. `shown` differs from `kind` for events in their new spelling only."""

    kind: Kind
    shown: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    def full(self, version: Version) -> bytes:
        """A stored version as this path shows it."""
        return version.full() if self.shown is self.kind else msgspec.json.encode(as_new(version.obj))

    def item(self, version: Version) -> bytes:
        """A stored version as an item of a list on this path."""
        if self.shown is self.kind:
            return version.item()
        shown = as_new(version.obj)
        return msgspec.json.encode({key: shown[key] for key in shown if key not in ("kind", "apiVersion")})

    def outward(self, obj: Obj) -> Obj:
        """A stored object in this path's spelling."""
        return obj if self.shown is self.kind else as_new(obj)

    def inward(self, obj: Obj) -> Obj:
        """A sent object in the spelling of the store."""
        return obj if self.shown is self.kind else as_core(obj)


@dataclass(frozen=True, slots=True)
class ReviewTarget:
    """A path that names a review."""

    review: Review
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A request for a resource, with everything that decides its answer."""

    method: str
    target: Target
    user: User
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def watch(self) -> bool:
        """Whether a stream of changes is wanted."""
        return self.method == "GET" and self.query.get("watch", "") in ("1", "true", "True")

    @property
    def dry_run(self) -> bool:
        """Whether nothing may be stored. Raises ApiError 400 for a value other than All."""
        value = self.query.get("dryRun", "")
        if value not in ("", "All"):
            raise bad_request(f'dryRun: Unsupported value: "{value}": supported values: "All"')
        return value == "All"

    @property
    def manager(self) -> str:
        """The field manager: the query's, else the first word of the user agent."""
        agent = self.headers.get("user-agent", "")
        return self.query.get("fieldManager") or agent.partition("/")[0] or "unknown"

    @property
    def form(self) -> Form:
        """The first form of the Accept header that is known here."""
        return accepted_form(self.headers.get("accept", ""))

    def asked(self) -> Attributes:
        """What RBAC is asked about this request."""
        target = self.target
        verb = _VERBS.get(self.method, self.method.lower())
        if verb == "get" and self.watch:
            verb = "watch"
        elif verb == "get" and not target.name:
            verb = "list"
        elif verb == "delete" and not target.name:
            verb = "deletecollection"
        return Attributes(
            verb, target.shown.group, target.kind.plural, target.subresource, target.namespace, target.name
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What a write is answered with."""

    code: int
    body: Obj
    warnings: tuple[str, ...] = ()


def accepted_form(accept: str) -> Form:
    """Which form an Accept header asks for first, among those served."""
    for part in accept.split(","):
        parameters = {piece.strip() for piece in part.split(";")}
        if "as=Table" in parameters:
            return Form.TABLE
        if "as=PartialObjectMetadataList" in parameters or "as=PartialObjectMetadata" in parameters:
            return Form.PARTIAL
        if part.strip().startswith(("application/json", "*/*")):
            return Form.OBJECT
    return Form.OBJECT


def parse_target(path: str) -> Target | ReviewTarget | None:
    """The resource that a path under /api or /apis names; None when nothing of the kind is served."""
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) > 2:
        group, version, parts = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, parts = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 2 and parts[2] not in ("status", "finalize"):
        namespace, parts = parts[1], parts[2:]
    review = _REVIEWS.get((group, parts[0]))
    if review is not None and len(parts) == 1 and version == "v1":
        return ReviewTarget(review, namespace)
    shown = NEW_EVENTS if group == NEW_EVENTS.group and parts[0] == "events" else BY_PLURAL.get(parts[0])
    if shown is None or (shown.group, shown.version) != (group, version):
        return None
    if namespace and not shown.namespaced:
        return None
    name, subresource = (parts[1] if len(parts) > 1 else ""), (parts[2] if len(parts) > 2 else "")
    return Target(BY_PLURAL[parts[0]], shown, namespace, name, subresource)


def decode_json(body: bytes, prefix: str) -> Any:
    """The JSON of a body. Raises ApiError 400: `prefix` and the complaint of Go's decoder."""
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        raise bad_request(prefix + go_complaint(body)) from None


def decode_body(content_type: str, body: bytes) -> Obj:
    """The object in a body of JSON, YAML or protobuf. Raises ApiError 400, 415."""
    content = content_type.partition(";")[0].strip()
    prefix = "couldn't get version/kind; json parse error: "
    if content == CONTENT_TYPE:
        return decode_protobuf(body)
    if content == "application/yaml":
        return decode_yaml(body)
    obj = decode_json(body, prefix)
    if not isinstance(obj, dict):
        raise bad_request(prefix + "the body is no object")
    return obj


def decode_yaml(body: bytes) -> Obj:
    """The object in a body of YAML (or JSON, which is YAML). Raises ApiError 400."""
    try:
        declared = msgspec.json.decode(body)
    except msgspec.DecodeError:
        try:
            declared = msgspec.yaml.decode(body)
        except msgspec.DecodeError as problem:
            raise bad_request(f"error decoding YAML: {problem}") from None
    if not isinstance(declared, dict):
        raise bad_request("error decoding YAML: the body is no object")
    return declared


def go_complaint(body: bytes) -> str:
    """What Go's JSON decoder says about a broken text; exact for the breaks that clients make."""
    text = body.lstrip()
    if not text:
        return "unexpected end of JSON input"
    where = "looking for beginning of value"
    if text[:1] == b"{":
        text, where = text[1:].lstrip(), "looking for beginning of object key string"
        if not text or text[:1] == b'"':
            return "unexpected end of JSON input"
    first = text[0]
    shown = chr(first) if 32 <= first < 127 else f"\\x{first:02x}"
    return f"invalid character '{shown}' {where}"
