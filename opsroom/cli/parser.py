"""The command line's grammar, and nothing of what the commands do.

Options common to all commands may stand before or after the command; ``SUPPRESS`` as their default keeps the second
parser from wiping out what the first has read.
"""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from opsroom import __version__
from opsroom.errors import EXIT_CODES, UsageError

TARGETS = ("prometheus", "feed", "gates")
"""What may want a token or secret of its own."""

APART = {
    "demo": frozenset({"--policy"}),
    "sim": frozenset[str](),
    "judge": frozenset[str](),
    "learn": frozenset[str](),
    "completion": frozenset[str](),
    "journal": frozenset[str](),
    "replay": frozenset({"--config"}),
    "login": frozenset[str](),
}
"""Commands for which only these common options mean anything: the others speak of a cluster they do not look at."""

MARKS = """marks: !! critical, ! flagged, ~ leans to harm or was rolled back, o moving, ? nothing may be concluded,
. queued, ok nothing under way; score: 0 surely fine to 1 surely harmful, - unknown"""

CASES = """one case a line: {"id": "a", "step_seconds": 30, "metrics": {"latency_p99": {"baseline": [120, null, 118],
"canary": [125, 131, 140]}}, "requests": {"baseline": [...], "canary": [...]}}; null is a gap, requests are optional.
Metrics: latency_p99, latency_p95, latency_p50, error_rate (0..1), errors (counts, with requests), cpu_usage,
memory_bytes, restarts; of any other name more is worse. One line back: {"id": "a", "scores": [null, 0.48, 0.47]}, a
score a step (null: no opinion yet), or {"id": "a", "error": "..."}. Above 0.8 roll back, below 0.2 promote."""

EPILOG = "exit codes: " + ", ".join(f"{code} {words}" for code, words in EXIT_CODES.items())


class Parser(argparse.ArgumentParser):
    """Raises instead of exiting, so that every error ends in one place and one form."""

    def error(self, message: str) -> NoReturn:
        # Errors are printed after "opsroom: ", so that only the command's name is missing here.
        command = self.prog.partition(" ")[2]
        raise UsageError(f"{command}: {message}" if command else message, f"See {self.prog} --help")


def build(board: bool = False) -> Parser:
    """The parser of all commands; ``command`` is None for the board. With ``board`` of that alone: it starts sooner."""
    common = _common()
    parser = Parser(
        prog="opsroom",
        description="The control room for progressive delivery. Without a command: the board on the current context.",
        epilog=EPILOG,
        parents=[_common("_first")],
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"opsroom {__version__}")
    parser.add_argument("--record", metavar="FILE", help="record everything the board sees into FILE")
    parser.add_argument("--plain", action="store_true", help="print the board once as text, as opsroom ls does")
    parser.set_defaults(command=None)
    if board:
        return parser
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)

    def command(name: str, text: str, epilog: str = "") -> Parser:
        parents = [common if name not in APART else _common(shown=APART[name])]
        return commands.add_parser(
            name, help=text, description=text, epilog=epilog or None, parents=parents, allow_abbrev=False
        )

    _worlds(command)
    _looking(command)
    _deeds(command)
    _judging(command)
    _setting_up(command)
    return parser


def _common(place: str = "", shown: frozenset[str] | None = None) -> Parser:
    """``place`` ends the names under which lists collect: two places, for the second parser's would replace the first.

    ``shown`` names the options that mean something here (None: all); the others are taken, and not spoken of.
    """
    common = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    group = common.add_argument_group("common options") if shown is None or shown else common

    def option(*names: str, help: str, **more: Any) -> None:
        said = help if shown is None or names[-1] in shown else argparse.SUPPRESS
        group.add_argument(*names, help=said, **more)

    option("--config", metavar="FILE", help="settings file instead of the one in the XDG folder")
    option("--kubeconfig", metavar="FILE", help="kubeconfig instead of KUBECONFIG or ~/.kube/config")
    option("--context", help="kube context, not the current one (repeatable for the board)", **_list("NAME", place))
    option("-n", "--namespace", help="only this namespace (repeatable)", **_list("NS", place))
    option("--prometheus", metavar="URL", help="base URL, or kube:NAMESPACE/SERVICE:PORT")
    option("--feed", help="unix:PATH or https://HOST of a worker that runs elsewhere", **_list("ADDRESS", place))
    option("--read-only", action="store_true", help="GET only: no deeds, no reviews, no Lease")
    option("--policy", metavar="FILE", help="policy file instead of the one in the settings")
    return common


def _list(metavar: str, place: str) -> dict[str, str]:
    """An option that may be given several times."""
    name = {"NAME": "contexts", "NS": "namespaces", "ADDRESS": "feeds"}[metavar]
    return {"dest": f"{name}{place}", "metavar": metavar, "action": "append"}


