"""A progress bar for what the backends report."""

from __future__ import annotations

import sys
from typing import Any


class Bar:
    """A bar for each task, on the error stream where that is a terminal.

    Use it in a ``with`` block and call it with the task, steps done, steps in all, and figures.
    """

    def __init__(self) -> None:
        self._bar: Any = None
        self._task = ""

    def __enter__(self) -> Bar:
        """Give the bar itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar off the terminal."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def __call__(self, task: str, done: float, total: float, figures: str) -> None:
        """Show how far a task is."""
        from tqdm import tqdm

        done, total = (int(n) if n == n and n % 1 == 0 else n for n in (done, total))
        if self._bar is None or task != self._task:
            self.__exit__()
            self._task = task
            self._bar = tqdm(total=total, desc=task, disable=None, file=sys.stderr, leave=False)
        self._bar.set_postfix_str(figures, refresh=False)
        self._bar.update(done - self._bar.n)
