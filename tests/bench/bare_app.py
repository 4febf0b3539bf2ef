"""The smallest Textual app: what every figure of ``bench_terminal`` is measured against."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static


class Bare(App[None]):
    """One line of text; ``q`` leaves."""

    BINDINGS = [("q", "quit", "leave")]  # noqa: RUF012

    def compose(self) -> ComposeResult:
        """The line."""
        yield Static("hello ready")


if __name__ == "__main__":
    Bare().run()
