"""Who asks, and may they: bearer tokens, and RBAC evaluated over the Role objects in the store.

Rules: K8S plugin/pkg/auth/authorizer/rbac. Members of `system:masters` may do everything. Tokens stand for
users directly (as a static token file does); there are no service account tokens and no impersonation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from opsroom.simulator.kube.failures import ApiError, unauthorized
from opsroom.simulator.kube.store import Store
from opsroom.simulator.kube.versions import Obj

MASTERS = "system:masters"
AUTHENTICATED = "system:authenticated"
ADMIN_TOKEN = "simulated-admin"  # noqa: S105 - the simulator's own, on loopback
VIEWER_TOKEN = "simulated-viewer"  # noqa: S105


@dataclass(frozen=True, slots=True)
class User:
    """An authenticated user."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""

    def info(self) -> dict[str, Any]:
        """As `userInfo` of a review."""
        body: dict[str, Any] = {"username": self.name}
        if self.uid:
            body["uid"] = self.uid
        body["groups"] = list(self.groups)
        return body


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))


@dataclass(frozen=True, slots=True)
class Attributes:
    """What is asked for. `path` is set instead of the rest for a request that is not for a resource."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        """`rollouts/status`."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


class Auth:
    """The tokens that are known. Tests and the world add users; an admin and a viewer are always there."""

    def __init__(self) -> None:
        self._users: dict[str, User] = {}
        self.add(ADMIN_TOKEN, "admin", groups=(MASTERS,))
        self.add(VIEWER_TOKEN, "viewer", groups=("viewers",))

    def add(self, token: str, name: str, *, groups: tuple[str, ...] = (), uid: str = "") -> User:
        """Make `token` stand for this user; `system:authenticated` is added to the groups."""
        user = User(name, (*groups, AUTHENTICATED), uid)
        self._users[token] = user
        return user

    def by_token(self, token: str) -> User | None:
        """The user of a token, or None."""
        return self._users.get(token)

    def of_header(self, authorization: str | None) -> User:
        """The user of an `Authorization` header; anonymous without one. Raises ApiError 401."""
        if not authorization:
            return ANONYMOUS
        scheme, _, token = authorization.partition(" ")
        user = self._users.get(token.strip()) if scheme.lower() == "bearer" else None
        if user is None:
            raise unauthorized()
        return user


class Authorizer:
    """RBAC over Roles, ClusterRoles and their bindings in the store. It never denies, it only allows."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def reason(self, user: User, asked: Attributes) -> str | None:
        """Why it is allowed (may be empty), or None when nothing allows it."""
        if MASTERS in user.groups:
            return ""
        for why, rule in self.rules(user, asked.namespace):
            if _covers(rule, asked):
                return why
        return None

    def check(self, user: User, asked: Attributes) -> None:
        """Raise ApiError 403, in the API server's words, unless it is allowed."""
        if self.reason(user, asked) is None:
            raise forbidden(user, asked)

    def rules(self, user: User, namespace: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every rule that holds for the user (in `namespace`), each with the reason text of RBAC."""
        for binding in self._store.list("clusterrolebindings"):
            if (subject := _subject(binding, user, "")) is not None:
                where = f'ClusterRoleBinding "{binding["metadata"]["name"]}"'
                yield from self._role_rules(binding, "", where, subject)
        for binding in self._store.list("rolebindings", namespace) if namespace else ():
            if (subject := _subject(binding, user, namespace)) is not None:
                where = f'RoleBinding "{binding["metadata"]["name"]}/{namespace}"'
                yield from self._role_rules(binding, namespace, where, subject)

    def _role_rules(
        self, binding: Obj, namespace: str, where: str, subject: str
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        reference = binding.get("roleRef") or {}
        plural = "clusterroles" if reference.get("kind") == "ClusterRole" else "roles"
        role = self._store.get(plural, namespace, str(reference.get("name", "")))
        why = f'RBAC: allowed by {where} of {reference.get("kind")} "{reference.get("name")}" to {subject}'
        for rule in (role or {}).get("rules") or ():
            yield why, rule


def _subject(binding: Obj, user: User, namespace: str) -> str | None:
    for one in binding.get("subjects") or ():
        kind, name = one.get("kind"), one.get("name")
        if (kind == "User" and name == user.name) or (kind == "Group" and name in user.groups):
            return f'{kind} "{name}"'
        account = f"system:serviceaccount:{one.get('namespace', namespace)}:{name}"
        if kind == "ServiceAccount" and account == user.name:
            return f'ServiceAccount "{name}/{one.get("namespace", namespace)}"'
    return None


def _covers(rule: dict[str, Any], asked: Attributes) -> bool:
    verbs = rule.get("verbs") or ()
    if asked.verb not in verbs and "*" not in verbs:
        return False
    if asked.path:
        return any(_path_matches(pattern, asked.path) for pattern in rule.get("nonResourceURLs") or ())
    groups = rule.get("apiGroups") or ()
    if asked.group not in groups and "*" not in groups:
        return False
    wanted = {asked.full_resource, "*"}
    if asked.subresource:
        wanted.add(f"*/{asked.subresource}")
    if wanted.isdisjoint(rule.get("resources") or ()):
        return False
    names = rule.get("resourceNames") or ()
    return not names or asked.name in names


def _path_matches(pattern: str, path: str) -> bool:
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern


def forbidden(user: User, asked: Attributes) -> ApiError:
    """403 with the message of the API server: `… cannot VERB resource …`."""
    if asked.path:
        message = f'forbidden: User "{user.name}" cannot {asked.verb} path "{asked.path}"'
        return ApiError(403, "Forbidden", message, {})
    what = f"{asked.resource}.{asked.group}" if asked.group else asked.resource
    named = f'{what} "{asked.name}"' if asked.name else what
    where = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
    message = (
        f'{named} is forbidden: User "{user.name}" cannot {asked.verb} resource "{asked.full_resource}" '
        f'in API group "{asked.group}" {where}'
    )
    details: dict[str, Any] = {"name": asked.name} if asked.name else {}
    if asked.group:
        details["group"] = asked.group
    details["kind"] = asked.resource
    return ApiError(403, "Forbidden", message, details)
