"""`python -m opsroom.analysis`: the judge as a filter, for benchmarks."""

from __future__ import annotations

import sys

from opsroom.analysis.protocol import run_judge

if __name__ == "__main__":
    sys.exit(run_judge(sys.stdin.buffer, sys.stdout.buffer))
