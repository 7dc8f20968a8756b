"""One Octave process, and calls of our functions in it."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import re
import shutil
import signal
import tempfile
import threading
import time
import warnings
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pyoctcompress import matfile
from pyoctcompress.errors import FileError, OctcompressError, SessionError, error_from
from pyoctcompress.octave.arguments import Keep, request
from pyoctcompress.octave.setup import command_line, oct2py_class, package_folder

# Called with the task, how much is done, of how much, and figures such as the loss.
Progress = Callable[[str, float, float, str], None]

_logger = logging.getLogger(__name__)
# Octave prints this when a call begins: one that never began can be repeated.
_BEGUN = "@begun"
# An interrupted call has this many seconds to put its things away before Octave is killed.
_GRACE = 5.0
# /dev/shm is used where it has this room beyond three times the request; else TMPDIR.
_SPARE_ROOM = 64 << 20


class Session:
    """An Octave process of one's own. Use it from one thread at a time.

    Parameters
    ----------
    timeout : float, optional
        Seconds that each call may take; no limit unless given.
    threads : int, optional
        Threads of Octave's matrix product; all processors unless given.
    folder : path, optional
        Where requests and responses are written; ``/dev/shm`` where it has room, else the
        temporary folder, unless given.

    Attributes
    ----------
    pid : int or None
        Octave's process, None before the first call.
    output : collections.deque of str
        The last lines that Octave printed.

    Notes
    -----
    Octave starts at the first call. When it dies, or is killed because a call took too long, that
    call raises `SessionError` and the next one starts a new Octave.
    """

    def __init__(
        self,
        timeout: float | None = None,
        threads: int | None = None,
        folder: str | os.PathLike[str] | None = None,
    ) -> None:
        self.timeout = timeout
        self.threads = threads
        self.folder = folder
        self.pid: int | None = None
        self.output: deque[str] = deque(maxlen=100)
        self._octave: Any = None
        self._thread: threading.Thread | None = None
        self._begun = False
        self._finish: weakref.finalize[..., Any] | None = None

    def __enter__(self) -> Session:
        """Give the session itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the session."""
        self.close()

    def call(
        self,
        name: str,
        *args: Any,
        nargout: int = 1,
        timeout: float | None = None,
        progress: Progress | None = None,
        keep: Sequence[Keep | None] = (),
    ) -> Any:
        """Call a function of the toolbox.

        Parameters
        ----------
        name : str
            ``nn_...`` or ``octcompress....``; no other function can be called.
        *args : object
            Values as in the table of `pyoctcompress.matfile`, or `Call`, `PathModel`, `PathData`.
        nargout : int
            How many outputs to ask for.
        timeout : float, optional
            Seconds after which Octave is killed; the session's unless given.
        progress : callable, optional
            Called in this thread with the task, steps done, steps in all, and figures, as text.
        keep : sequence of Keep or None, optional
            For each output the file to save it in.

        Returns
        -------
        object
            The output, a tuple of them where `nargout` is above 1, None where it is 0.

        Raises
        ------
        OctcompressError
            What Octave raised, with its identifier; `SessionError` where Octave died or was
            killed for its time; `FileError` where an argument cannot travel.
        """
        timeout = self.timeout if timeout is None else timeout
        deadline = None if timeout is None else time.monotonic() + timeout
        variables = request(name, args, nargout, keep)
        place = self._place(_travelling_size(name, variables))
        folder = Path(tempfile.mkdtemp(prefix=f"octcompress-{os.getpid()}-", dir=place))
        try:
            matfile.save(folder / "request.mat", variables, durable=False)
            del variables
            paths = [_quoted(folder / file) for file in ("request.mat", "response.mat")]
            command = f"disp ('{_BEGUN}'); octcompress.internal.serve ({', '.join(paths)});"

            def serve(line: Callable[[str], None]) -> None:
                self._octave.run_line(command, line)

            def attempt() -> None:
                if not self.alive:
                    self.close()
                    self._run(self._start, None, deadline, name, timeout)
                self._begun = False
                self._run(serve, progress, deadline, name, timeout)

            try:
                attempt()
            except SessionError as error:
                if self._begun or error.tag != "died":
                    raise
                attempt()  # it was killed while idle, a moment ago, and still looked alive
            value = self._answer(name, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if nargout < 2:
            return value[0] if value else None
        return tuple(value)

    def close(self) -> None:
        """End Octave; the session starts a new one at its next call."""
        octave, self._octave = self._octave, None
        pid, self.pid = self.pid, None
        if self._finish is not None:
            self._finish.detach()
            self._finish = None
        _kill(pid)
        if self._thread is not None and self._thread is not threading.current_thread():
            # Its thread reads from a descriptor that must not be closed, and reused, under it.
            self._thread.join(timeout=5)
            self._thread = None
        if octave is not None:
            with contextlib.suppress(Exception):  # it is dead; what it says of that is no matter
                octave.exit()

    def _start(self, line: Callable[[str], None]) -> None:
        self._begun = True  # where Octave does not start there is nothing to repeat
        _sweep()
        self._octave = oct2py_class()(
            executable=command_line(self.threads),
            extra_cli_options="--no-history --no-window-system",
            load_octaverc=False,
            convert_to_float=False,
            keep_matlab_shapes=True,
            oned_as="column",
            backend="disable",
            auto_show=False,
            logger=_logger,
        )
        self.pid = int(self._octave.eval("getpid ()", nout=1, verbose=False).item())
        self._finish = weakref.finalize(self, _kill, self.pid)
        self._octave.run_line(
            "sighup_dumps_octave_core (false); sigterm_dumps_octave_core (false); "
            f"addpath ({_quoted(package_folder())});",
            line,
        )

    @property
    def alive(self) -> bool:
        """Whether Octave runs."""
        return self._octave is not None and self.pid is not None and self._octave.alive()

    def _run(
        self,
        work: Callable[[Callable[[str], None]], None],
        progress: Progress | None,
        deadline: float | None,
        name: str,
        timeout: float | None,
    ) -> None:
        """Do `work` in a thread while this one reports progress and watches the clock."""
        events: queue.SimpleQueue[str | BaseException | None] = queue.SimpleQueue()

        def in_thread() -> None:
            try:
                work(events.put)
                events.put(None)
            except BaseException as error:
                events.put(error)

        self._thread = threading.Thread(target=in_thread, name=f"octave {name}", daemon=True)
        self._thread.start()
        try:
            while True:
                left = None if deadline is None else max(deadline - time.monotonic(), 0)
                try:
                    event = events.get(timeout=left)
                except queue.Empty:
                    self.close()
                    raise SessionError(
                        f"session: {name} took longer than its limit of {timeout:g} s, and Octave "
                        "was stopped; give a larger timeout, or less work",
                        "octcompress:session:timeout",
                        "\n".join(self.output),
                        True,
                    ) from None
                if event is None:
                    return
                if isinstance(event, OctcompressError):
                    raise event
                if isinstance(event, BaseException):
                    self.close()
                    raise SessionError(
                        f"session: Octave ended during {name} ({_last(self.output, event)}); the "
                        "next call starts a new one",
                        "octcompress:session:died",
                        "\n".join(self.output),
                        True,
                    ) from event
                self._report(event, progress)
        except SessionError:
            raise
        except BaseException:  # Ctrl-C, or an error in `progress`
            self._interrupt(events)
            raise

    def _interrupt(self, events: queue.SimpleQueue[str | BaseException | None]) -> None:
        """Ask Octave to stop, so that it can save what it has; end it where it does not."""
        at_prompt = False
        try:
            if self.pid is not None:
                os.killpg(os.getpgid(self.pid), signal.SIGINT)
                end = time.monotonic() + _GRACE
                event: str | BaseException | None = ""
                while isinstance(event, str):
                    event = events.get(timeout=max(end - time.monotonic(), 0))
                at_prompt = event is None
        except (queue.Empty, OSError):
            pass
        finally:  # a second Ctrl-C comes here too
            if not at_prompt:
                self.close()

    def _report(self, line: str, progress: Progress | None) -> None:
        if line.startswith("@progress\t"):
            parts = line.split("\t")
            if progress is not None and len(parts) >= 4:
                done, total = _float(parts[2]), _float(parts[3])
                progress(parts[1], done, total, "\t".join(parts[4:]))
            return
        if line == _BEGUN:
            self._begun = True
            return
        self.output.append(line)
        _logger.debug("%s", line)
        if line.startswith("warning: ") and not line.startswith("warning: called from"):
            warnings.warn(line.removeprefix("warning: "), RuntimeWarning, stacklevel=4)

    def _place(self, size: int) -> str:
        """Give the folder for the files of a call whose request has `size` bytes."""
        if self.folder is not None:
            return os.fspath(self.folder)
        shared = "/dev/shm"
        with contextlib.suppress(OSError):
            room = shutil.disk_usage(shared).free
            if os.access(shared, os.W_OK) and room > 3 * size + _SPARE_ROOM:
                return shared
        return tempfile.gettempdir()

    def _answer(self, name: str, folder: Path) -> list[Any]:
        try:
            response = matfile.load(folder / "response.mat")
        except FileError as error:
            free = shutil.disk_usage(folder).free
            raise SessionError(
                f"session: Octave gave no whole answer to {name} ({_last(self.output, error)}; "
                f"{free >> 20} MB are free in {folder.parent})",
                "octcompress:session:died",
                "\n".join(self.output),
                True,
            ) from error
        if not response["ok"]:
            raise error_from(
                response["identifier"], response["message"], response["stack"], octave=True
            )
        value: list[Any] = response["value"]
        return value


def _travelling_size(name: str, variables: dict[str, Any]) -> int:
    """Size of a request; an error names the argument that cannot travel."""
    try:
        return matfile.nbytes(variables, caller=str(name))
    except OctcompressError as error:
        message = re.sub(
            r"args\[(\d+)\](?:\.args\[\d+\])*\.value\.?",
            lambda found: f"argument {int(found[1]) + 1}, ",
            error.message,
        ).replace(",  ", " ")
        raise error_from(error.identifier, message) from None


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _sweep() -> None:
    """Remove the files of calls whose Python was killed: in /dev/shm they take up memory."""
    for place in {"/dev/shm", tempfile.gettempdir()}:
        for folder in Path(place).glob("octcompress-*-*"):
            owner = folder.name.split("-")[1]
            with contextlib.suppress(OSError):
                if owner.isdigit() and folder.stat().st_uid == os.getuid():
                    try:
                        os.kill(int(owner), 0)
                    except ProcessLookupError:
                        shutil.rmtree(folder, ignore_errors=True)


def _last(output: deque[str], error: BaseException) -> str:
    """Give the last line that Octave printed, or what Python saw."""
    return next((line for line in reversed(output) if line.strip()), str(error).split("\n")[0])


def _quoted(path: Path) -> str:
    """Text as Octave writes it in single quotes. Only paths of ours come here."""
    return "'" + str(path).replace("'", "''") + "'"


def _kill(pid: int | None) -> None:
    """End an Octave and what it started."""
    if pid is None:
        return
    with contextlib.suppress(OSError):
        group = os.getpgid(pid)
        if group != os.getpgid(0):
            os.killpg(group, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)