def _worlds(command: Any) -> None:
    demo = command("demo", "The control room on a simulated cluster: nothing to set up, nothing to break.")
    _world(demo)
    demo.add_argument("--headless", type=float, metavar="SECONDS", help="no screen; print one JSON line at the end")
    demo.add_argument(
        "--record", metavar="FILE", default=argparse.SUPPRESS, help="record what the board sees into FILE"
    )
    wall = command("wall", "The read-only display; it never exits and takes no keys.")
    wall.add_argument("--serve", metavar="HOST:PORT", help="show the wall in a browser (needs opsroom[serve])")
    wall.add_argument("--served", action="store_true", help=argparse.SUPPRESS)
    wall.add_argument("--allow-quit", action="store_true", help="let q end it")
    worker = command("worker", "The background worker: watches, scores, decides; acts only in --mode auto.")
    worker.add_argument(
        "--mode",
        choices=("observe", "advise", "auto"),
        default="observe",
        help="observe writes nothing (default); advise journals what it would do; auto does it",
    )
    worker.add_argument("--listen", metavar="ADDRESS", help="unix:PATH, HOST:PORT or https://HOST:PORT for the feed")
    worker.add_argument("--group", metavar="NAME", help="members of this group may read the unix socket as well")
    worker.add_argument("--tls", metavar="FOLDER", help="tls.crt and tls.key; callers then show a bearer token")
    worker.add_argument("--gates", metavar="HOST:PORT", help="answer the gates of Flagger Canaries there")
    worker.add_argument("--linger", type=float, metavar="SECONDS", help="end this long after the last viewer left")
    worker.add_argument("--own", metavar="KEY", help=argparse.SUPPRESS)
    worker.add_argument("--die-with-parent", action="store_true", help=argparse.SUPPRESS)
    sim = command("sim", "Only the simulated world; prints KUBECONFIG=... and OPSROOM_PROMETHEUS=... and runs.")
    _world(sim)
    sim.add_argument("--hold", action="store_true", help="the hold at admission is in force in every namespace")
    sim.add_argument("--truth", metavar="FILE", help="write which versions are bad, for graders only")
    sim.add_argument("--gates", metavar="URL", help="what answers the gates of its Flagger Canaries")
    sim.add_argument("--dir", metavar="FOLDER", help="where the kubeconfig is written")
    sim.add_argument("--port-kube", type=int, default=0, metavar="PORT")
    sim.add_argument("--port-prometheus", type=int, default=0, metavar="PORT")
    sim.add_argument("--die-with-parent", action="store_true", help=argparse.SUPPRESS)


def _world(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=7, metavar="N", help="which world (default: 7)")
    parser.add_argument("--services", type=int, default=12, metavar="N", help="how many services (default: 12)")
    parser.add_argument(
        "--change-rate", type=float, default=100.0, metavar="PERCENT", help="how often they deploy (default: 100)"
    )
    parser.add_argument("--wave", type=int, metavar="N", help="after a minute N deploys arrive at once")


def _looking(command: Any) -> None:
    ls = command("ls", "The board's rows, once, for scripts and screen readers.", MARKS)
    ls.add_argument("-o", "--output", choices=("plain", "wide", "json"), default="plain")
    ls.add_argument("--flagged", action="store_true", help="only what waits for a person; exits 3 when there is any")
    show = command("show", "One rollout: why, evidence, steps, what promote and rollback would do.")
    show.add_argument("name", metavar="NAME", help="NAME or NAMESPACE/NAME")
    show.add_argument("-o", "--output", choices=("plain", "wide", "json"), default="plain")
    show.add_argument("--beside-others", action="store_true", help=argparse.SUPPRESS)
    inside = show.add_mutually_exclusive_group()
    inside.add_argument("--logs", action="store_true", help="what its pods said last, canary and stable")
    inside.add_argument("--manifest", action="store_true", help="the object in the cluster, secrets masked")
    journal = command("journal", "Who did what, and what came of it.")
    journal.add_argument("-o", "--output", choices=("plain", "json"), default="plain")
    journal.add_argument("--verify", action="store_true", help="check the chain of every journal file")
    replay = command("replay", "A recording, in the same screens.")
    replay.add_argument("file", metavar="FILE")
    replay.add_argument("--speed", type=float, default=1.0, metavar="FACTOR")
    replay.add_argument("--mask", metavar="OUT", help="show nothing; write a copy with pseudonyms for all names")


