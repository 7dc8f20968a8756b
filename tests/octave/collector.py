"""Pytest plugin: every ``%!`` block of an ``.m`` file is a test item of its own.

Octave's own ``test`` function runs the blocks, in one Octave process for each pytest worker. An
item is a file of its own for it: the ``%!shared`` and ``%!function`` blocks that stand before the
block, and the block. So a block may rely on these, not on what an earlier test did.

Files are collected from ``octave_pkg/inst`` and ``examples`` below the root. The folder
``octave_pkg/inst`` is on Octave's path; the current folder is an empty one outside the package,
so that what only works from inside the package fails.

What Octave would hide is made to fail:

- ``%!test <text>``, ``%!assert <text>``, ``%!fail <text>`` and ``%!xtest``, whose failures Octave
  takes for known bugs: the file is refused;
- ``% !test`` and an indented ``%!test``, which Octave never runs: the file is refused;
- a file of ``octave_pkg/inst`` without a block: an item that fails;
- a failing ``%!shared`` or ``%!function`` block;
- a block that leaves files open, or global variables behind;
- Octave crashing, leaving, or taking longer than ``octave_timeout`` seconds in a block;
- a run of the whole suite in which no block ran.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

INSTALL_HINT = "GNU Octave was not found; run: sh tools/setup.sh octave"
# Without the user's own settings, and without a window.
OCTAVE_OPTIONS = ("--no-gui", "--norc", "--quiet", "--no-history")
STARTUP_SECONDS = 60.0

# ---------------------------------------------------------------------- the blocks of a file


@dataclass(frozen=True)
class Block:
    """One ``%!`` block: where it starts, its kind ("test", "error", ...) and its numbered lines."""

    line: int
    kind: str
    lines: tuple[tuple[int, str], ...]

    @property
    def code(self) -> str:
        """The block without its ``%!`` and its kind."""
        return "\n".join(text[2:] for _, text in self.lines)[len(self.kind) :]


class BlockError(Exception):
    """A file whose blocks would not be run, or whose failures would be hidden."""


def read_blocks(path: Path) -> list[Block]:
    """Split a file as Octave's ``test`` does: a block begins where no blank follows the ``%!``."""
    found: list[list[tuple[int, str]]] = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if re.match(r"\s+%!|\s*%\s+!(test|assert|error|fail|warning|shared|function)\b", text):
            raise BlockError(f"{path}:{number}: Octave runs only what begins with %! at column 1")
        if not text.startswith("%!"):
            continue
        if text[2:3].strip():
            found.append([])
        if found:
            found[-1].append((number, text))
    blocks = []
    for lines in found:
        number, text = lines[0]
        kind = re.match(r"[A-Za-z]*", text[2:])
        block = Block(number, kind.group() if kind else "", tuple(lines))
        refuse_hidden_failures(path, block)
        blocks.append(block)
    return blocks


def refuse_hidden_failures(path: Path, block: Block) -> None:
    """Raise BlockError for the forms that Octave takes for known bugs."""
    if block.kind == "xtest":
        raise BlockError(f"{path}:{block.line}: Octave hides the failure of %!xtest; use %!test")
    marker = re.match(r"\s*<[^>]*>", block.code)
    if block.kind in ("test", "assert", "fail") and marker:
        text = marker.group().strip()
        raise BlockError(
            f"{path}:{block.line}: %!{block.kind} {text} marks a known bug, and Octave hides its "
            f"failure; for a title write %!{block.kind} % {text.strip('<>')}"
        )
    if block.kind == "testif" and "<" in block.lines[0][1].partition("%")[2]:
        raise BlockError(f"{path}:{block.line}: Octave hides the failure of %!testif <...>")


# ---------------------------------------------------------------------- Octave


class OctaveDied(Exception):
    """Octave crashed, left or was stopped in the middle of a block."""


class Answer(NamedTuple):
    """What Octave's ``test`` returned, in its order; its log; and what was printed meanwhile."""

    passed: int
    run: int
    expected_failures: int
    bugs: int
    skipped: int
    skipped_at_run_time: int
    regressions: int
    log: str
    output: str


def octave_executable() -> str:
    """Path of Octave; the environment's OCTAVE_EXECUTABLE goes first, as it does for oct2py."""
    for name in (os.environ.get("OCTAVE_EXECUTABLE"), "octave-cli", "octave"):
        if name and (found := shutil.which(name)):
            return found
    raise FileNotFoundError(INSTALL_HINT)


def octave_text(value: object) -> str:
    """A value as a text of the Octave language."""
    return "'" + str(value).replace("'", "''") + "'"


