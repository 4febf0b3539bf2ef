"""Lists: pages with continue tokens over one snapshot, resourceVersion rules, and the three forms.

Continue tokens have the API server's own form (base64 of {v, rv, start}); source: K8S
staging/src/k8s.io/apiserver/pkg/storage/continue.go. Objects are joined from their cached JSON.
"""

from __future__ import annotations

import base64
import binascii
import bisect
from typing import Any

import msgspec

from opsroom.simulator.kube import tables
from opsroom.simulator.kube.calls import Call, Form, go_complaint
from opsroom.simulator.kube.failures import ApiError, bad_request, expired_continue, garbage_version, too_large
from opsroom.simulator.kube.selectors import selection
from opsroom.simulator.kube.store import Store
from opsroom.simulator.kube.versions import Version

_ANY_VERSION = -1  # a continue token that takes whatever is there now


def parse_version(text: str) -> int:
    """A resourceVersion as a number. Raises ApiError 500, as the API server does for garbage."""
    if not text.isdigit():
        raise garbage_version(text)
    return int(text)


def list_objects(store: Store, call: Call) -> bytes:
    """The JSON of the list that `call` asks for. Raises ApiError 400, 410, 504."""
    target, query = call.target, call.query
    wanted = selection(target.kind, query.get("labelSelector", ""), query.get("fieldSelector", ""))
    token, limit = query.get("continue", ""), _limit(query.get("limit", ""))
    asked = query.get("resourceVersion", "")
    start = ""
    if token:
        rv, start = _decode(token)
        rv, versions = _snapshot(store, call, rv, start)
    else:
        rv, versions = _at(store, call, asked)
        if asked == "0":
            limit = 0  # served from the cache, which does not page
    keys = [_key(call, version) for version in versions]
    first = bisect.bisect_right(keys, start) if start else 0
    page, last = _take(versions, first, limit, wanted)
    more = last < len(versions)
    metadata: dict[str, Any] = {"resourceVersion": str(rv)}
    if more:
        metadata["continue"] = _encode(rv, keys[last - 1])
        if wanted is None:
            metadata["remainingItemCount"] = len(versions) - last
    elif target.kind.custom:
        metadata["continue"] = ""
    return _write(call, page, metadata, store.now())


def _limit(text: str) -> int:
    if not text:
        return 0
    if not text.lstrip("-").isdigit():
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return max(0, int(text))


def _at(store: Store, call: Call, asked: str) -> tuple[int, list[Version]]:
    target, match = call.target, call.query.get("resourceVersionMatch", "")
    if match and not asked:
        raise bad_request("resourceVersionMatch is forbidden unless resourceVersion is provided")
    wanted = parse_version(asked) if asked else 0
    if wanted > store.rv:
        raise too_large(wanted, store.rv)
    if match == "Exact":
        return wanted, store.versions_at(target.kind.plural, target.namespace, wanted)
    return store.rv, list(store.versions(target.kind.plural, target.namespace))


def _snapshot(store: Store, call: Call, rv: int, start: str) -> tuple[int, list[Version]]:
    target = call.target
    if rv == _ANY_VERSION:
        return store.rv, list(store.versions(target.kind.plural, target.namespace))
    try:
        return rv, store.versions_at(target.kind.plural, target.namespace, rv)
    except ApiError:
        raise expired_continue(_encode(_ANY_VERSION, start)) from None


def _key(call: Call, version: Version) -> str:
    meta = version.obj["metadata"]
    if call.target.namespace or not call.target.kind.namespaced:
        return f"/{meta['name']}\0"
    return f"/{meta['namespace']}/{meta['name']}\0"


def _take(versions: list[Version], first: int, limit: int, wanted: Any) -> tuple[list[Version], int]:
    """The page from `first` on, and the index after the last version that was looked at."""
    if wanted is None:
        last = min(len(versions), first + limit) if limit else len(versions)
        return versions[first:last], last
    page: list[Version] = []
    for index in range(first, len(versions)):
        if wanted(versions[index].obj):
            page.append(versions[index])
            if limit and len(page) == limit:
                return page, index + 1
    return page, len(versions)


def _encode(rv: int, start: str) -> str:
    text = msgspec.json.encode({"v": "meta.k8s.io/v1", "rv": rv, "start": start})
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def _decode(token: str) -> tuple[int, str]:
    prefix = "invalid continue token: continue key is not valid: "
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        raise bad_request(prefix + "illegal base64 data at input byte 0") from None
    try:
        fields = msgspec.json.decode(raw, type=dict[str, Any])
        return int(fields["rv"]), str(fields["start"])
    except (msgspec.DecodeError, KeyError, ValueError, UnicodeDecodeError):
        raise bad_request(prefix + go_complaint(raw)) from None


def _write(call: Call, page: list[Version], metadata: dict[str, Any], now: float) -> bytes:
    shown = call.target.shown
    if call.form is Form.TABLE:
        include = call.query.get("includeObject", "Metadata")
        objects = (version.obj for version in page)
        return msgspec.json.encode(tables.table(call.target.kind, objects, metadata, now, include))
    if call.form is Form.PARTIAL:
        items = [tables.partial(version.obj) for version in page]
        head = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}
        return msgspec.json.encode({**head, "items": items})
    parts = b",".join(call.target.item(version) for version in page)
    head_text = f'{{"kind":"{shown.kind}List","apiVersion":"{shown.api_version}","metadata":'.encode()
    return head_text + msgspec.json.encode(metadata) + b',"items":[' + parts + b"]}"
