"""The services of the simulated company: names, namespaces, teams, tiers, and how each one is delivered.

Pure: seed and number of services in, the same list out. It knows no objects and no quality.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from opsroom.simulator.world.draws import drawer


class Delivery(StrEnum):
    """How a service brings out a new version."""

    ROLLOUT = "rollout"  # Argo Rollout, the share of pods is the share of traffic
    ROUTED = "routed"  # Argo Rollout with a traffic router
    PAIR = "pair"  # a stable and a canary Deployment behind one Service
    ROLLING = "rolling"  # one Deployment, paused in the middle of a rolling update
    FLAGGER = "flagger"  # a Deployment that a Flagger Canary drives


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """One service; `gitops` names what owns its manifests ("argocd", "flux" or "")."""

    namespace: str
    name: str
    team: str
    tier: str
    delivery: Delivery
    replicas: int
    gitops: str
    weights: tuple[int, ...]  # of the canary steps, between open pauses


_DOMAINS = {
    "payments": ("checkout", "ledger", "wallet", "refunds", "payouts", "invoices", "card-vault", "tax"),
    "search": ("query", "indexer", "suggest", "ranking", "catalog", "facets", "spelling", "synonyms"),
    "billing": ("subscriptions", "metering", "dunning", "rating", "credits", "statements", "quotes", "plans"),
    "risk": ("fraud-score", "limits", "sanctions", "identity", "device-trust", "chargebacks", "velocity", "kyc"),
    "shop": ("cart", "storefront", "wishlist", "reviews", "pricing", "promotions", "inventory", "gift-cards"),
    "logistics": ("routing", "tracking", "labels", "warehouse", "returns", "carriers", "slots", "customs"),
    "accounts": ("login", "profile", "sessions", "consent", "mfa", "addresses", "devices", "invites"),
    "messaging": ("mailer", "push", "sms", "inbox", "templates", "webhooks", "preferences", "digest"),
}
_ROLES = (
    "",
    "api",
    "worker",
    "gateway",
    "reader",
    "writer",
    "stream",
    "cache",
    "edge",
    "sync",
    "admin",
    "batch",
    "hooks",
    "proxy",
    "query",
    "store",
)
_TIERS = ("1", "1", "2", "2", "2", "3")
_STEPS = ((5, 25, 50), (5, 25, 50), (10, 30, 60), (20, 50), (25, 50))
# A dozen services hold four Rollouts, two Canaries, three pairs and three rolling Deployments; smaller worlds have no
# Canaries.
_TURN = (Delivery.ROUTED, Delivery.PAIR, Delivery.ROLLOUT, Delivery.ROLLING)
_DOZEN = 12
_FLAGGERS = (4, 10)
_FLAGGERS_BELOW = 120  # each is looked at every few seconds, which a large world cannot afford
# Flagger runs as many canary pods as primary ones: at a few percent of the traffic each would be nearly idle.
_FLAGGER_STEPS = (20, 50)
_NAMES_A_ROUND = 64
MOST = 10_000


def services(seed: int, count: int) -> list[ServiceSpec]:
    """The first `count` services of this seed, each with its own name; raises ValueError beyond `MOST`."""
    if not 1 <= count <= MOST:
        raise ValueError(f"the number of services is between 1 and {MOST}")
    order = drawer(seed, "names")
    chosen: list[tuple[str, str]] = []
    while len(chosen) < count:
        # Whole rounds are shuffled, so that a small world has plain names.
        block = _round(len(chosen) // _NAMES_A_ROUND)
        order.shuffle(block)
        chosen += block
    return [_service(seed, number, count, *name) for number, name in enumerate(chosen[:count])]


def _round(number: int) -> list[tuple[str, str]]:
    """Every noun once: bare in the first round, then with a role, then with a role and a number."""
    lap, turn = divmod(number, len(_ROLES))
    ending = (f"-{_ROLES[turn]}" if _ROLES[turn] else "") + (f"-{lap + 1}" if lap else "")
    return [(namespace, noun + ending) for namespace, nouns in _DOMAINS.items() for noun in nouns]


def _delivery(number: int, count: int) -> Delivery:
    if count >= _DOZEN and number < _FLAGGERS_BELOW and number % _DOZEN in _FLAGGERS:
        return Delivery.FLAGGER
    return _TURN[number % 4]


def _service(seed: int, number: int, count: int, namespace: str, name: str) -> ServiceSpec:
    draw = drawer(seed, "service", namespace, name)
    delivery = _delivery(number, count)
    # What GitOps owns must not be promoted by changing its spec, so only Rollouts are: their status is nobody's.
    owned = delivery in (Delivery.ROLLOUT, Delivery.ROUTED)
    gitops = draw.choice(("", "", "argocd", "flux")) if owned else ""
    weights = draw.choice(_STEPS)
    return ServiceSpec(
        namespace=namespace,
        name=name,
        team=f"team-{namespace}",
        tier=draw.choice(_TIERS),
        delivery=delivery,
        replicas=draw.choice((3, 4, 4, 5, 6)),
        gitops=gitops,
        weights=_FLAGGER_STEPS if delivery is Delivery.FLAGGER else weights,
    )
