"""Watches: streams of changes from a resourceVersion on, or with everything that is there first.

Rules: K8S staging/src/k8s.io/apiserver/pkg/storage/cacher. An object that leaves the selector is sent as DELETED
in its previous state; bookmarks come about each minute and two seconds before the end, to those who asked.
A stream that is not read fast enough is ended, as the API server does; the client watches again.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable

import msgspec

from opsroom.simulator.kube import tables
from opsroom.simulator.kube.calls import Call, Form
from opsroom.simulator.kube.failures import ApiError, invalid
from opsroom.simulator.kube.listing import parse_version
from opsroom.simulator.kube.selectors import selection
from opsroom.simulator.kube.store import Store
from opsroom.simulator.kube.versions import Event, EventType, Obj, Version, watch_line

BOOKMARK_SECONDS = 60.0
BEFORE_END_SECONDS = 2.0
SHORTEST_DEFAULT, LONGEST_DEFAULT = 1800.0, 3600.0
QUEUE_LIMIT = 100_000


class Hub:
    """Hands the store's events to the watches of each kind."""

    def __init__(self, store: Store) -> None:
        self._watches: dict[str, set[Watch]] = {}
        store.subscribe(self._hand_out)

    def _hand_out(self, event: Event) -> None:
        for watch in self._watches.get(event.resource, ()):
            watch.offer(event)

    def join(self, resource: str, watch: Watch) -> None:
        """Begin to hand out."""
        self._watches.setdefault(resource, set()).add(watch)

    def leave(self, resource: str, watch: Watch) -> None:
        """End it; leaving twice does no harm."""
        self._watches.get(resource, set()).discard(watch)


class Watch:
    """One open stream."""

    def __init__(self, store: Store, hub: Hub, call: Call) -> None:
        """Raises ApiError 400, 422 or 500 for parameters no stream is begun with."""
        query = call.query
        self._store, self._hub, self._call, self._target = store, hub, call, call.target
        fields = query.get("fieldSelector", "")
        if call.target.name:
            fields = f"metadata.name={call.target.name}"
        self._wanted: Callable[[Obj], bool] | None = selection(call.target.kind, query.get("labelSelector", ""), fields)
        self._bookmarks = query.get("allowWatchBookmarks", "") in ("1", "true")
        self._initial = query.get("sendInitialEvents", "") in ("1", "true")
        self._check_initial()
        text = query.get("resourceVersion", "")
        self._after = parse_version(text) if text else 0
        limit = query.get("timeoutSeconds", "")
        default = random.uniform(SHORTEST_DEFAULT, LONGEST_DEFAULT)  # noqa: S311 - spreads reconnects
        self._seconds = float(limit) if limit.isdigit() and int(limit) > 0 else default
        self._queue: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._overrun = False
        self._columns_sent = False

    def _check_initial(self) -> None:
        if not self._initial:
            return
        query = self._call.query
        if query.get("resourceVersionMatch") != "NotOlderThan" or not self._bookmarks:
            message = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
            cause = {"reason": "FieldValueForbidden", "message": message, "field": "resourceVersionMatch"}
            raise invalid(self._target.kind, "", [cause])

    async def lines(self) -> AsyncIterator[bytes]:
        """The stream, in chunks of whole lines; ends at the timeout."""
        try:
            try:
                yield self._begin()
            except ApiError as refusal:
                yield watch_line("ERROR", msgspec.json.encode(refusal.status()))
                return
            async for chunk in self._follow():
                yield chunk
        finally:
            self._hub.leave(self._target.kind.plural, self)

    def _begin(self) -> bytes:
        """Join, and what there is to send at once. No await in here: nothing is lost between the two."""
        store, kind = self._store, self._target.kind
        chunks: list[bytes] = []
        if self._initial or self._after == 0:
            versions = store.versions(kind.plural, self._target.namespace)
            chunks += [self._line("ADDED", one) for one in versions if not self._wanted or self._wanted(one.obj)]
            if self._initial:
                chunks.append(self._bookmark({"k8s.io/initial-events-end": "true"}))
            self._after = store.rv
        else:
            translated = map(self._translate, store.history(kind.plural, self._after))
            chunks += [line for line in translated if line is not None]
        self._after = max(self._after, store.rv)
        self._hub.join(kind.plural, self)
        return b"".join(chunks)

    async def _follow(self) -> AsyncIterator[bytes]:
        end = time.monotonic() + self._seconds
        bookmark = self._next_bookmark(end)
        while not self._overrun:
            until = min(end, bookmark)
            try:
                async with asyncio.timeout(max(0.0, until - time.monotonic())):
                    await self._wake.wait()
            except TimeoutError:
                if time.monotonic() >= end:
                    return
                bookmark = self._next_bookmark(end)
                yield self._drain() + self._bookmark({})
                continue
            yield self._drain()

    def _drain(self) -> bytes:
        self._wake.clear()
        chunk = b"".join(self._queue)
        self._queue.clear()
        return chunk

    def _next_bookmark(self, end: float) -> float:
        if not self._bookmarks:
            return end
        now = time.monotonic()
        last = end - BEFORE_END_SECONDS
        return min(now + BOOKMARK_SECONDS, last) if last > now + 0.01 else end

    def offer(self, event: Event) -> None:
        """Take an event that has just happened."""
        if event.rv <= self._after:
            return
        line = self._translate(event)
        if line is None:
            return
        if len(self._queue) >= QUEUE_LIMIT:
            self._overrun = True
        self._queue.append(line)
        self._wake.set()

    def _translate(self, event: Event) -> bytes | None:
        namespace = self._target.namespace
        if namespace and event.object["metadata"].get("namespace") != namespace:
            return None
        if self._wanted is None:
            plain = self._call.form is Form.OBJECT and self._target.shown is self._target.kind
            return event.line() if plain else self._line(event.type, event.version)
        before = event.previous is not None and self._wanted(event.previous)
        if event.type is EventType.DELETED:
            return self._line("DELETED", event.version) if before else None
        if self._wanted(event.object):
            return self._line("MODIFIED" if before else "ADDED", event.version)
        return self._line("DELETED", event.left_selection()) if before else None

    def _line(self, type_: str, version: Version) -> bytes:
        form = self._call.form
        if form is Form.OBJECT:
            return watch_line(type_, self._target.full(version))
        if form is Form.PARTIAL:
            return watch_line(type_, msgspec.json.encode(tables.partial(version.obj)))
        include = self._call.query.get("includeObject", "Metadata")
        rows = tables.rows(self._target.kind, [version.obj], self._store.now(), include)
        return watch_line(type_, self._table(rows, str(version.rv)))

    def _table(self, rows: list[Obj], rv: str) -> bytes:
        body = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": rv}}
        # Only the first table of a stream describes its columns.
        columns = None if self._columns_sent else tables.column_definitions(self._target.kind)
        self._columns_sent = True
        return msgspec.json.encode({**body, "columnDefinitions": columns, "rows": rows})

    def _bookmark(self, annotations: dict[str, str]) -> bytes:
        rv = str(self._store.rv)
        if self._call.form is Form.TABLE:
            return watch_line("BOOKMARK", self._table([], rv))
        metadata: Obj = {"resourceVersion": rv}
        if annotations:
            metadata["annotations"] = annotations
        shown = self._target.shown
        body: Obj = {"apiVersion": shown.api_version, "kind": shown.kind, "metadata": metadata}
        if self._call.form is Form.PARTIAL:
            body = tables.partial(body)
        return watch_line("BOOKMARK", msgspec.json.encode(body))