class Octave:
    """A long-lived Octave process that runs test files. It is started when first needed."""

    def __init__(self, inst: Path) -> None:
        self.inst = inst
        self.folder = tempfile.TemporaryDirectory(prefix="octave-tests-")
        self.home = Path(self.folder.name, "home")
        self.home.mkdir()
        self.mark = uuid.uuid4().hex
        self.process: subprocess.Popen[bytes] | None = None

    def run_test_file(self, text: str, name: str, extra_path: str, seconds: float) -> Answer:
        """Run the blocks of `text`; raise OctaveDied if Octave does not come back from them."""
        test_file = Path(self.folder.name, name)
        log = Path(self.folder.name, "log")
        test_file.write_text(text, encoding="utf-8")
        log.unlink(missing_ok=True)
        if self.process is None:
            self.start()
        assert self.process is not None and self.process.stdin is not None
        self.process.stdin.write(f"{test_file}\t{log}\t{extra_path}\n\n".encode())
        self.process.stdin.flush()
        output, answer = self.read_answer(seconds)
        counts = [int(number) for number in answer.split()]
        logged = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        return Answer(*counts, log=logged, output=output)

    def start(self) -> None:
        """Start Octave."""
        arguments = ", ".join(octave_text(value) for value in (self.inst, self.home, self.mark))
        program = f"addpath ({octave_text(Path(__file__).parent)}); serve ({arguments})"
        self.process = subprocess.Popen(
            [octave_executable(), *OCTAVE_OPTIONS, "--eval", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.home,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,
        )
        self.read_answer(STARTUP_SECONDS)

    def read_answer(self, seconds: float) -> tuple[str, str]:
        """Wait for an answer; give what was printed before it, and the answer."""
        assert self.process is not None and self.process.stdout is not None
        pattern = re.compile(rf"\n{self.mark}(.*)\n")
        deadline = time.monotonic() + seconds
        heard = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while True:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    self.stop()
                    problem = f"Octave was stopped: it took longer than {seconds:g} seconds"
                    break
                piece = os.read(self.process.stdout.fileno(), 1 << 16)
                if not piece:
                    problem = f"Octave ended in the middle of this block, {self.stop()}"
                    break
                heard += piece
                text = heard.decode("utf-8", errors="replace")
                if self.mark in text[-400:] and (match := pattern.search(text)):
                    return text[: match.start()], match.group(1)
        raise OctaveDied("\n".join([problem, heard.decode("utf-8", errors="replace").strip()]))

    def stop(self) -> str:
        """End the process and what it started; say how it ended."""
        if self.process is None:
            return ""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=0.5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        status = self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self.process = None
        return f"by signal {-status}" if status < 0 else f"with exit status {status}"

    def close(self) -> None:
        """End the process and remove its folder."""
        if self.process is not None and self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
        self.stop()
        self.folder.cleanup()


# ---------------------------------------------------------------------- the items

octave_key = pytest.StashKey[Octave]()


class BlockFailed(Exception):
    """A block that failed; the message is ready to be shown."""


class OctaveFile(pytest.File):
    """An ``.m`` file."""

    def collect(self) -> Iterator[pytest.Item]:
        """One item for each block that is a test."""
        try:
            blocks = read_blocks(self.path)
        except BlockError as error:
            raise self.CollectError(str(error)) from None
        preamble: list[Block] = []
        tests = 0
        for block in blocks:
            if block.kind in ("shared", "function", "endfunction"):
                preamble.append(block)
            elif block.kind != "demo" and not block.lines[0][1].startswith("%!#"):
                tests += 1
                yield OctaveBlock.from_parent(
                    self,
                    name=f"{block.kind or 'unknown'}:{block.line}",
                    block=block,
                    preamble=tuple(preamble),
                )
        if not tests and self.path.is_relative_to(package_folder(self.config)):
            yield NoBlocks.from_parent(self, name="tests")


class OctaveBlock(pytest.Item):
    """A block that is a test."""

    def __init__(self, *, block: Block, preamble: tuple[Block, ...], **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.block = block
        self.preamble = preamble

    def runtest(self) -> None:
        """Run the block; raise BlockFailed with all there is to say."""
        octave = self.config.stash.get(octave_key, None)
        if octave is None:
            octave = self.config.stash[octave_key] = Octave(package_folder(self.config))
        inside = self.path.is_relative_to(octave.inst)
        lines = [line for block in (*self.preamble, self.block) for _, line in block.lines]
        try:
            answer = octave.run_test_file(
                "\n".join(lines) + "\n",
                name=f"{self.path.stem}_line_{self.block.line}.m",
                extra_path="" if inside else str(self.path.parent),
                seconds=float(self.config.getini("octave_timeout")),
            )
        except (OctaveDied, FileNotFoundError) as error:
            raise BlockFailed(self.report(str(error))) from None
        if answer.output.strip():
            self.add_report_section("call", "Octave's output", answer.output.strip())
        if problem := failure_of(answer):
            raise BlockFailed(self.report(problem))
        if answer.skipped or answer.skipped_at_run_time:
            pytest.skip("what %!testif asks for is not there")

    def report(self, problem: str) -> str:
        """The place, the block with its line numbers, the line at fault marked, and the message."""
        fault = line_of_assert(self.block, problem) or self.block.line
        shown = [
            f"{'>' if number == fault else ' '} {number:4d} | {text}"
            for number, text in self.block.lines
        ]
        heading = re.sub(r"^(test failed|(error|warning) failed\.)\n", "", problem).splitlines()[0]
        place = f"{self.path.relative_to(self.config.rootpath)}:{fault}"
        return "\n".join([f"{place}: {heading}", "", *shown, "", problem])

    def repr_failure(self, excinfo, style=None):  # type: ignore[no-untyped-def]
        """The report of a failed block; anything else as usual."""
        if isinstance(excinfo.value, BlockFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """File, line counted from 0, and name."""
        return self.path, self.block.line - 1, self.name


class NoBlocks(pytest.Item):
    """Stands for the tests that a function of the package lacks."""

    def runtest(self) -> None:
        """Fail, with the reason."""
        pytest.fail(f"{self.path.name} has no %! block: each function has its tests", pytrace=False)

    def reportinfo(self) -> tuple[Path, int, str]:
        """File, line counted from 0, and name."""
        return self.path, 0, self.name


def failure_of(answer: Answer) -> str:
    """What is wrong with an answer; empty where nothing is."""
    leak = re.search(r"test: file \S+ (leaked .*)", answer.output)
    hidden = answer.expected_failures or answer.bugs or answer.regressions
    skipped = answer.skipped or answer.skipped_at_run_time
    if "!!!!! " in answer.log or answer.passed != answer.run or hidden:
        # The log holds Octave's heading and the block again, before the message.
        message = answer.log.partition("!!!!! ")[2] or answer.log
        return message.strip() or "failed without a message"
    if leak:
        return f"the block {leak.group(1)}"
    if answer.run != 1 and not skipped:
        return "Octave found no test in this block"
    return ""


def line_of_assert(block: Block, message: str) -> int | None:
    """The line whose assert is quoted in the message, if that is one line only."""
    quoted = re.search(r"ASSERT errors for:\s+assert \((.*)\)\n|\bassert \((.*)\) failed", message)
    if not quoted:
        return None
    wanted = "assert(" + re.sub(r"\s", "", quoted.group(1) or quoted.group(2)) + ")"
    found = [number for number, text in block.lines if wanted in re.sub(r"\s", "", text)]
    return found[0] if len(found) == 1 else None


# ---------------------------------------------------------------------- pytest's hooks


def package_folder(config: pytest.Config) -> Path:
    """The folder of the functions under test."""
    return config.rootpath / "octave_pkg" / "inst"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The one setting of this plugin."""
    parser.addini("octave_timeout", "seconds that one %! block may take", default="120")


def pytest_configure(config: pytest.Config) -> None:
    """Count the blocks that ran, in the process that hears of all of them."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(RunCounter(config), "octave-run-counter")


def pytest_unconfigure(config: pytest.Config) -> None:
    """End Octave."""
    if (octave := config.stash.get(octave_key, None)) is not None:
        octave.close()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> OctaveFile | None:
    """Collect the ``.m`` files of the package and of the examples."""
    root = parent.config.rootpath
    folders = (package_folder(parent.config), root / "examples")
    if file_path.suffix == ".m" and any(file_path.is_relative_to(folder) for folder in folders):
        return OctaveFile.from_parent(parent, path=file_path)
    return None


class RunCounter:
    """Fails a run of the whole suite in which no block ran."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.count = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count the blocks."""
        if report.when == "call" and ".m::" in report.nodeid and not report.skipped:
            self.count += 1

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Turn a pass into a failure."""
        if session.exitstatus == pytest.ExitCode.OK and self.whole_suite() and not self.count:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter) -> None:  # type: ignore[no-untyped-def]
        """Say why."""
        if self.whole_suite() and not self.count:
            terminalreporter.line("ERROR: not one %! block of an .m file ran", red=True)

    def whole_suite(self) -> bool:
        """Whether pytest was called without a choice of tests."""
        option = self.config.option
        chosen = option.keyword or option.markexpr or option.collectonly
        chosen = chosen or getattr(option, "lf", False)  # absent without the cache plugin
        return not chosen and self.config.args_source is not pytest.Config.ArgsSource.ARGS
