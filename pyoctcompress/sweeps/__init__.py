"""Many configurations of one model, side by side, on this machine or on a cluster.

Dask runs them (https://distributed.dask.org): each of its worker processes holds an Octave of its
own. `tasks` says what is tried, `results` what is kept.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pyoctcompress.datafile import DataFile
from pyoctcompress.errors import FileError, OptionError, SessionError
from pyoctcompress.sweeps.results import Results, Row, pareto, read
from pyoctcompress.sweeps.tasks import (
    Grid,
    Task,
    carry_out,
    configurations,
    key_of,
    steps_of,
)

__all__ = ["configurations", "pareto", "read", "sweep"]

# How often a configuration is tried again after its worker or its Octave died.
_RETRIES = 2


def sweep(
    model: str | os.PathLike[str],
    grid: Grid,
    output: str | os.PathLike[str],
    *,
    learn: DataFile,
    judge: DataFile,
    calibration: int = 1000,
    workers: int = 2,
    scheduler: str | None = None,
    backend: str = "octave",
    timeout: float | None = None,
    progress: Callable[[str, float, float, str], object] | None = None,
) -> dict[str, Any]:
    """Try every configuration of a grid on a model, and find the ones that no other beats.

    Parameters
    ----------
    model : path
        A network. With a cluster the file, and the data, must be at the same path for each worker.
    grid : dict
        ``'verb.option'`` to the values to try; see `configurations`.
    output : path
        The results, one JSON object a line (``.jsonl``), each written as soon as it is known. Where
        the file exists, the sweep goes on: what it holds is not run again.
    learn, judge : DataFile
        What training and calibration see, and what the error is counted on.
    calibration : int
        How many observations of `learn` stand for ``data=True`` in the grid.
    workers : int
        Processes on this machine, where there is no `scheduler`; 1: this process, without Dask.
    scheduler : str, optional
        The address of a Dask cluster, ``tcp://host:8786``.
    backend : {'octave', 'numpy'}
        Where the verbs run.
    timeout : float, optional
        Seconds for each call of Octave.
    progress : callable, optional
        Called with a word, configurations done, in all, and the best so far.

    Returns
    -------
    dict
        rows (a list of dicts: key, configuration, error, accuracy, bytes, parameters, nonzeros,
        macs, latency in seconds for an observation, seconds; or ``failed`` with a message),
        front (places in rows, by rising bytes), file, new (how many ran now).

    Raises
    ------
    OptionError
        ``octcompress:sweep:badGrid``, ``unknownVerb``, ``noDask``.
    FileError
        ``octcompress:sweep:noFile``, ``badFile``, ``noCluster``.
    """
    wanted = {key_of(c): c for c in configurations(grid)}
    heading = {
        "model": _digest(model),
        "data": _digest(learn.path),
        "learn": _described(learn),
        "judge": _described(judge),
        "calibration": calibration,
        "backend": backend,
    }
    results = Results(output, heading)
    try:
        done = {row["key"] for row in results.rows if "failed" not in row}
        tasks = {
            key: Task(
                os.path.abspath(model),
                learn,
                judge,
                calibration,
                tuple(steps_of(configuration)),
                backend,
                timeout,
            )
            for key, configuration in wanted.items()
            if key not in done
        }
        ready = len(wanted) - len(tasks)
        for key, row in _run(tasks, workers, scheduler):
            results.add({"key": key, "configuration": wanted[key], **row})
            ready += 1
            if progress is not None:
                progress("sweep", ready, len(wanted), _best(results.rows))
    finally:
        results.close()
    last = {row["key"]: row for row in results.rows}  # what had failed may have run since
    rows = [last[key] for key in wanted]
    return {
        "rows": rows,
        "front": pareto(rows),
        "file": os.fspath(output),
        "new": len(tasks),
    }


def _run(tasks: dict[str, Task], workers: int, scheduler: str | None) -> Iterator[tuple[str, Row]]:
    """Give the rows as they are ready."""
    if not tasks:
        return
    if workers == 1 and scheduler is None:
        for key, task in tasks.items():
            yield key, _carry_out_here(task)
        return
    try:
        from distributed import as_completed
    except ImportError:
        raise OptionError(
            "sweep: Dask is missing; run `pip install octcompress[sweep]`",
            "octcompress:sweep:noDask",
        ) from None
    with _client(min(workers, len(tasks)), scheduler) as client:
        # Dask runs a configuration again when its worker dies, and when Octave does.
        keys = {
            client.submit(carry_out, task, pure=False, retries=_RETRIES): key
            for key, task in tasks.items()
        }
        for future in as_completed(list(keys)):
            error = future.exception()
            yield keys[future], future.result() if error is None else _failed(error)


def _carry_out_here(task: Task) -> Row:
    """Run a configuration in this process."""
    for _ in range(_RETRIES):
        with suppress(SessionError):
            return carry_out(task)
    try:
        return carry_out(task)
    except SessionError as error:
        return _failed(error)


def _failed(error: BaseException) -> Row:
    return {"failed": str(error), "identifier": getattr(error, "identifier", "")}


@contextmanager
def _client(workers: int, scheduler: str | None) -> Iterator[Any]:
    """Connect to a cluster, or start one of local processes."""
    import dask
    from distributed import Client, LocalCluster

    if scheduler is not None:
        try:
            client = Client(scheduler, timeout=5)
        except (OSError, ValueError) as error:
            raise FileError(
                f"sweep: there is no Dask scheduler at {scheduler!r} ({error})",
                "octcompress:sweep:noCluster",
            ) from None
        with client:
            yield client
        return
    threads = str(max(1, (os.cpu_count() or 1) // workers))
    with (
        dask.config.set({"distributed.admin.log-length": 0}),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            memory_limit=0,
            silence_logs="CRITICAL",
            env={"OPENBLAS_NUM_THREADS": threads},
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def _digest(path: str | os.PathLike[str]) -> str:
    if not os.path.isfile(path):
        raise FileError(f"sweep: there is no file {os.fspath(path)!r}", "octcompress:sweep:noFile")
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _described(data: DataFile) -> list[Any]:
    limit = None if data.limit == float("inf") else data.limit
    return [os.path.basename(data.path), data.part, limit, data.pixel_order]


def _best(rows: list[Row]) -> str:
    """Say the least error so far, and the fewest bytes at it."""
    judged = [row for row in rows if "error" in row]
    if not judged:
        return ""
    best = min(judged, key=lambda row: (row["error"], row["bytes"]))
    return f"error {100 * best['error']:.2f}% in {best['bytes']:,} bytes"
