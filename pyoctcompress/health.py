"""What `octcompress doctor` finds out."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pyoctcompress._version import __version__
from pyoctcompress.errors import OctcompressError
from pyoctcompress.octave import INSTALL, find_octave, lend, package_folder

_OLDEST_OCTAVE = (7, 0)
# The reference BLAS reaches 4 GFLOP/s where a fast one has 100 and more on the same processor.
_SLOW_GFLOPS = 8.0
_PACKAGES = ("numpy", "scipy", "oct2py", "tqdm")
_ROOM_MB = 200

Check = dict[str, Any]


def doctor(timeout: float = 120.0) -> dict[str, Any]:
    """Check that everything octcompress needs is there and works.

    Parameters
    ----------
    timeout : float
        Seconds for each call of Octave.

    Returns
    -------
    dict
        ok, and checks: a list of dicts with name, ok, found (text) and advice (what to do, empty
        where nothing is wrong).
    """
    checks = [_python(), *map(_package, _PACKAGES), _octave_program()]
    if checks[-1]["ok"]:
        checks.append(_guarded("Octave package", _octave_package))
        found: dict[str, Any] = {}
        checks.append(_guarded("Octave", lambda: _octave_version(found, timeout)))
        if found:
            checks.append(_blas(found))
            checks.append(_guarded("self-test", lambda: _self_test(timeout)))
    checks.append(_room())
    return {"ok": all(check["ok"] for check in checks), "checks": checks}


def _check(name: str, ok: bool, found: str, advice: str = "") -> Check:
    return {"name": name, "ok": ok, "found": found, "advice": "" if ok else advice}


def _guarded(name: str, work: Callable[[], Check]) -> Check:
    try:
        return work()
    except OctcompressError as error:
        return _check(
            name, False, error.message, "see docs/python.md, `When Octave does not start`"
        )


def _python() -> Check:
    found = f"{platform.python_version()} ({sys.executable}), octcompress {__version__}"
    return _check("Python", sys.version_info >= (3, 11), found, "use Python 3.11 or later")


def _package(name: str) -> Check:
    try:
        return _check(name, True, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return _check(name, False, "not installed", f"{sys.executable} -m pip install {name}")


def _octave_program() -> Check:
    try:
        return _check("Octave program", True, find_octave())
    except OctcompressError as error:
        return _check("Octave program", False, error.message.partition(";")[0], INSTALL)


def _octave_package() -> Check:
    return _check("Octave package", True, str(package_folder()))


def _octave_version(found: dict[str, Any], timeout: float) -> Check:
    with lend() as session:
        report = session.call("octcompress.internal.diagnose", timeout=timeout)
        report["library"] = _loaded_blas(session.pid)
    found.update(report)
    numbers = tuple(int(n) for n in re.findall(r"\d+", found["version"])[:2])
    advice = f"install Octave {_OLDEST_OCTAVE[0]} or later: {INSTALL}"
    return _check("Octave", numbers >= _OLDEST_OCTAVE, found["version"], advice)


def _loaded_blas(pid: int | None) -> str:
    """Find the BLAS library that a process has loaded; empty where that cannot be seen."""
    try:
        lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    except OSError:
        return ""
    files = {line.split()[-1] for line in lines if re.search(r"blas|mkl|atlas|blis", line)}
    return ", ".join(sorted(files))


def _blas(found: dict[str, Any]) -> Check:
    speed = found["gflops"]
    text = f"{speed:.0f} GFLOP/s (1000 x 1000 single), {found['blas']}"
    if found["library"]:
        text += f", {found['library']}"
    advice = "sudo apt-get install libopenblas0, which multiplies many times faster"
    if sys.platform == "darwin":
        advice = "brew reinstall openblas octave, for a faster library"
    return _check("matrix product", speed >= _SLOW_GFLOPS, text, advice)


def _self_test(timeout: float) -> Check:
    from pyoctcompress.agreement import crosscheck

    random = np.random.default_rng(0)
    layers = [
        {"type": "dense", "weights": random.standard_normal((8, 6)).astype(np.float32)},
        {"type": "relu"},
        {"type": "dense", "weights": random.standard_normal((3, 8)).astype(np.float32)},
    ]
    report = crosscheck({"layers": layers}, timeout=timeout)
    wrong = [step for step in report["steps"] if not step["ok"]]
    if not wrong:
        text = f"{len(report['steps'])} steps agree in Octave and NumPy"
        return _check("self-test", True, text)
    text = ", ".join(f"{step['step']} ({step['where']})" for step in wrong)
    return _check("self-test", False, f"Octave and NumPy differ in {text}", "report this as a bug")


def _room() -> Check:
    places = ["/dev/shm", tempfile.gettempdir()]
    rooms = {p: shutil.disk_usage(p).free >> 20 for p in places if Path(p).is_dir()}
    found = ", ".join(f"{place} {room} MB free" for place, room in rooms.items())
    advice = f"free some room in {tempfile.gettempdir()}, or set TMPDIR to a folder that has it"
    return _check("temporary files", max(rooms.values()) >= _ROOM_MB, found, advice)
