"""What ``opsroom doctor`` looks at on this machine: files, folders, keyring, terminal, the own worker.

No secret is read further than to know that it can be read.
"""

from __future__ import annotations

import errno
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from opsroom.cli.doctor_findings import Finding, disk, fail, failed, ok, size, warn
from opsroom.cli.login import no_keyring
from opsroom.cli.own_worker import answers, identity, kubeconfigs, own_log
from opsroom.cli.parser import TARGETS
from opsroom.config import paths
from opsroom.config.lock import locked
from opsroom.config.policy_file import load_policy
from opsroom.config.secrets import addresses, keyring_name, token, variable_of
from opsroom.config.settings import Settings
from opsroom.errors import OpsroomError


def here_findings(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Everything that needs no network."""
    yield _policy(settings)
    yield _screen(settings)
    yield from _kubeconfig(settings, environment)
    yield _keyring(environment)
    yield from _token_files(settings, environment)
    yield _notices(environment)
    yield from _folders()
    yield from _terminal(environment)
    yield _own_worker(settings)


def _policy(settings: Settings) -> Finding:
    if not settings.policy:
        return ok("policy", "built-in values")
    try:
        policy = load_policy(Path(settings.policy))
    except OpsroomError as error:
        return failed("policy", error)
    return ok("policy", f"{settings.policy}, {len(policy.rows)} rows")


def _screen(settings: Settings) -> Finding:
    """Only the board meets a wrong theme or keymap; whoever asks whether all is well wants to know before."""
    from opsroom.cli.board import screen_options
    from opsroom.ui.theme_file import find

    try:
        options = screen_options(settings)
        find(options.theme, options.theme_folders)
    except OpsroomError as error:
        return failed("screen", error)
    return ok("screen", f"theme {options.theme}" + (", own keys" if options.keymap else ""))


def _kubeconfig(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    files = kubeconfigs(settings)
    found = [file for file in files if file.is_file()]
    if not found:
        if environment.get("KUBERNETES_SERVICE_HOST") and not settings.kubeconfig:
            yield ok("kubeconfig", "none; this is a pod with an account of its own")
            return
        names = ", ".join(str(file) for file in files)
        yield fail("kubeconfig", f"there is none at {names}", "Name one with --kubeconfig, or try opsroom demo")
        return
    for file in found:
        if file.stat().st_mode & 0o077:
            yield warn("kubeconfig", f"{file} can be read by others", f"Run: chmod 600 {file}")
        else:
            yield ok("kubeconfig", str(file))


def _keyring(environment: Mapping[str, str]) -> Finding:
    name = keyring_name()
    if name:
        return ok("keyring", name)
    named = [target for target in TARGETS if environment.get(variable_of(target))]
    if named:
        return ok("keyring", f"none usable; token files are named for {', '.join(named)}")
    error = no_keyring("prometheus")
    return warn("keyring", error.message, f"Where a token is needed: {error.fix[:1].lower()}{error.fix[1:]}")


def _token_files(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    own = (("prometheus", settings.prometheus.url), ("feed", settings.feed))
    servers = [f"{target}@{server}" for target, url in own if (server := urlsplit(url).netloc)]
    for target in (*TARGETS, *servers):
        variable = variable_of(target)
        if not environment.get(variable):
            continue
        try:
            token(target, environment)
        except OpsroomError as error:
            yield failed(f"token of {target}", error)
        else:
            yield ok(f"token of {target}", f"{environment[variable]} ({variable})")


def _notices(environment: Mapping[str, str]) -> Finding:
    try:
        number = len(addresses(environment))
    except OpsroomError as error:
        return failed("notices", error)
    if not number:
        return ok("notices", "none leave this machine: no address in APPRISE_TOKEN_FILE or the keyring")
    if importlib.util.find_spec("apprise") is None:
        return warn(
            "notices", "there are addresses, and Apprise is not installed", "Run: pip install 'opsroom[apprise]'"
        )
    return ok("notices", f"{number} {'address' if number == 1 else 'addresses'}, sent by the worker through Apprise")


def _folders() -> Iterator[Finding]:
    try:
        yield _writable("runtime folder", paths.runtime_folder())
    except OSError as error:
        yield fail("runtime folder", str(error), "Set XDG_RUNTIME_DIR to a folder of your own")
    state = paths.state_folder()
    yield _writable("state folder", state)
    nearest = next(one for one in (state, *state.parents) if one.exists())
    yield disk(shutil.disk_usage(nearest).free, str(state))


def _writable(check: str, folder: Path) -> Finding:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"opsroom")
            file.flush()
    except OSError as error:
        return fail(check, f"{folder} cannot be written ({error.strerror})", _mending(error.errno, folder))
    return ok(check, str(folder))


def _mending(number: int | None, folder: Path) -> str:
    if number in (errno.ENOSPC, errno.EDQUOT):
        return f"Make room: df -h {folder}"
    if number == errno.EROFS:
        variable = "XDG_RUNTIME_DIR" if folder == paths.runtime_folder() else "XDG_STATE_HOME"
        return f"Mount it for writing, or name another folder in {variable}"
    return f"Make it yours: chown $USER {folder}"


def _terminal(environment: Mapping[str, str]) -> Iterator[Finding]:
    from opsroom.ui.terminal import look_at

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        yield warn("terminal", "there is none here", "The board needs one; opsroom ls does not")
        return
    try:
        found = look_at(environment)
    except OpsroomError as error:
        yield failed("terminal", error)
        return
    colours = "no colours (NO_COLOR)" if found.colourless else "16 colours" if found.sixteen else "256 colours or more"
    if found.unicode:
        yield ok("terminal", f"{environment.get('TERM', '')}, {colours}, UTF-8")
    else:
        yield warn("terminal", f"{environment.get('TERM', '')}, {colours}, no UTF-8", "Set LANG=C.UTF-8")
    told = os.get_terminal_size(sys.stderr.fileno())
    yield size(told.columns, told.lines)


def _own_worker(settings: Settings) -> Finding:
    if settings.feed:
        return ok("own worker", f"not used: the feed is {settings.feed}")
    try:
        key = identity(settings)
        socket, lock = paths.worker_socket(key), paths.worker_lock(key)
        if answers(socket):
            return ok("own worker", f"runs, its feed is unix:{socket}")
        with locked(lock) as free:
            if free:
                return ok("own worker", "none runs; the board starts one")
    except OSError as error:
        return fail("own worker", f"its folder cannot be used ({error.strerror})", "See runtime folder")
    return warn("own worker", f"one runs and does not answer at {socket}", f"Look into {own_log(socket)}, or end it")
