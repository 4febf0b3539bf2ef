"""The simulated API server as an ASGI application.

One entry point: who asks (401), what is asked (404), may they (403), then the module that answers. The real
server's order of these checks is kept. Everything runs on one event loop beside the simulated controllers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from opsroom.simulator.kube import deleting, discovery, failures, listing, pods, scaling, tables
from opsroom.simulator.kube.access import Attributes, Auth, Authorizer, User
from opsroom.simulator.kube.bootstrap import bootstrap
from opsroom.simulator.kube.calls import Answer, Call, Form, ReviewTarget, accepted_form, decode_body, parse_target
from opsroom.simulator.kube.disruption import Disruption
from opsroom.simulator.kube.failures import ApiError
from opsroom.simulator.kube.hold import Hold
from opsroom.simulator.kube.reviews import Reviewer
from opsroom.simulator.kube.store import Store
from opsroom.simulator.kube.versions import Obj
from opsroom.simulator.kube.watching import Hub, Watch
from opsroom.simulator.kube.writing import Writer

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
IN_URL = "/as/"
_HEALTH = ("/healthz", "/livez", "/readyz")


class ApiServer:
    """Answers requests from one store."""

    def __init__(self, store: Store, auth: Auth, logs: pods.LogSource) -> None:
        self._store = store
        self._auth = auth
        self._authorizer = Authorizer(store)
        self._reviewer = Reviewer(auth, self._authorizer)
        self._writer = Writer(store, Hold(store, self._authorizer))
        self._disruption = Disruption(store)
        self._logs = pods.PodLogs(store, logs)
        self._hub = Hub(store)

    async def answer(self, request: Request) -> Response:
        """The response to any request."""
        try:
            return await self._dispatch(request)
        except ApiError as refusal:
            headers = {} if refusal.retry_after is None else {"retry-after": str(refusal.retry_after)}
            return _json(refusal.status(), refusal.code, headers)

    async def _dispatch(self, request: Request) -> Response:
        prefix, path = split_prefix(request.url.path)
        token = prefix.removeprefix(IN_URL)
        header = request.headers.get("authorization") or (f"Bearer {token}" if token else None)
        user = self._auth.of_header(header)
        target = parse_target(path)
        if target is None:
            self._authorizer.check(user, Attributes(request.method.lower(), path=path))
            return _outside(path, request.headers, prefix)
        body = await request.body()
        if isinstance(target, ReviewTarget):
            return self._review(target, user, request, body)
        call = Call(request.method, target, user, dict(request.query_params), request.headers, body)
        self._authorizer.check(user, call.asked())
        if target.kind.plural in self._store.initializing:
            raise failures.initializing()
        if target.kind.plural == "poddisruptionbudgets":
            self._disruption.settle()
        return self._below(call) if target.subresource else self._main(call)

    def _review(self, target: ReviewTarget, user: User, request: Request, body: bytes) -> Response:
        if request.method != "POST":
            raise failures.method_not_allowed()
        review = target.review
        self._authorizer.check(user, Attributes("create", review.group, review.plural, namespace=target.namespace))
        sent = decode_body(request.headers.get("content-type", ""), body)
        manager = request.headers.get("user-agent", "").partition("/")[0]
        answer = self._reviewer.answer(
            review, sent, user, manager=manager, namespace=target.namespace, now=self._store.now()
        )
        return _json(answer, 201)

    def _main(self, call: Call) -> Response:
        named = bool(call.target.name)
        match call.method:
            case "GET" | "HEAD" if call.watch:
                return StreamingResponse(Watch(self._store, self._hub, call).lines(), media_type="application/json")
            case "GET" | "HEAD" if named:
                return self._get(call)
            case "GET" | "HEAD":
                return _raw(listing.list_objects(self._store, call))
            case "POST" if not named:
                return self._written(call, self._writer.create(call))
            case "PUT" if named:
                return self._written(call, self._writer.update(call))
            case "PATCH" if named:
                return self._written(call, self._writer.patch(call))
            case "DELETE" if named:
                return self._written(call, deleting.delete(self._store, call))
            case "DELETE":
                return self._written(call, deleting.delete_many(self._store, call))
        raise failures.method_not_allowed()

    def _get(self, call: Call) -> Response:
        target = call.target
        version = self._store.version(target.kind.plural, target.namespace, target.name)
        if version is None:
            raise failures.not_found(target.kind, target.name)
        if call.form is Form.OBJECT:
            return _raw(target.full(version))
        return self._shaped(call, version.obj, 200)

    def _shaped(self, call: Call, obj: Obj, code: int) -> Response:
        if call.form is Form.PARTIAL:
            return _json(tables.partial(obj), code)
        if call.form is Form.TABLE and obj.get("kind") == call.target.shown.kind:
            metadata = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
            include = call.query.get("includeObject", "Metadata")
            stored = call.target.inward(obj)
            shown = tables.table(call.target.kind, [stored], metadata, self._store.now(), include)
            return _json(shown, code)
        return _json(obj, code)

    def _written(self, call: Call, answer: Answer) -> Response:
        response = self._shaped(call, answer.body, answer.code)
        for text in answer.warnings:
            response.headers.append("warning", f"299 - {_quoted(text)}")
        return response

    def _below(self, call: Call) -> Response:
        target = call.target
        kind, name = target.kind, target.subresource
        if name == "status" and kind.status:
            return self._main(call)
        if name == "scale" and kind.scale:
            return self._scale(call)
        if name not in dict(kind.other_subresources):
            if kind.custom:
                raise failures.not_found(kind, target.name)
            return _not_served()
        if name == "log":
            stream = self._logs.open(call)
            if stream is None:
                return Response(status_code=204)
            return StreamingResponse(stream, media_type="text/plain")
        if name == "eviction" and call.method == "POST":
            sent = decode_body(call.headers.get("content-type", ""), call.body) if call.body else {}
            code, status = pods.evict(self._store, self._disruption, call, sent)
            return _json(status, code)
        if name == "proxy":
            raise pods.refuse_proxy(self._store, call)
        raise failures.method_not_allowed()

    def _scale(self, call: Call) -> Response:
        kind = call.target.kind
        live = deleting.found(self._store, call)
        scale = scaling.scale_of(kind, live)
        if call.method != "GET":
            scale = self._writer.scale(call, live, scale)
        return _json(scale)


def kube_app(store: Store, auth: Auth, logs: pods.LogSource = pods.no_logs) -> Starlette:
    """The ASGI application of a simulated API server over `store`; puts the standard roles into it.

    Serve it on loopback with uvicorn, on the loop that also runs the controllers, and give uvicorn a
    `timeout_graceful_shutdown`: open watches do not end by themselves.
    """
    bootstrap(store)
    server = ApiServer(store, auth, logs)
    return Starlette(routes=[Route("/{path:path}", server.answer, methods=_METHODS)])


def split_prefix(path: str) -> tuple[str, str]:
    """`/as/TOKEN/api/v1` → (`/as/TOKEN`, `/api/v1`).

    kubectl sends no credentials at all over plain http, so the kubeconfig carries the token in the server's URL
    too; an Authorization header goes before it.
    """
    if not path.startswith(IN_URL):
        return "", path
    token, slash, rest = path.removeprefix(IN_URL).partition("/")
    return IN_URL + token, slash + rest


def _raw(body: bytes) -> Response:
    return Response(body, media_type="application/json")


def _json(body: Any, code: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), code, dict(headers or {}), "application/json")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _not_served() -> Response:
    return PlainTextResponse("404 page not found\n", 404)


def _outside(path: str, headers: Mapping[str, str], prefix: str) -> Response:
    """Discovery, version, health, OpenAPI; anything else is not served."""
    accept = headers.get("accept", "")
    parts = path.strip("/").split("/")
    match parts:
        case ["version"]:
            return _json(discovery.VERSION)
        case ["api" | "apis"] if _wants_aggregated(accept):
            body = msgspec.json.encode(discovery.aggregated(core=parts[0] == "api"))
            return Response(body, headers={"content-type": discovery.AGGREGATED})
        case ["api"]:
            return _json(discovery.core_versions())
        case ["apis"]:
            return _json(discovery.group_list())
        case ["api", version] if version == "v1":
            return _json(discovery.resource_list("", version))
        case ["apis", group] if group in discovery.groups():
            return _json(discovery.one_group(group))
        case ["apis", group, version] if (group, version) in discovery.served():
            return _json(discovery.resource_list(group, version))
        case ["openapi", "v3"]:
            return _json(discovery.openapi_paths(prefix))
        case ["openapi", "v3", "api", version] if version == "v1":
            return _json(discovery.openapi_document("", version))
        case ["openapi", "v3", "apis", group, version] if (group, version) in discovery.served():
            return _json(discovery.openapi_document(group, version))
    return PlainTextResponse("ok") if path in _HEALTH else _not_served()


def _wants_aggregated(accept: str) -> bool:
    # Only v2 is served; a client that also takes the plain form names it later in the header.
    first = accept.split(",")[0]
    return accepted_form(accept) is Form.OBJECT and "as=APIGroupDiscoveryList" in first and "v=v2;" in first + ";"
