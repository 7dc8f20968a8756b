"""What all tests share."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.octave.collector import OCTAVE_OPTIONS, octave_executable

ROOT = Path(__file__).resolve().parent.parent

# Several sessions run side by side: one thread each.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of data and models beside the project, which not everybody has."""
    folder = ROOT.parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("the folder shared/ with its data is not beside the project")
    return folder


@pytest.fixture(scope="session")
def octave() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a program in an Octave of its own, in a given folder; output and errors are one text."""

    def run(program: str, cwd: Path, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [octave_executable(), *OCTAVE_OPTIONS, "--eval", program],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )

    return run
