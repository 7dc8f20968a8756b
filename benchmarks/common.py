"""What the benchmarks share: a program run and measured, rounds in turn, a table."""

from __future__ import annotations

import os
import shlex
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from pyoctcompress.octave.setup import command_line, package_folder

ROOT = Path(__file__).resolve().parents[1]


def run(command: Sequence[str]) -> tuple[str, float]:
    """Run a program; what it printed, and the most memory it held, in bytes."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd="/")
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    if process.returncode != 0:
        raise SystemExit(f"{shlex.join(command)}\nended with {process.returncode}:\n{text}")
    return text, usage.ru_maxrss * 1024


def octave(code: str, threads: int | None = None) -> tuple[str, float]:
    """Run lines of Octave with our package, started as the bridge starts it."""
    path = f"addpath ('{package_folder()}'); addpath ('{ROOT / 'benchmarks'}');\n"
    start = [*shlex.split(command_line(threads)), "--no-gui", "--quiet", "--no-init-file"]
    return run([*start, "--eval", path + code])


def python(code: str) -> tuple[str, float]:
    """Run lines of Python in a process of their own."""
    return run([sys.executable, "-c", code])


def rounds(rows: dict[str, Callable[[], float]], count: int) -> dict[str, float]:
    """Call each row's function in turn, round after round; the median of each."""
    seen: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(count):
        for name, measure in rows.items():
            seen[name].append(measure())
    return {name: statistics.median(values) for name, values in seen.items()}


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Lay out rows as Markdown."""
    text = [[str(cell) for cell in row] for row in [heads, *rows]]
    widths = [max(len(row[c]) for row in text) for c in range(len(heads))]
    lines = [
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |"
        for row in text
    ]
    lines.insert(1, "| " + " | ".join("-" * w for w in widths) + " |")
    return "\n".join(lines)
