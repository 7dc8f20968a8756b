"""The stored records of benchmarks/records: bytes on disk, and errors on MNIST's test images."""

import math
from pathlib import Path
from typing import Any

import pytest

import pyoctcompress as oc

# name: bytes of the file, errors among the 10,000 test images
RECORDS = {
    "lenet300_4k": (4096, 157),
    "lenet5_10k": (10160, 63),
    "lenet300_posttraining_20k": (19605, 167),
    "lenet5_4k": (3740, 92),
    "lenet300_posttraining_25k": (24426, 166),
    "lenet5_posttraining_28k": (26460, 77),
    "lenet5_posttraining_48k": (44210, 70),
}


def judged(root: Path, name: str, backend: Any, limit: float = math.inf) -> float:
    """Count a record's errors among the first test images."""
    data = oc.DataFile(
        root / "examples" / "data" / "mnist.mat",
        "test",
        limit=limit,
        input_size=(28, 28, 1) if name.startswith("lenet5") else (),
    )
    file = root / "benchmarks" / "records" / f"{name}.mat"
    result = oc.evaluate(file, data, backend=backend)
    return float(result["error"]) * min(limit, 10000)


@pytest.mark.parametrize("name", RECORDS)
def test_record(root: Path, name: str) -> None:
    file = root / "benchmarks" / "records" / f"{name}.mat"
    size, errors = RECORDS[name]
    assert file.stat().st_size == size
    assert judged(root, name, "octave") == pytest.approx(errors, abs=2.5)


@pytest.mark.parametrize("name", RECORDS)
def test_both_backends_judge_the_same(root: Path, name: str) -> None:
    counts = [judged(root, name, backend, 1000) for backend in ("octave", "numpy")]
    assert counts[0] == pytest.approx(counts[1], abs=1.5)


@pytest.mark.parametrize("name", RECORDS)
def test_packing_again_gives_the_same_bytes(root: Path, name: str, tmp_path: Path) -> None:
    file = root / "benchmarks" / "records" / f"{name}.mat"
    oc.save(tmp_path / "again.mat", oc.load(file), coding="auto")
    assert (tmp_path / "again.mat").read_bytes() == file.read_bytes()


def test_every_record_is_listed(root: Path) -> None:
    stored = {file.stem for file in (root / "benchmarks" / "records").glob("*.mat")}
    assert stored == set(RECORDS)
