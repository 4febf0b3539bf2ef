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
abort aborted aborting access account across activated active adding address addresses admission adoption affinity
afresh agree ai allocatable allocated allowed analysis anew annotation annotations answer answered answering answers
api apiserver apiversion app applied apply apps argo argocd argoproj ask asked asks assess assessed assigned assignment
attach attached attempt attempts authority automatic automatically autoscale autoscaler autoscaling availability
available average back backed backend background backoff bad balance band baseline batch bearer becoming best better
beyond bigger binding blue bluegreen body bound break broke broken build busy bytes call came canaries canary cancel
cancelled capacity cause causes certificate change changed changes check checked checks choose claim class clear client
clock cluster clusters code collision column come command compare complete completed component condition conditions
config configmap configmaps configuration configured conflict connect connected connecting connection connections
container containerd containers context continue control controller cordoned correct count cpu crash crashed crashloop
crd create created creating creation creator credentials cri current cutover d daemonset data day days deadline decided
deciding decision decisions deed deeds default defines degraded delay delete deleted deleting deletion demo denied
dependency deploy deployed deployment deployments desired detach detached detected dev differ different digest direct
disk disruption dns docker done drain drained draining dropped due duplicate dynamic effect elapsed empty enabled ended
endpoint endpoints engine env ephemeral equal errimagepull error errors establish etcd event events evicted eviction
evidence exceed exceeded exceeding exceeds exec execute exist existing exists exit exited expected expired expression
extension eyes factor fail failed failing fails failure failures fatal fault feed fetch field fieldmanager file files
filesystem finalizer find fine finish finished finishes fit fix flag flagged flagger flow flux folder forbidden force
forced form format found free freeze frozen full gate gates gateway gb generation get gi go gone good got group h half
halt halted handler handshake harmful hash head health healthy held helm help high higher hold holds hook hooks host
hour hours hpa http https human id identity idle image imagepull images inactive inconclusive increase informer ingress
init initial initialized inject inside install installed insufficient internal interrupted interval invalid io iops ip
istio item items iteration job json judged judging k8s keep key keys ki kill killed killing kind know kube kubeconfig
kubectl kubelet kubernetes kustomize label labels lane large larger late latency layer lease left level limit limits
line link list listen listener liveness load loaded local lock locked log login logs long look looks loop lost low
lower m made make making manager manifest manual manually map match matched matrix max maximum mb mean measurement
measuring median memory merge message met metadata method metric metrics mi mib millicores min minimum minimumreplicas
minute minutes missing mistakes mode moment monitor mount mounted ms multi multiple mutating name named names namespace
namespaces need needed needs nested network node nodes normal note notice notices ns number numbers object objects
observed observes offset ok oom open operation opsroom ours outside overloaded owned owner owners package pairs parent
parse parsing part partial patch path patience pause paused pausing pending per percent permission permissions
permitted phase picture ping pip pipeline place plan plugin plugins pod pods policy pool port ports possible post
preempted preemption prefer present preset pressure previous primary priority probe probes process processed progress
progressdeadlineexceeded progressed progressing prom prometheus promote promoted promoting promotion proxy pull pulled
pulling push put python quarantine queries query queue queued quota range rate reach reached read readiness reading
ready reason reasons received recorded recover recovered recreate recreated redirect redirects reduce referenced refuse
refused register registry reject rejected release released remain remaining remote remove removed replace replaced
replica replicas replicaset replicasets report request requested requests required reset resource resources response
restart restarted restarting restarts result resume resumed retries retry retrying return returned returns revert
reverted revision revisions right rights role roll rollback rolled rolling rollout rollouts root route rs run running
runs runtime s sandbox saved say says scale scaled scaler scales scaling schedule scheduled scheduler scheduling scope
score scrape scrapes seconds secret secrets see seems seen select selector self send sent series serve served server
servers service services session set setting settings setup sha shared shown shut shutdown side sig sigkill signal
sigterm size skip skipped skipping sleep slot slow small socket something source space spec spelling stable stale start
started starting starts startup stat state stateful statefulset static status step steps stop stopped stopping storage
store stored strategy stream string stuck subset succeeded success successful successfully sum suspend suspended switch
switched switching sync synced system tail taint tainted taints take taken target targets task tcp tells template
terminal terminate terminated terminating termination test tests threshold throttled tick time timed timeout times tls
token tokens toleration tolerations toml took tool total traffic transfer transition trigger triggered true trusted try
type udp unable unauthorized unavailable uncordoned undefined understood unexpected unhealthy uninitialized unix
unknown unpause unreachable unready unschedulable unstable unsupported update updated updates updating upgrade upstream
url usable usage use used user users utilization valid validate validation value values verdict verify version versions
view viewers virtual volume volumes wait waited waiting waits wall wants warning watch webhook webhooks weight words
work worker workload workloads worse write written wrong yaml zero zone
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
