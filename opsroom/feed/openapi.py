"""The feed's description of itself: OpenAPI 3.1, served at ``/openapi.json``.

The shapes are those that frames are encoded with, so that they cannot differ from what is sent; a test holds the
paths against the routes. Whoever wants the feed in a program of their own, or wants to attack it, begins here.
https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

from typing import Any

import msgspec

from opsroom import __version__
from opsroom.feed.frames import NAMESPACE, Delta, Hello, Picture

REFUSALS = {
    "401": "The bearer token is missing or nobody's.",
    "403": "The caller may not see this, or called by a name that is not local.",
    "503": "There is no picture yet, the token cannot be checked now, or too many watch already.",
}

OPERATIONS = {
    "/feed": ("Hello, a whole Picture, then a Delta whenever something changed; comments are beats.", True),
    "/picture": ("Everything that this viewer may see, once.", True),
    "/metrics": ("Metrics of the worker in Prometheus' text format, for viewers of all namespaces.", True),
    "/healthz": ("Says ok while the feed answers.", False),
    "/openapi.json": ("This description.", True),
}
"""What each path gives, and whether it asks who calls. Every path answers GET only; all but the stream HEAD, too."""

_SCOPE: dict[str, Any] = {
    "name": NAMESPACE,
    "in": "query",
    "description": "Only these of the namespaces that the caller may see; all of them where none is named.",
    "schema": {"type": "array", "items": {"type": "string"}},
}


def description() -> dict[str, Any]:
    """The document, ready for JSON."""
    frames, shapes = msgspec.json.schema_components((Hello, Picture, Delta), ref_template="#/components/schemas/{name}")
    contents: dict[str, dict[str, Any]] = {
        "/feed": {"text/event-stream": {"schema": {"type": "string"}, "x-data-of-events": {"oneOf": list(frames)}}},
        "/picture": {"application/json": {"schema": frames[1]}},
        "/openapi.json": {"application/json": {"schema": {"type": "object"}}},
    }
    plain = {"text/plain": {"schema": {"type": "string"}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "opsroom feed", "version": __version__, "description": "Read only: nothing can be changed."},
        "paths": {
            path: {"get": _operation(path, words, contents.get(path, plain), asks)}
            for path, (words, asks) in OPERATIONS.items()
        },
        "components": {"schemas": shapes, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


def _operation(path: str, words: str, content: dict[str, Any], asks: bool) -> dict[str, Any]:
    answers: dict[str, Any] = {"200": {"description": words, "content": content}}
    for status, why in REFUSALS.items() if asks else ():
        answers[status] = {"description": why, "content": {"text/plain": {"schema": {"type": "string"}}}}
    # The empty choice: on a unix socket and on loopback nobody needs a token.
    security: list[dict[str, list[str]]] = [{}, {"token": []}] if asks else [{}]
    name = path.strip("/").removesuffix(".json")
    operation = {"operationId": name, "summary": words, "security": security, "responses": answers}
    return operation | ({"parameters": [_SCOPE]} if path in ("/feed", "/picture") else {})
