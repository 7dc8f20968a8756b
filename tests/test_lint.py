"""Style and types: MATLAB's grammar for every .m file, ruff and mypy for Python."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.octave.collector import read_blocks

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = 100
M_FILES = sorted(
    path
    for folder in ("octave_pkg", "examples", "benchmarks", "tests")
    for path in (ROOT / folder).rglob("*.m")
)


def run_tool(*arguments: str) -> None:
    """Run a tool of the virtual environment; its complaints are the failure."""
    bin_folder = Path(sys.executable).parent
    done = subprocess.run(
        [bin_folder / arguments[0], *arguments[1:]],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.fail(done.stdout + done.stderr, pytrace=False)


def test_m_files_parse_as_matlab():
    assert M_FILES
    run_tool("mh_lint", "--ignore-config", "--brief", *map(str, M_FILES))


def test_ruff():
    run_tool("ruff", "check", "--output-format", "concise", "--no-cache", ".")


def test_mypy():
    run_tool("mypy")


def style_faults(path: Path) -> list[str]:
    """Faults of an .m file against the project's style, as far as lines show them."""
    place = path.relative_to(ROOT)
    text = path.read_text(encoding="utf-8")
    faults = []
    for number, line in enumerate(text.splitlines(), start=1):
        comment = re.match(r"\s*%(?!!)", line)
        # The message that a block expects cannot be broken into lines.
        one_piece = re.match(r"%!(error|warning|fail)\b", line)
        checks = {
            "a tab": "\t" in line,
            "blanks at the end": line != line.rstrip(),
            f"{len(line)} columns, not at most {COLUMNS}": len(line) > COLUMNS and not one_piece,
            "a text in double quotes": '"' in line and "'" not in line and not comment,
            "write end": re.match(r"\s*end(if|for|while|switch|function)\b", line),
            "not indented by twos": re.match(r"(  )* (if|for|while|switch|end)\b", line),
        }
        faults += [f"{place}:{number}: {what}" for what, is_so in checks.items() if is_so]
    if not text.endswith("\n") or text.endswith("\n\n"):
        faults.append(f"{place}: one line feed ends a file")
    faults += [
        f"{place}:{block.line}: %!error without <message> or id= passes on any error"
        for block in read_blocks(path)
        if block.kind == "error" and not re.match(r"\s*(<|id=)", block.code)
    ]
    return faults


def test_m_files_keep_the_style():
    faults = [fault for path in M_FILES for fault in style_faults(path)]
    if faults:
        pytest.fail("\n".join(faults), pytrace=False)
