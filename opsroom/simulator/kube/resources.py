"""The table of kinds that the simulated API server serves.

One row a kind: names, group and version, scope, subresources. Discovery, routing, storage and RBAC all read
this table and nothing else. Rows follow Kubernetes 1.36, the Argo Rollouts 1.9 and the Flagger 1.4x CRDs.
`events.k8s.io/v1` events are no row: they are the core events in another spelling (see event_spelling.py).
"""

from __future__ import annotations

from dataclasses import dataclass

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Kind:
    """One served kind. `plural` is its key everywhere in the simulator ("rollouts", "pods")."""

    plural: str
    kind: str
    group: str = ""
    version: str = "v1"
    namespaced: bool = True
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    status: bool = False  # has a /status subresource
    scale: bool = False  # has a /scale subresource
    custom: bool = False  # comes from a CRD: no strategic merge patch, items carry kind and apiVersion
    generation: bool = False  # metadata.generation is counted
    other_subresources: tuple[tuple[str, str], ...] = ()  # (name, kind): log, eviction, proxy
    singular: str = ""

    @property
    def api_version(self) -> str:
        """`v1`, or `group/version`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """`rollouts.argoproj.io`; the bare plural for the core group: how messages name a resource."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def one(self) -> str:
        """The singular name."""
        return self.singular or self.kind.lower()


_APPS = "apps"
_ARGO = "argoproj.io"
_FLAGGER = "flagger.app"
_RBAC = "rbac.authorization.k8s.io"
_ADMISSION = "admissionregistration.k8s.io"

KINDS: tuple[Kind, ...] = (
    Kind("namespaces", "Namespace", namespaced=False, short=("ns",), status=True),
    Kind("nodes", "Node", namespaced=False, short=("no",), status=True),
    Kind(
        "pods",
        "Pod",
        short=("po",),
        categories=("all",),
        status=True,
        generation=True,
        other_subresources=(("log", "Pod"), ("eviction", "Eviction"), ("proxy", "PodProxyOptions")),
    ),
    Kind(
        "services",
        "Service",
        short=("svc",),
        categories=("all",),
        status=True,
        other_subresources=(("proxy", "ServiceProxyOptions"),),
    ),
    Kind("configmaps", "ConfigMap", short=("cm",)),
    Kind("secrets", "Secret"),
    Kind("events", "Event", short=("ev",)),
    Kind("serviceaccounts", "ServiceAccount", short=("sa",)),
    Kind("persistentvolumeclaims", "PersistentVolumeClaim", short=("pvc",), status=True),
    Kind("endpoints", "Endpoints", short=("ep",), singular="endpoints"),
    Kind(
        "deployments",
        "Deployment",
        _APPS,
        short=("deploy",),
        categories=("all",),
        status=True,
        scale=True,
        generation=True,
    ),
    Kind(
        "replicasets",
        "ReplicaSet",
        _APPS,
        short=("rs",),
        categories=("all",),
        status=True,
        scale=True,
        generation=True,
    ),
    Kind(
        "statefulsets",
        "StatefulSet",
        _APPS,
        short=("sts",),
        categories=("all",),
        status=True,
        scale=True,
        generation=True,
    ),
    Kind(
        "daemonsets",
        "DaemonSet",
        _APPS,
        short=("ds",),
        categories=("all",),
        status=True,
        generation=True,
    ),
    Kind("controllerrevisions", "ControllerRevision", _APPS),
    Kind(
        "rollouts",
        "Rollout",
        _ARGO,
        "v1alpha1",
        short=("ro",),
        status=True,
        scale=True,
        custom=True,
        generation=True,
    ),
    Kind("analysisruns", "AnalysisRun", _ARGO, "v1alpha1", short=("ar",), custom=True, generation=True),
    Kind(
        "analysistemplates",
        "AnalysisTemplate",
        _ARGO,
        "v1alpha1",
        short=("at",),
        custom=True,
        generation=True,
    ),
    Kind(
        "clusteranalysistemplates",
        "ClusterAnalysisTemplate",
        _ARGO,
        "v1alpha1",
        namespaced=False,
        short=("cat",),
        custom=True,
        generation=True,
    ),
    Kind("experiments", "Experiment", _ARGO, "v1alpha1", short=("exp",), custom=True, generation=True),
    Kind(
        "canaries",
        "Canary",
        _FLAGGER,
        "v1beta1",
        categories=("all",),
        status=True,
        custom=True,
        generation=True,
    ),
    Kind(
        "metrictemplates",
        "MetricTemplate",
        _FLAGGER,
        "v1beta1",
        categories=("all",),
        status=True,
        custom=True,
        generation=True,
    ),
    Kind(
        "alertproviders",
        "AlertProvider",
        _FLAGGER,
        "v1beta1",
        categories=("all",),
        status=True,
        custom=True,
        generation=True,
    ),
    Kind("leases", "Lease", "coordination.k8s.io"),
    Kind("endpointslices", "EndpointSlice", "discovery.k8s.io"),
    Kind(
        "poddisruptionbudgets",
        "PodDisruptionBudget",
        "policy",
        short=("pdb",),
        status=True,
        generation=True,
    ),
    Kind(
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        "autoscaling",
        "v2",
        short=("hpa",),
        categories=("all",),
        status=True,
    ),
    Kind(
        "mutatingadmissionpolicies",
        "MutatingAdmissionPolicy",
        _ADMISSION,
        namespaced=False,
        categories=("api-extensions",),
        generation=True,
        singular="mutatingadmissionpolicy",
    ),
    Kind(
        "mutatingadmissionpolicybindings",
        "MutatingAdmissionPolicyBinding",
        _ADMISSION,
        namespaced=False,
        categories=("api-extensions",),
        generation=True,
    ),
    Kind("roles", "Role", _RBAC),
    Kind("rolebindings", "RoleBinding", _RBAC),
    Kind("clusterroles", "ClusterRole", _RBAC, namespaced=False),
    Kind("clusterrolebindings", "ClusterRoleBinding", _RBAC, namespaced=False),
)

BY_PLURAL: dict[str, Kind] = {kind.plural: kind for kind in KINDS}
BY_KIND: dict[tuple[str, str], Kind] = {(kind.api_version, kind.kind): kind for kind in KINDS}


@dataclass(frozen=True, slots=True)
class Review:
    """A kind that is only ever posted and answered, never stored."""

    plural: str
    kind: str
    group: str
    namespaced: bool = False


REVIEWS: tuple[Review, ...] = (
    Review("tokenreviews", "TokenReview", "authentication.k8s.io"),
    Review("selfsubjectreviews", "SelfSubjectReview", "authentication.k8s.io"),
    Review("subjectaccessreviews", "SubjectAccessReview", "authorization.k8s.io"),
    Review("selfsubjectaccessreviews", "SelfSubjectAccessReview", "authorization.k8s.io"),
    Review("selfsubjectrulesreviews", "SelfSubjectRulesReview", "authorization.k8s.io"),
    Review("localsubjectaccessreviews", "LocalSubjectAccessReview", "authorization.k8s.io", namespaced=True),
)
