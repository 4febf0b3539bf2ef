"""Ask whether a known vulnerability is in what CI installs: one that is found fails, a service that is away does not.

``python3 .ci/audit.py`` runs pip-audit (locked in ``audit.txt``, in a virtual environment of its own) over
``requirements.txt``; ``--judge`` reads pip-audit's JSON from standard input instead. pip-audit itself says "no known
vulnerabilities" when it could look up nothing at all, and ends alike for a vulnerability and for no network; so what
counts here is its report: what was looked up, what was not, what was found.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SECONDS = 60
"""For all look-ups together; a service that is slower is not there."""


def judged(report: str) -> tuple[int, str]:
    """Exit code and words for pip-audit's JSON report; an empty or unreadable one is a service that is not there."""
    try:
        dependencies: list[dict[str, Any]] = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return 0, "NOT AUDITED: the advisory service cannot be reached from here"
    found = [
        f"{one['name']} {one['version']}: {flaw['id']}, mended in {', '.join(flaw['fix_versions']) or 'no version yet'}"
        for one in dependencies
        for flaw in one.get("vulns", ())
    ]
    unknown = [one["name"] for one in dependencies if "skip_reason" in one]
    asked = len(dependencies) - len(unknown)
    lines = [f"VULNERABLE {one}" for one in found]
    if not asked:
        lines.append("NOT AUDITED: the advisory service that answers here knows none of our packages")
    else:
        lines.append(f"audited {asked} packages, {len(found)} known vulnerabilities")
        if unknown:
            lines.append(f"NOT AUDITED, unknown to the service: {' '.join(unknown)}")
    return int(bool(found)), "\n".join(lines)


def report() -> str:
    """What pip-audit says about everything that CI installs; empty where it could not be asked."""
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "venv" / "bin" / "python"
        install = [python, "-m", "pip", "install", "-q", "--require-hashes", "-r", HERE / "audit.txt"]
        ask = ["-r", HERE / "requirements.txt", "--require-hashes", "--disable-pip", "-f", "json"]
        try:
            for words in ([sys.executable, "-m", "venv", python.parents[1]], install):
                subprocess.run(words, check=True, timeout=SECONDS)
            run = subprocess.run(
                [python, "-m", "pip_audit", *ask, "--progress-spinner", "off"],
                capture_output=True,
                text=True,
                check=False,
                timeout=SECONDS,
            )
        except (subprocess.SubprocessError, OSError) as error:
            print(f"pip-audit could not be run: {error}", file=sys.stderr)
            return ""
    return run.stdout


def main() -> int:
    """Say what was found; 1 where there is a vulnerability."""
    code, words = judged(sys.stdin.read() if "--judge" in sys.argv[1:] else report())
    print(words)
    return code


if __name__ == "__main__":
    sys.exit(main())
