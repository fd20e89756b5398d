"""Progress of a command that takes longer than a second."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock, Timer
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

_QUIET_SECONDS = 1.0


class Steps:
    """
    Shows the step that a command is at, once it has run for a second.

    On a terminal that is a bar, which disappears at the end; anywhere else, and with ``TERM=dumb``, a line for each
    step.

    :param console: where to show it.
    :param total: number of steps; ``None`` when it is not known.
    """

    def __init__(self, console: Console, total: int | None = None) -> None:
        self._console = console
        # rich draws no bar where the cursor can't be moved.
        self._has_bar = console.is_interactive and not console.is_dumb_terminal
        self._lock = Lock()
        self._text = ""
        self._is_shown = False
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task("", total=total)
        # The first step is not yet done when it is announced.
        self._done = -1

    def step(self, text: str) -> None:
        """
        Begin the next step.

        :param text: what it does, like ``Reading march.csv``.
        """
        with self._lock:
            self._text = text
            self._done += 1
            self._bar.update(self._task, description=text, completed=self._done)
            if self._is_shown:
                self._print_line()

    @contextmanager
    def shown(self) -> Iterator[Steps]:
        """Show the steps that are begun inside the block."""
        timer = Timer(_QUIET_SECONDS, self._show)
        timer.daemon = True
        timer.start()
        try:
            yield self
        finally:
            timer.cancel()
            with self._lock:
                if self._is_shown and self._has_bar:
                    self._bar.stop()

    def _show(self) -> None:
        with self._lock:
            self._is_shown = True
            if self._has_bar:
                self._bar.start()
            self._print_line()

    def _print_line(self) -> None:
        if not self._has_bar and self._text:
            self._console.print(Text(f"{self._text} …"), soft_wrap=True)
