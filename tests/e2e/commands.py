"""Commands as a user types them, and the processes that they are."""

import contextlib
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from pyoctcompress.cli import main

ROOT = Path(__file__).resolve().parents[2]


def environment(**changes):
    return {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", **changes}


def start(*args, **settings):
    command = [sys.executable, "-m", "pyoctcompress.cli", *map(str, args)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **settings
    )


def run(*args, status=0):
    """Run the command in this process, where Octave has started already."""
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        code = main([str(arg) for arg in args])
    assert code == status, errors.getvalue() + output.getvalue()
    return output.getvalue(), errors.getvalue()


def run_alone(*args, status=0, **settings):
    """Run the command in a process of its own."""
    process = start(*args, **{"env": environment(), **settings})
    output, errors = process.communicate(timeout=240)
    assert process.returncode == status, errors + output
    assert "Traceback" not in errors
    return output, errors


def run_json(*args, status=0):
    return json.loads(run(*args, "--json", status=status)[0])


def children(pid):
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def until(happened, process=None, seconds=240):
    """Wait until something has happened; a process that ends before has failed."""
    stop = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < stop, f"not within {seconds} seconds"
        if process is not None and process.poll() is not None:
            raise AssertionError("the command ended: " + "".join(process.communicate()))
        time.sleep(0.05)