def _deeds(command: Any) -> None:
    for name, text in (
        ("promote", "Let a flagged rollout go on by one step."),
        ("rollback", "Return all traffic of a flagged rollout to its stable revision."),
        ("flag", "Stop automatic promotion of a rollout and ask for a person."),
    ):
        deed = command(name, text)
        deed.add_argument("name", metavar="NAME", help="NAME or NAMESPACE/NAME")
        deed.add_argument("--yes", action="store_true", help="do not ask")
        deed.add_argument("--reason", default="", metavar="TEXT", help="for the journal")
        deed.add_argument("--force", action="store_true", help="even where a GitOps controller would put it back")
        if name == "promote":
            deed.add_argument("--full", action="store_true", help="all steps at once")
    _queueing(command)
    act = command("act", "One deed: an intent as JSON on standard input (what the board starts).")
    act.add_argument("--journal", metavar="FILE", help=argparse.SUPPRESS)


def _queueing(command: Any) -> None:
    hold = command("hold", "Let a rollout stand still until a person releases it.")
    hold.add_argument("name", metavar="NAME", help="NAME or NAMESPACE/NAME")
    release = command("release", "Let what is held go on, past the queue; works without a worker.")
    release.add_argument("name", metavar="NAME", nargs="?", help="NAME or NAMESPACE/NAME")
    release.add_argument("--all", action="store_true", help="everything that is held")
    freeze = command("freeze", "Stop all automatic deeds, for everybody.")
    freeze.add_argument("--reason", default="", metavar="TEXT", help="shown on every board")
    command("thaw", "Resume automatic deeds.")
    queue = command("queue", "The deploy queue: show it, switch it, stop it.")
    queue.add_argument(
        "what",
        choices=("ls", "on", "off", "pause", "drain", "freeze"),
        help="ls shows it; off lets everything held go on and holds nothing any more; the others set what it does",
    )
    queue.add_argument("-o", "--output", choices=("plain", "json"), default="plain")
    for one in (hold, release, queue):
        one.add_argument("--yes", action="store_true", help="do not ask")
    for one in (hold, release):
        one.add_argument("--reason", default="", metavar="TEXT", help="for the journal")
    wait = command("wait", "Wait until a rollout is promoted or rolled back, for CI; exits 3 where a person is asked.")
    wait.add_argument("name", metavar="NAME", help="NAME or NAMESPACE/NAME")
    wait.add_argument("--for", dest="wanted", choices=("promoted", "rolled-back"), default="promoted")
    wait.add_argument("--revision", default="", metavar="WORD", help="version, hash or image that is meant")
    wait.add_argument("--timeout", default="30m", metavar="D", help="such as 90s, 30m, 2h (default: 30m)")
    wait.add_argument("--quiet", action="store_true", help="say only how it ended")


def _judging(command: Any) -> None:
    command("judge", "Score JSON Lines of canary and baseline series from standard input.", CASES)
    learn = command("learn", "Put the judge's marks where labelled outcomes say they belong; prints the comparison.")
    learn.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="JSON Lines (or .gz) of cases as judge takes them, with label and source",
    )
    learn.add_argument(
        "--out", metavar="FILE", help="write the calibration here; without it only the report is printed"
    )


def _setting_up(command: Any) -> None:
    completion = command("completion", "Print a script that completes commands and options in your shell.")
    completion.add_argument("shell", choices=("bash", "zsh", "fish"))
    doctor = command("doctor", "Check every precondition, one line each, with the command that fixes it.")
    doctor.add_argument("-o", "--output", choices=("plain", "json"), default="plain")
    login = command("login", "Put a token into the keyring of this machine.")
    targets = (*TARGETS, "apprise")
    login.add_argument("target", metavar="TARGET", choices=targets, help=f"{', '.join(targets)} (where notices go)")
    login.add_argument("--server", metavar="HOST[:PORT]", default="", help="for this prometheus or feed alone")
    manifest = command("manifest", "Print what to apply: rights, the worker in the cluster, the hold, alerts, a unit.")
    manifest.add_argument("role", choices=("worker", "operator", "wall", "hold", "alerts", "systemd"))
    manifest.add_argument("--mode", choices=("observe", "advise", "auto"), default="observe")
    manifest.add_argument("--gates", action="store_true", help="the worker answers the gates of Flagger Canaries")
    manifest.add_argument("--image", metavar="IMAGE", help="container image of the worker")
    manifest.add_argument("--apprise-secret", metavar="NAME", help="Secret that tells the worker where notices go")
    manifest.add_argument("--prometheus-secret", metavar="NAME", help="Secret with what Prometheus wants to see")
    manifest.add_argument("--user", metavar="NAME", help="the operator; without it the group opsroom-operators")
    manifest.add_argument("--group", metavar="NAME", help="group of operators, or of viewers on a bastion")
