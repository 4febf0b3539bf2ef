"""What the API server answers when it refuses: one exception that carries a `Status` body.

The texts and shapes are those a real kube-apiserver 1.36 sends (see tests/conformance). This module knows
nothing of HTTP beyond status codes, and nothing of the store.
"""

from __future__ import annotations

from typing import Any

from opsroom.simulator.kube.resources import Kind


class ApiError(Exception):
    """A refusal: `code` is the HTTP status, `reason` the machine word, `details` the Status details."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: dict[str, Any] | None = None,
        retry_after: int | None = None,
        continue_token: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.retry_after = retry_after
        self.continue_token = continue_token

    def status(self) -> dict[str, Any]:
        """The `Status` object, as it is written on the wire."""
        body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {"continue": self.continue_token} if self.continue_token else {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = self.details
        body["code"] = self.code
        return body


def _details(kind: Kind, name: str, what: str) -> dict[str, Any]:
    details: dict[str, Any] = {}
    if name:
        details["name"] = name
    if kind.group:
        details["group"] = kind.group
    details["kind"] = what
    return details


def not_found(kind: Kind, name: str) -> ApiError:
    """404: the object is not there."""
    return ApiError(404, "NotFound", f'{kind.qualified} "{name}" not found', _details(kind, name, kind.plural))


def already_exists(kind: Kind, name: str) -> ApiError:
    """409 on create."""
    return ApiError(
        409, "AlreadyExists", f'{kind.qualified} "{name}" already exists', _details(kind, name, kind.plural)
    )


def conflict(kind: Kind, name: str, why: str | None = None) -> ApiError:
    """409: a resourceVersion or uid precondition did not hold."""
    why = why or ("the object has been modified; please apply your changes to the latest version and try again")
    return ApiError(
        409,
        "Conflict",
        f'Operation cannot be fulfilled on {kind.qualified} "{name}": {why}',
        _details(kind, name, kind.plural),
    )


def apply_conflict(conflicts: list[tuple[str, str]]) -> ApiError:
    """409 of server-side apply: `conflicts` are (words for the manager, field path)."""
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {who}", "field": path} for who, path in conflicts
    ]
    if len(conflicts) == 1:
        message = f"Apply failed with 1 conflict: conflict with {conflicts[0][0]}: {conflicts[0][1]}"
    else:
        by_manager: dict[str, list[str]] = {}
        for who, path in conflicts:
            by_manager.setdefault(who, []).append(path)
        lines = "\n".join(
            f"conflicts with {who}:\n" + "\n".join(f"- {path}" for path in paths) for who, paths in by_manager.items()
        )
        message = f"Apply failed with {len(conflicts)} conflicts: {lines}"
    return ApiError(409, "Conflict", message, {"causes": causes})


def bad_request(message: str) -> ApiError:
    """400."""
    return ApiError(400, "BadRequest", message)


def invalid(kind: Kind, name: str, causes: list[dict[str, str]]) -> ApiError:
    """422 with one cause a field; each cause is {reason, message, field}."""
    texts = [f"{cause['field']}: {cause['message']}" for cause in causes]
    listed = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
    owner = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    details = _details(kind, name, kind.kind)
    details["causes"] = causes
    return ApiError(422, "Invalid", f'{owner} "{name}" is invalid: {listed}', details)


def patch_does_not_apply() -> ApiError:
    """422 without any detail: what a JSON patch that fails, including its `test`, is answered with."""
    return ApiError(422, "Invalid", "the server rejected our request due to an error in our request", {})


def unsupported_media_type(accepted: list[str]) -> ApiError:
    """415."""
    return ApiError(
        415,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: " + ", ".join(accepted),
    )


def method_not_allowed() -> ApiError:
    """405."""
    return ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})


def too_old(asked: int, oldest: int) -> ApiError:
    """410 of a watch: history from `asked` on is gone."""
    return ApiError(410, "Expired", f"too old resource version: {asked} ({oldest})")


def unauthorized() -> ApiError:
    """401: a token nobody knows."""
    return ApiError(401, "Unauthorized", "Unauthorized")


def garbage_version(text: str) -> ApiError:
    """500 without a reason: what a resourceVersion that is no number is answered with."""
    message = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
    return ApiError(500, "", message)


def too_large(asked: int, current: int) -> ApiError:
    """504: a list at a resourceVersion that does not exist yet."""
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    details = {"causes": [cause], "retryAfterSeconds": 1}
    message = f"Timeout: Too large resource version: {asked}, current: {current}"
    return ApiError(504, "Timeout", message, details, retry_after=1)


def expired_continue(token: str) -> ApiError:
    """410: a continue token whose snapshot is gone; `token` continues with whatever is there now."""
    message = (
        "The provided continue parameter is too old to display a consistent list result. You can start a new list "
        "without the continue parameter, or use the continue token in this response to retrieve the remainder of "
        "the results. Continuing with the provided token results in an inconsistent list - objects that were "
        "created, modified, or deleted between the time the first chunk was returned and now may show up in the "
        "list."
    )
    return ApiError(410, "Expired", message, continue_token=token)


def initializing() -> ApiError:
    """429 of a kind whose CRD was installed a moment ago."""
    details = {"retryAfterSeconds": 1}
    return ApiError(429, "TooManyRequests", "storage is (re)initializing", details, retry_after=1)
