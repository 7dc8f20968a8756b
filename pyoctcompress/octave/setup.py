"""Where Octave is, where our Octave package is, and oct2py without its side effects."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pyoctcompress.errors import SessionError

INSTALL = (
    "brew install octave"
    if sys.platform == "darwin"
    else "sudo apt-get install octave libopenblas0"
)

# Octave's elementwise code runs 2 to 4 times faster when the allocator keeps its pages.
_GLIBC_TUNABLES = (
    "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=4294967296"
    ":glibc.malloc.trim_threshold=8589934592"
)


def find_octave() -> str:
    """Path of the Octave program: ``OCTAVE_EXECUTABLE``, ``octave-cli`` or ``octave``.

    Returns
    -------
    str
        An absolute path.

    Raises
    ------
    SessionError
        ``octcompress:session:noOctave``, with the command that installs it.
    """
    wanted = os.environ.get("OCTAVE_EXECUTABLE")
    for name in [wanted] if wanted else ["octave-cli", "octave"]:
        found = shutil.which(name)
        if found:
            return os.path.abspath(found)
    reason = f"there is no program {wanted!r} (OCTAVE_EXECUTABLE)" if wanted else "Octave not found"
    raise SessionError(
        f"session: {reason}; install it with `{INSTALL}`, or use backend='numpy' "
        "(--backend numpy), which needs no Octave",
        "octcompress:session:noOctave",
    )


def package_folder() -> Path:
    """Folder of the Octave package: beside this package when installed, else in the sources.

    Returns
    -------
    pathlib.Path
        The folder that holds ``nn_load.m`` and ``+octcompress``.
    """
    here = Path(__file__).resolve().parent
    for folder in (here / "_package", here.parent.parent / "octave_pkg" / "inst"):
        if (folder / "+octcompress").is_dir():
            return folder
    raise SessionError(
        f"session: the Octave package is missing beside {here}; install octcompress again",
        "octcompress:session:noOctave",
    )


def command_line(threads: int | None = None) -> str:
    """Make the command that starts Octave with our environment, quoted for a shell.

    Parameters
    ----------
    threads : int, optional
        Threads of the matrix product; all processors unless given.

    Returns
    -------
    str
        Everything but Octave's own options. What Octave writes to its error stream goes with its
        output, for `oct2py` would let it through to the user's terminal.
    """
    settings = ["OCTCOMPRESS_PROGRESS=lines"]
    if sys.platform == "linux" and "GLIBC_TUNABLES" not in os.environ:
        settings.append(f"GLIBC_TUNABLES={_GLIBC_TUNABLES}")
    if threads is not None and "OPENBLAS_NUM_THREADS" not in os.environ:
        settings.append(f"OPENBLAS_NUM_THREADS={threads}")
    program = f'exec {shlex.quote(find_octave())} "$@" 2>&1'
    return shlex.join([*_environment_program(), *settings, "/bin/sh", "-c", program, "octave"])


@cache
def _environment_program() -> tuple[str, ...]:
    """Give `env`, with the hang-up signal that pexpect ignores restored, where `env` can do that.

    Octave then ends with a Python that was killed, even in the middle of a call.
    """
    program = ("/usr/bin/env", "--default-signal=HUP")
    done = subprocess.run([*program, "true"], stderr=subprocess.DEVNULL, check=False)
    return program if done.returncode == 0 else program[:1]


_import_lock = threading.Lock()


@cache
def oct2py_class() -> Any:
    """Import `oct2py` late and quietly, and give our session class on top of it.

    Importing `oct2py` starts a session of its own, with the user's start-up file; it is started
    without that file and closed at once.
    """
    with _import_lock:
        quiet = {"OCTAVE_EXECUTABLE": command_line(), "OCT2PY_LOAD_OCTAVERC": "0"}
        nowhere = io.StringIO()  # where Octave does not start, oct2py prints a traceback
        with (
            _environment(quiet),
            contextlib.redirect_stdout(nowhere),
            contextlib.redirect_stderr(nowhere),
        ):
            import oct2py
        with contextlib.suppress(AttributeError):
            oct2py.octave.exit()

    class Octave(oct2py.Oct2Py):
        """`oct2py`'s session that stays dead when it died; we start a new one."""

        started = False

        def restart(self) -> None:
            if self.started:
                raise EOFError("Octave ended")
            super().restart()
            self.started = True

        def run_line(self, command: str, line: Callable[[str], None]) -> None:
            # `eval` would send the command through two .mat files of its own.
            self._engine.line_handler = line
            self._engine.eval(command)

        def alive(self) -> bool:
            return self._engine is not None and self._engine.repl.child.isalive()

    return Octave


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
