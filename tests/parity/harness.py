"""Run the same calls in Octave and in the NumPy reference, and compare what they give.

A test makes a list of `Case` and hands it to `compare`: all go to one Octave process in one file,
so that a thousand small cases take about a second.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyoctcompress import matfile
from pyoctcompress.errors import OctcompressError
from pyoctcompress.reference.internal import class_name, size, value_array

ROOT = Path(__file__).parents[2]
OCTAVE = shutil.which("octave-cli")
needs_octave = pytest.mark.skipif(OCTAVE is None, reason="Octave is not installed")


# Figures whose zeros may have either sign.
UNSIGNED = {"limit", "zero_point", "lo", "hi"}


@dataclass
class Case:
    """A call of both implementations.

    `name` is Octave's function and `reference` the Python one; `options` go as name-value pairs to
    the one and as keywords to the other. `tolerance` maps the last name on the way to a value
    ('sqnr', 'weights'; '' for all the others) to the largest difference allowed, relative to the
    largest magnitude of that array; without an entry all must agree to the bit. With `seeded` the
    first two arguments are 'seed' and the seed of Octave's random numbers.
    """

    label: str
    name: str
    reference: Callable[..., Any]
    args: Sequence[Any] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    nargout: int = 1
    tolerance: Mapping[str, float] = field(default_factory=dict)
    fails: bool | None = None
    seeded: bool = False


def run_octave(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """Run all the cases in one Octave process."""
    requests = []
    for case in cases:
        pairs = [part for pair in case.options.items() for part in pair]
        args = [octave_value(value) for value in [*case.args, *pairs]]
        seed, args = (args[1], args[2:]) if case.seeded else (None, args)
        seed = np.zeros((0, 0)) if seed is None else seed
        nargout = float(case.nargout)
        requests.append({"name": case.name, "args": args, "nargout": nargout, "seed": seed})
    with tempfile.TemporaryDirectory() as folder:
        request, response = Path(folder, "request.mat"), Path(folder, "response.mat")
        matfile.save(request, {"cases": requests}, durable=False)
        paths = [str(ROOT / "octave_pkg" / "inst"), str(request), str(response)]
        call = "run_cases (" + ", ".join(f"'{path}'" for path in paths) + ");"
        command = [str(OCTAVE), "-q", "--no-init-file", "-p", str(Path(__file__).parent)]
        done = subprocess.run(
            [*command, "--eval", call], capture_output=True, text=True, check=False, timeout=250
        )
        assert response.exists(), done.stderr
        return list(matfile.load(response)["answers"])


def octave_value(value: Any) -> Any:
    """Give None as the empty array it stands for, also inside."""
    if value is None:
        return np.zeros((0, 0))
    if isinstance(value, Mapping):
        return {key: octave_value(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [octave_value(inner) for inner in value]
    return value


def compare(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """Assert that both implementations agree on every case; returns Octave's answers."""
    assert cases
    faults = []
    answers = run_octave(cases)
    for case, answer in zip(cases, answers, strict=True):
        for fault in faults_of(case, answer):
            faults.append(f"{case.label}: {fault}")
    shown = "\n".join(faults[:20])
    assert not faults, f"{len(faults)} differences in {len(cases)} cases\n{shown}"
    return answers


def faults_of(case: Case, answer: Mapping[str, Any]) -> list[str]:
    """What the two implementations say differently in one case."""
    try:
        given = case.reference(*case.args, **case.options)
    except OctcompressError as error:
        if answer["ok"]:
            return [f"NumPy raised {error.identifier}: {error}, Octave did not"]
        ours = (error.identifier, str(error))
        theirs = (answer["identifier"], answer["message"])
        faults = [] if ours == theirs else [f"NumPy raised {ours}, Octave {theirs}"]
        return faults + (["raised, but should not"] if case.fails is False else [])
    if not answer["ok"]:
        return [f"Octave raised {answer['identifier']}: {answer['message']}, NumPy did not"]
    if case.fails:
        return ["should fail, but did not"]
    values = list(given) if isinstance(given, tuple) else [given]
    faults = []
    for k, (ours, theirs) in enumerate(zip(values[: case.nargout], answer["value"], strict=True)):
        faults += differences(ours, theirs, case.tolerance, f"output {k + 1}")
    return faults


def differences(ours: Any, theirs: Any, tolerance: Mapping[str, float], where: str) -> list[str]:
    """Where two values differ in class, size, bits, or by more than a tolerance."""
    kinds = (class_name(ours), class_name(theirs))
    empty_list = isinstance(ours, list) and not ours  # [] may be any empty cell or array
    if empty_list and 0 in size(theirs):
        return []
    if kinds[0] != kinds[1]:
        return [f"{where}: class {kinds[0]} in NumPy, {kinds[1]} in Octave"]
    if kinds[0] == "char":
        return [] if ours == theirs else [f"{where}: {ours!r} in NumPy, {theirs!r} in Octave"]
    if kinds[0] == "struct" and isinstance(ours, Mapping):
        if sorted(ours) != sorted(theirs):
            return [f"{where}: fields {sorted(ours)} in NumPy, {sorted(theirs)} in Octave"]
        return [
            fault
            for key in ours
            for fault in differences(ours[key], theirs[key], tolerance, f"{where}.{key}")
        ]
    if size(ours) != size(theirs):
        return [f"{where}: size {size(ours)} in NumPy, {size(theirs)} in Octave"]
    if kinds[0] in ("cell", "struct"):
        return [
            fault
            for k, (a, b) in enumerate(zip(ours, theirs, strict=True))
            for fault in differences(a, b, tolerance, f"{where}{{{k + 1}}}")
        ]
    return array_differences(value_array(ours), value_array(theirs), tolerance, where)


def array_differences(
    ours: np.ndarray, theirs: np.ndarray, tolerance: Mapping[str, float], where: str
) -> list[str]:
    """Where two arrays of one class and size differ."""
    ours = ours.reshape(size(ours))
    name = where.rpartition(".")[2].partition("{")[0]
    allowed = tolerance.get(name, tolerance.get("", 0.0))
    a, b = ours.ravel(order="F"), theirs.ravel(order="F")
    if ours.dtype.kind != "f" or allowed == 0:
        wrong = a != b
        if ours.dtype.kind == "f":
            both_nan = np.isnan(a) & np.isnan(b)
            if name not in UNSIGNED:
                wrong |= np.signbit(a) != np.signbit(b)
            wrong &= ~both_nan
    else:
        with np.errstate(invalid="ignore", over="ignore"):
            finite = np.isfinite(b)
            largest = np.max(np.abs(b[finite]), initial=np.finfo(b.dtype).tiny)
            far = ~(np.abs(a.astype(float) - b.astype(float)) <= allowed * float(largest))
        wrong = np.where(finite, far, (a != b) & ~(np.isnan(a) & np.isnan(b)))
    if not wrong.any():
        return []
    k = int(np.flatnonzero(wrong)[0])
    return [f"{where}: {wrong.sum()} of {a.size} differ; element {k + 1}: {a[k]!r}, {b[k]!r}"]
