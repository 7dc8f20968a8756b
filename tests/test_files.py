"""The files of the repository and the wheel that is made of them."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pyoctcompress._version import __version__

ROOT = Path(__file__).resolve().parent.parent
INST = ROOT / "octave_pkg" / "inst"
# A folder of one person's or one machine's: nobody else has it.
PRIVATE_PATH = re.compile(rb"(?<![\w.~})-])/(home|Users|root|work)/[\w.-]+")


def tracked_files() -> list[Path]:
    """The files that git has, or skip where there is no git."""
    git = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"]
    try:
        listed = subprocess.run(git, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git repository")
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def test_no_file_names_a_folder_of_somebodys_machine():
    found = [
        f"{path.relative_to(ROOT)}: {match.group().decode()}"
        for path in tracked_files()
        if path != Path(__file__)
        for match in PRIVATE_PATH.finditer(path.read_bytes())
    ]
    assert not found


def test_the_pattern_of_private_paths():
    for text in (b"/home/me/x.mat", b"'/root/.cache'", b"C /Users/me", b"=/work/it"):
        assert PRIVATE_PATH.search(text)
    for text in (b"https://example.org/home/page", b"~/work/it", b"docs/work/it"):
        assert not PRIVATE_PATH.search(text)


def test_requirements_are_pinned():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert lines
    assert not [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+( ; .+)?", line)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built without network."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    done = subprocess.run(
        [*pip, "--no-index", "-w", folder, ROOT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return next(folder.glob("octcompress-*.whl"))


def test_wheel_holds_the_octave_package(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    expected = {
        f"pyoctcompress/octave/_package/{path.relative_to(INST).as_posix()}"
        for path in INST.rglob("*.m")
    }
    assert expected
    assert not expected - names
    assert not [name for name in names if not name.startswith(("pyoctcompress/", "octcompress-"))]


def test_wheel_works_away_from_the_repository(wheel, tmp_path):
    """The bridge uses the Octave functions that came with the wheel."""
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    program = (
        "import pathlib, numpy as np, pyoctcompress as oc; "
        "print(oc.__version__, pathlib.Path(oc.__file__).parent.parent); "
        "w, info = oc.prune(np.array([[1.0, -0.1], [0.3, 2.0]]), threshold=0.2); "
        "print(w.tolist())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{__version__} {site}", "[[1.0, 0.0], [0.0, 2.0]]"]
