"""The stored records of benchmarks/records: bytes on disk, and errors on MNIST's test images."""

from pathlib import Path

import pytest

import pyoctcompress as oc

# name: bytes of the file, errors among the 10,000 test images
RECORDS = {
    "lenet300_4k": (4066, 150),
    "lenet300_posttraining_25k": (24914, 166),
}


@pytest.mark.parametrize("backend", ["octave", "numpy"])
@pytest.mark.parametrize("name", RECORDS)
def test_record(root: Path, name: str, backend: str) -> None:
    file = root / "benchmarks" / "records" / f"{name}.mat"
    images = (28, 28, 1) if name.startswith("lenet5") else ()
    data = oc.DataFile(root / "examples" / "data" / "mnist.mat", "test", input_size=images)
    size, errors = RECORDS[name]
    assert file.stat().st_size == size
    result = oc.evaluate(file, data, backend=backend)
    assert round(1e4 * result["error"]) == pytest.approx(errors, abs=2)


def test_every_record_is_listed(root: Path) -> None:
    stored = {file.stem for file in (root / "benchmarks" / "records").glob("*.mat")}
    assert stored == set(RECORDS)
