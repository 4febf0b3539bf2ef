"""Tokens and RBAC."""

from __future__ import annotations

from typing import Any

import pytest

from opsroom.simulator.kube.access import ADMIN_TOKEN, VIEWER_TOKEN, Attributes, Auth, Authorizer, User
from opsroom.simulator.kube.bootstrap import bootstrap
from opsroom.simulator.kube.failures import ApiError
from opsroom.simulator.kube.store import Store

SRE = User("sre", ("oncall", "system:authenticated"))


@pytest.fixture
def store() -> Store:
    made = Store(lambda: 0.0, seed=1)
    bootstrap(made)
    return made


def grant(store: Store, *, namespace: str = "", subject: dict[str, str] | None = None, **rule: Any) -> None:
    role = {"metadata": {"name": "granted"}, "rules": [rule]}
    binding = {
        "metadata": {"name": "granted"},
        "roleRef": {"kind": "Role" if namespace else "ClusterRole", "name": "granted"},
        "subjects": [subject or {"kind": "User", "name": "sre"}],
    }
    store.create("roles" if namespace else "clusterroles", role, namespace=namespace or None)
    store.create("rolebindings" if namespace else "clusterrolebindings", binding, namespace=namespace or None)


def asked(verb: str = "patch", subresource: str = "", namespace: str = "shop", name: str = "") -> Attributes:
    return Attributes(verb, "argoproj.io", "rollouts", subresource, namespace, name)


def allowed(store: Store, user: User, attributes: Attributes) -> bool:
    return Authorizer(store).reason(user, attributes) is not None


def test_the_standard_tokens() -> None:
    auth = Auth()
    assert auth.of_header(f"Bearer {ADMIN_TOKEN}").name == "admin"
    assert auth.of_header(None).name == "system:anonymous"
    for header in ("Bearer nobody", "Basic eDp5", "Bearer"):
        with pytest.raises(ApiError) as refused:
            auth.of_header(header)
        assert refused.value.code == 401


def test_masters_may_everything_and_viewers_only_look(store: Store) -> None:
    auth = Auth()
    admin, viewer = auth.of_header(f"Bearer {ADMIN_TOKEN}"), auth.of_header(f"Bearer {VIEWER_TOKEN}")
    assert allowed(store, admin, asked())
    assert allowed(store, viewer, asked("list"))
    assert allowed(store, viewer, asked("watch", namespace=""))
    assert not allowed(store, viewer, asked("patch"))
    assert not allowed(store, viewer, Attributes("get", "", "secrets", namespace="shop"))


@pytest.mark.parametrize(
    ("rule", "attributes", "outcome"),
    [
        ({"apiGroups": ["argoproj.io"], "resources": ["rollouts"], "verbs": ["patch"]}, asked(), True),
        ({"apiGroups": ["argoproj.io"], "resources": ["rollouts"], "verbs": ["patch"]}, asked("delete"), False),
        (
            {"apiGroups": ["argoproj.io"], "resources": ["rollouts"], "verbs": ["patch"]},
            asked("patch", "status"),
            False,
        ),
        ({"apiGroups": ["argoproj.io"], "resources": ["*/status"], "verbs": ["*"]}, asked("patch", "status"), True),
        ({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}, asked("patch", "status"), True),
        ({"apiGroups": [""], "resources": ["rollouts"], "verbs": ["patch"]}, asked(), False),
        (
            {"apiGroups": ["argoproj.io"], "resources": ["rollouts"], "verbs": ["patch"], "resourceNames": ["a"]},
            asked(name="a"),
            True,
        ),
        (
            {"apiGroups": ["argoproj.io"], "resources": ["rollouts"], "verbs": ["patch"], "resourceNames": ["a"]},
            asked(name="b"),
            False,
        ),
        ({"nonResourceURLs": ["/metrics*"], "verbs": ["get"]}, Attributes("get", path="/metrics/x"), True),
        ({"nonResourceURLs": ["/metrics"], "verbs": ["get"]}, Attributes("get", path="/metrics/x"), False),
    ],
)
def test_a_rule_covers_what_it_names(store: Store, rule: Any, attributes: Attributes, outcome: bool) -> None:
    grant(store, **rule)
    assert allowed(store, SRE, attributes) is outcome


def test_a_role_binding_holds_in_its_namespace_only(store: Store) -> None:
    grant(store, namespace="shop", apiGroups=["argoproj.io"], resources=["rollouts"], verbs=["patch"])
    assert allowed(store, SRE, asked(namespace="shop"))
    assert not allowed(store, SRE, asked(namespace="other"))
    assert not allowed(store, SRE, asked(namespace=""))


@pytest.mark.parametrize(
    ("subject", "user"),
    [
        ({"kind": "Group", "name": "oncall"}, SRE),
        ({"kind": "ServiceAccount", "name": "worker", "namespace": "ops"}, User("system:serviceaccount:ops:worker")),
    ],
)
def test_subjects_may_be_groups_and_service_accounts(store: Store, subject: dict[str, str], user: User) -> None:
    grant(store, subject=subject, apiGroups=["argoproj.io"], resources=["rollouts"], verbs=["patch"])
    assert allowed(store, user, asked())
    assert not allowed(store, User("somebody"), asked())


def test_a_refusal_speaks_as_the_api_server_does(store: Store) -> None:
    with pytest.raises(ApiError) as refused:
        Authorizer(store).check(SRE, asked("patch", "status", name="checkout"))
    assert refused.value.message == (
        'rollouts.argoproj.io "checkout" is forbidden: User "sre" cannot patch resource "rollouts/status" '
        'in API group "argoproj.io" in the namespace "shop"'
    )
    assert refused.value.details == {"name": "checkout", "group": "argoproj.io", "kind": "rollouts"}
    with pytest.raises(ApiError, match="at the cluster scope"):
        Authorizer(store).check(SRE, Attributes("list", "", "namespaces"))
    with pytest.raises(ApiError, match='User "sre" cannot get path "/metrics"'):
        Authorizer(store).check(SRE, Attributes("get", path="/metrics"))


def test_the_reason_names_binding_role_and_subject(store: Store) -> None:
    grant(store, apiGroups=["argoproj.io"], resources=["rollouts"], verbs=["patch"])
    reason = Authorizer(store).reason(SRE, asked())
    assert reason == 'RBAC: allowed by ClusterRoleBinding "granted" of ClusterRole "granted" to User "sre"'
