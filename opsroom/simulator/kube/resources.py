"""The table of kinds that the simulated API server serves.

One row a kind: names, group and version, scope, subresources. Discovery, routing, storage and RBAC all read
this table and nothing else. Rows follow Kubernetes 1.36, the Argo Rollouts 1.9 and the Flagger 1.4x CRDs.
`events.k8s.io/v1` events are no row: they are the core events in another spelling (see event_spelling.py).
"""

from __future__ import annotations

from collections.abc import Iterator
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

    @property
    def api_version(self) -> str:
        """`v1`, or `group/version`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """`rollouts.argoproj.io`; the bare plural for the core group: how messages name a resource."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


# Under each group and version a row a kind: plural, kind, short name (- for none), marks. The marks are fields of Kind
# and categories; what has no `cluster` is namespaced.
_TABLE = """
v1
    namespaces                       Namespace                       ns      cluster status
    nodes                            Node                            no      cluster status
    pods                             Pod                             po      status generation all
    services                         Service                         svc     status all
    configmaps                       ConfigMap                       cm
    secrets                          Secret                          -
    events                           Event                           ev
    serviceaccounts                  ServiceAccount                  sa
    persistentvolumeclaims           PersistentVolumeClaim           pvc     status
    endpoints                        Endpoints                       ep
apps/v1
    deployments                      Deployment                      deploy  status scale generation all
    replicasets                      ReplicaSet                      rs      status scale generation all
    statefulsets                     StatefulSet                     sts     status scale generation all
    daemonsets                       DaemonSet                       ds      status generation all
    controllerrevisions              ControllerRevision              -
argoproj.io/v1alpha1
    rollouts                         Rollout                         ro      status scale custom generation
    analysisruns                     AnalysisRun                     ar      custom generation
    analysistemplates                AnalysisTemplate                at      custom generation
    clusteranalysistemplates         ClusterAnalysisTemplate         cat     cluster custom generation
    experiments                      Experiment                      exp     custom generation
flagger.app/v1beta1
    canaries                         Canary                          -       status custom generation all
    metrictemplates                  MetricTemplate                  -       status custom generation all
    alertproviders                   AlertProvider                   -       status custom generation all
coordination.k8s.io/v1
    leases                           Lease                           -
discovery.k8s.io/v1
    endpointslices                   EndpointSlice                   -
policy/v1
    poddisruptionbudgets             PodDisruptionBudget             pdb     status generation
autoscaling/v2
    horizontalpodautoscalers         HorizontalPodAutoscaler         hpa     status all
admissionregistration.k8s.io/v1
    mutatingadmissionpolicies        MutatingAdmissionPolicy         -       cluster generation api-extensions
    mutatingadmissionpolicybindings  MutatingAdmissionPolicyBinding  -       cluster generation api-extensions
rbac.authorization.k8s.io/v1
    roles                            Role                            -
    rolebindings                     RoleBinding                     -
    clusterroles                     ClusterRole                     -       cluster
    clusterrolebindings              ClusterRoleBinding              -       cluster
"""
_FURTHER = {
    "pods": (("log", "Pod"), ("eviction", "Eviction"), ("proxy", "PodProxyOptions")),
    "services": (("proxy", "ServiceProxyOptions"),),
}
_CATEGORIES = ("all", "api-extensions")


def _rows(table: str) -> Iterator[Kind]:
    group = version = ""
    for line in table.strip().splitlines():
        if not line.startswith(" "):
            group, _, version = line.rpartition("/")
            continue
        plural, kind, short, *marks = line.split()
        yield Kind(
            plural,
            kind,
            group,
            version,
            namespaced="cluster" not in marks,
            short=() if short == "-" else (short,),
            categories=tuple(mark for mark in marks if mark in _CATEGORIES),
            status="status" in marks,
            scale="scale" in marks,
            custom="custom" in marks,
            generation="generation" in marks,
            other_subresources=_FURTHER.get(plural, ()),
        )


KINDS: tuple[Kind, ...] = tuple(_rows(_TABLE))
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
