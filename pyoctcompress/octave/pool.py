"""A few Octave processes for all threads of this one: a call has one to itself."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from pyoctcompress.octave.session import Session

_MOST = max(2, min(8, os.cpu_count() or 1))


class Pool:
    """Idle sessions, the last used first, and no more than `most` at work.

    Parameters
    ----------
    most : int
        How many calls run side by side; others wait.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._slots = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._idle: list[Session] = []
        self._count = 0

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Lend a session for the time of a ``with`` block."""
        with self._slots:
            with self._lock:
                if self._idle:
                    session = self._idle.pop()
                else:
                    # The first has all processors; those that come beside it have one each.
                    session = Session(threads=None if self._count == 0 else 1)
                    self._count += 1
            try:
                yield session
            finally:
                with self._lock:
                    self._idle.append(session)

    def close(self) -> None:
        """End the idle sessions; they start again when they are needed."""
        with self._lock:
            for session in self._idle:
                session.close()


_pool = Pool()
atexit.register(_pool.close)


def call(name: str, *args: Any, **settings: Any) -> Any:
    """Call a function of the toolbox in a session of the pool.

    Parameters
    ----------
    name, *args, **settings
        As for `Session.call`.

    Returns
    -------
    object
        As for `Session.call`.
    """
    with lend() as session:
        return session.call(name, *args, **settings)


def lend() -> AbstractContextManager[Session]:
    """Lend a session of the pool for a ``with`` block: several calls in the same Octave."""
    return _pool.session()


def close_all() -> None:
    """End every idle Octave of the pool; the next call starts a new one."""
    _pool.close()


def _after_fork() -> None:
    # The parent's processes are not ours to use or to end.
    global _pool
    atexit.unregister(_pool.close)
    _pool = Pool()
    atexit.register(_pool.close)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
