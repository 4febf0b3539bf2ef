"""Every path on disk, by the XDG base directories. Nothing else builds a path.

Functions, not constants: the environment is read when asked, so a test (or a user) can move them.
"""

from __future__ import annotations

import os
from pathlib import Path


def _base(variable: str, default: str) -> Path:
    value = os.environ.get(variable, "")
    return Path(value) if value.startswith("/") else Path.home() / default


def config_folder() -> Path:
    """Settings, policy and user themes."""
    return _base("XDG_CONFIG_HOME", ".config") / "opsroom"


def settings_file() -> Path:
    """The settings that are read where no ``--config`` names another file."""
    return config_folder() / "opsroom.toml"


def state_folder() -> Path:
    """Journals and logs: what must survive a reboot."""
    return _base("XDG_STATE_HOME", ".local/state") / "opsroom"


def journal_folder() -> Path:
    """One journal file a writer lies here."""
    return state_folder() / "journal"


def log_file(name: str) -> Path:
    """The log of the process ``name``."""
    return state_folder() / f"{name}.log"


def runtime_folder() -> Path:
    """Sockets and locks, readable by their owner only; made when missing.

    Without ``XDG_RUNTIME_DIR`` (``su``, cron, containers) a folder of the user's own in the temporary folder serves.

    Raises:
        OSError: the folder cannot be made.
        PermissionError: the folder belongs to somebody else.
    """
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    if base.startswith("/") and Path(base).is_dir():
        folder = Path(base) / "opsroom"
    else:
        import tempfile

        folder = Path(tempfile.gettempdir()) / f"opsroom-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.getuid() or not folder.is_dir() or folder.is_symlink():
        raise PermissionError(f"{folder} belongs to somebody else")
    if status.st_mode & 0o077:
        folder.chmod(0o700)
    return folder


def worker_socket(context: str) -> Path:
    """Where the user's own worker for ``context`` listens.

    The context's name is hashed: names of contexts hold slashes and are longer than a socket path may be (108 bytes).
    """
    return runtime_folder() / f"worker-{_short(context)}.sock"


def worker_lock(context: str) -> Path:
    """Held by the one worker of this user for ``context``."""
    return runtime_folder() / f"worker-{_short(context)}.lock"


def themes_folders() -> tuple[Path, ...]:
    """Where themes are looked for, the user's own first; in a checkout they lie beside the package."""
    package = Path(__file__).resolve().parent.parent
    shipped = package / "themes"
    return (config_folder() / "themes", shipped if shipped.is_dir() else package.parent / "themes")


def _short(text: str) -> str:
    import hashlib  # the board's start waits for imports, and not every start needs this one

    return hashlib.sha256(text.encode()).hexdigest()[:12]
