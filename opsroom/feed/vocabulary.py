"""Words that are nobody's: what Kubernetes, its controllers and opsroom say of any cluster.

In a copy for strangers a foreign sentence keeps only these and numbers; whatever else stands in it may be the name of
a person, a customer or a product. A word that is missing here costs a little of the story, one too many could cost a
secret: names people bear ("grace", "mark", "will") and names of trades ("payment", "checkout") do not belong here.
"""

from __future__ import annotations

import re
from enum import StrEnum

from opsroom.domain.board import Mode
from opsroom.domain.decision import FlagReason, Outcome
from opsroom.domain.deed import DeedState, Effect, Refusal, Verb
from opsroom.domain.flagger import CanaryPhase, Gate
from opsroom.domain.freshness import Cause, Freshness
from opsroom.domain.queue import Lane, QueueState, WaitReason
from opsroom.domain.rollout import Engine, Phase, Shape, StepKind
from opsroom.domain.verdict import VerdictState

_CODES: tuple[type[StrEnum], ...] = (
    *(CanaryPhase, Cause, DeedState, Effect, Engine, FlagReason, Freshness, Gate, Lane, Mode, Outcome, Phase),
    *(QueueState, Refusal, Shape, StepKind, Verb, VerdictState, WaitReason),
)

_SPEECH = """
a about above after again all already also although always an and another any anybody are as at away be because been
before began begin being below between both but by can cannot could did do does down during each either else enough
ever every exactly few first for from further had has have he here how if in into is it its itself just last later
least less let many may more most much must near neither never new newer newest next no nobody none nor not nothing now
of off often old older oldest on once one only or other others our out over own same second several shall she should
since so some somebody soon still such than that the their them then there these they third this those though three
through till to together too twice two under until up upon us very was we went were what when where whether which while
who whole whose why with within without would yes yet you your
"""

_KUBERNETES = """
d effect h m s
abort aborted aborting access account across activated active adding admission adoption affinity allocatable allocated
allowed analysis annotation annotations api apiserver apiversion app applied apply apps argo argocd argoproj assigned
assignment attach attached attempt attempts autoscale autoscaler autoscaling availability available average back backed
backend background backoff bad balance baseline batch best better binding blue bluegreen body bound break broken build
busy bytes came canaries canary cancel cancelled capacity cause causes certificate change changed changes check checked
checks claim class clear client clock cluster clusters code collision column command complete completed component
condition conditions config configmap configmaps configuration configured conflict connect connected connection
connections container containerd containers context continue control controller cordoned count cpu crash crashed
crashloop crd create created creating creation creator credentials cri current daemonset data day days deadline default
degraded delay delete deleted deleting deletion denied dependency deploy deployed deployment deployments desired detach
detached detected dev different digest direct disk disruption dns docker done drain drained draining dropped duplicate
dynamic elapsed empty enabled endpoint endpoints engine env ephemeral equal errimagepull error errors establish event
events evicted eviction evidence exceed exceeded exceeds exec execute existing exists exit exited expected expired
expression extension factor fail failed failing fails failure failures fatal fault feed fetch field fieldmanager file
files filesystem finalizer find finish finished finishes fit fix flag flagged flagger flow flux folder forbidden force
forced form format found free freeze frozen full gate gates gateway gb generation get gi go gone good got group half
halt halted handler handshake hash head health healthy held helm high higher hold hook hooks host hour hours hpa http
https id identity idle image imagepull images inactive inconclusive increase informer ingress init initial initialized
inject insufficient internal interval invalid io iops ip istio item items iteration job json k8s key keys ki kill
killed killing kind kube kubectl kubelet kubernetes kustomize label labels lane large larger late latency layer lease
left level limit limits line link list listen listener liveness load loaded local lock locked log logs long looks loop
lost low lower manager manifest manual map match matched max maximum mb mean measurement median memory merge message
met metadata method metric metrics mi mib millicores min minimum minimumreplicas minute minutes missing mode monitor
mount mounted ms multi multiple mutating name named names namespace namespaces need needed needs network node nodes
normal note number object objects observed offset ok oom open operation opsroom owned owner owners package parent parse
parsing part partial patch path pause paused pausing pending per percent permission permitted phase ping pipeline place
plan plugin pod pods policy pool port ports possible post preempted preemption prefer present preset pressure previous
primary priority probe probes process processed progress progressdeadlineexceeded progressing prom prometheus promote
promoted promoting promotion proxy pull pulled pulling push put quarantine queries query queue queued quota range rate
reach reached read readiness ready reason reasons received recorded recover recovered recreate recreated redirect
reduce referenced refuse refused register registry reject rejected release released remain remaining remote remove
removed replaced replica replicas replicaset replicasets report request requested requests required reset resource
resources response restart restarted restarting restarts result resume resumed retries retry retrying return returned
returns revert reverted revision revisions right rights roll rollback rolled rolling rollout rollouts root route rs run
running runs runtime sandbox saved scale scaled scaler scales scaling schedule scheduled scheduler scheduling scope
score scrape seconds secret secrets see seems seen select selector self send sent series serve served server servers
service services session set setup sha shared shut shutdown side sig sigkill signal sigterm size skip skipped skipping
sleep slot slow small socket space spec stable stale start started starting starts startup stat state stateful
statefulset static status step steps stop stopped stopping storage store stored strategy stream string subset succeeded
success successful successfully suspend suspended switch switched switching sync synced system tail taint tainted
taints take taken target tcp template terminate terminated terminating termination test tests threshold throttled tick
time timed timeout times tls token toleration tolerations total traffic transfer transition trigger triggered true try
type udp unable unauthorized unavailable uncordoned undefined unexpected unhealthy uninitialized unknown unpause
unreachable unready unschedulable unstable unsupported update updated updates updating upgrade upstream url usage use
used user users utilization valid validate validation value values verdict verify version versions virtual volume
volumes wait waited waiting waits warning watch webhook weight worker workload workloads worse write written wrong yaml
zero zone
"""

WORDS = frozenset(
    (
        *f"{_SPEECH} {_KUBERNETES}".split(),
        *(part for kind in _CODES for code in kind for part in re.findall(r"[a-z]+", code.value.lower())),
    )
)

_HUMPS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_NUMBER = re.compile(r"v?[0-9]{1,12}(?:ms|us|[smhdx]|xx|[KMGT]i?B?|st|nd|rd|th|Z)?|[0-9]{2}T[0-9]{2}")
"""With its unit, an ordinal, a version, a status class (5xx), or hours of a time (``23T13``)."""


def common(word: str) -> bool:
    """Whether ``word`` is nobody's name: a number with its unit, one of ``WORDS``, or made of them in camel case."""
    if len(word) < 2 or _NUMBER.fullmatch(word) or word.lower() in WORDS:
        return True
    humps = _HUMPS.findall(word)
    return "".join(humps) == word and all(hump.isdigit() or hump.lower() in WORDS for hump in humps)
