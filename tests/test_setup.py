"""tools/setup.sh and the Makefile, on machines acted by stubs: what is installed, said and run."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ("sh", "make", "cat", "cksum", "env", "grep", "mktemp", "mv", "nproc", "rm", "sed", "tail")
TOOLS += ("dirname", "true")
OCTAVE_7 = "echo 'GNU Octave, version 7.3.0'"


class Machine:
    """A project folder and a PATH on which only the stubs and a few plain tools are."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        self.bin = folder / "bin"
        self.bin.mkdir()
        (self.project / "tools").mkdir(parents=True)
        for name in ("Makefile", "tools/setup.sh", "requirements.txt", "pyproject.toml"):
            shutil.copy(ROOT / name, self.project / name)
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found is not None
            (self.bin / tool).symlink_to(found)
        self.stub("ldconfig", "echo libopenblas.so.0")
        self.stub("id", "echo 1000")

    def stub(self, name: str, program: str, folder: Path | None = None) -> None:
        """Put a program on the PATH (or in a folder) that notes its arguments in the log."""
        path = (folder or self.bin) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>{self.project}/log\n{program}\n')
        path.chmod(0o755)

    def bring_octave(self) -> str:
        """A command that puts an Octave on the PATH."""
        self.stub("octave-cli", OCTAVE_7, self.project / "store")
        return f"mv {self.project}/store/octave-cli {self.bin}"

    def ready_venv(self) -> None:
        """A .venv that needs no work; its Python only notes what it is called with."""
        self.stub("python", "exit 0", self.project / ".venv" / "bin")
        files = ("requirements.txt", "pyproject.toml", "tools/setup.sh")
        text = b"".join((self.project / name).read_bytes() for name in files)
        sum_of_all = subprocess.run(["cksum"], input=text, capture_output=True, check=True).stdout
        (self.project / ".venv" / ".ready").write_bytes(sum_of_all)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command; what it prints is one text."""
        return subprocess.run(
            command,
            cwd=self.project,
            env={"PATH": str(self.bin), "HOME": str(self.project)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )

    def log(self) -> list[str]:
        """The calls of stubs so far."""
        log = self.project / "log"
        return log.read_text().splitlines() if log.exists() else []


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_octave_is_installed_by_root(machine):
    machine.stub("id", "echo 0")
    machine.stub("ldconfig", "true")
    machine.stub("apt-get", machine.bring_octave())
    done = machine.run("sh", "tools/setup.sh", "octave")
    assert done.returncode == 0, done.stdout
    installs = [call for call in machine.log() if call.startswith("apt-get")]
    assert len(installs) == 1
    assert installs[0].endswith("install --no-install-recommends octave libopenblas0")


def test_octave_is_installed_through_sudo_after_an_update(machine):
    machine.stub("sudo", '[ "$1" = -n ] && shift; exec "$@"')
    updated = machine.project / "updated"
    machine.stub(
        "apt-get",
        f'case "$*" in *update) echo >{updated}; exit 0 ;; esac\n'
        f"[ -e {updated} ] || exit 100\n{machine.bring_octave()}",
    )
    done = machine.run("sh", "tools/setup.sh", "octave")
    assert done.returncode == 0, done.stdout
    calls = [call.split()[-2:] for call in machine.log() if call.startswith("apt-get")]
    assert calls == [
        ["--no-install-recommends", "octave"],
        ["-q", "update"],
        ["--no-install-recommends", "octave"],
    ]


def test_the_browser_is_installed_or_done_without(machine):
    machine.stub("id", "echo 0")
    machine.stub("apt-get", "exit 100")
    done = machine.run("sh", "tools/setup.sh", "browser")
    assert done.returncode == 0
    assert "is skipped" in done.stdout
    machine.stub("apt-get", "exit 0")
    assert machine.run("sh", "tools/setup.sh", "browser").returncode == 0
    assert machine.log()[-1].endswith("install --no-install-recommends chromium chromium-driver")
    machine.stub("chromedriver", "exit 0")
    (machine.project / "log").unlink()
    assert machine.run("sh", "tools/setup.sh", "browser").stdout == ""
    assert not [call for call in machine.log() if call.startswith("apt-get")]


def test_without_root_the_command_is_named(machine):
    machine.stub("apt-get", "exit 100")
    machine.stub("sudo", "exit 1")
    done = machine.run("sh", "tools/setup.sh", "octave")
    assert done.returncode == 1
    assert "  sudo apt-get install --no-install-recommends octave libopenblas0\n" in done.stdout
    assert not [call for call in machine.log() if call.startswith("apt-get")]


def test_without_apt_other_ways_are_named(machine):
    done = machine.run("sh", "tools/setup.sh", "octave")
    assert done.returncode == 1
    assert "octave.org/download" in done.stdout
    assert "apt-get" not in done.stdout


def test_a_slow_blas_is_only_a_warning(machine):
    machine.stub("apt-get", "exit 100")
    machine.stub("octave-cli", OCTAVE_7)
    machine.stub("ldconfig", "true")
    done = machine.run("sh", "tools/setup.sh", "octave")
    assert done.returncode == 0
    assert "  sudo apt-get install --no-install-recommends libopenblas0\n" in done.stdout


def test_an_old_octave_is_refused(machine):
    machine.stub("octave-cli", "echo 'GNU Octave, version 6.4.0'")
    done = machine.run("sh", "tools/setup.sh", "octave")
    assert done.returncode == 1
    assert "Octave 7 or later is needed" in done.stdout
    assert "version 6" in done.stdout


def test_octave_is_asked_once(machine):
    machine.ready_venv()
    machine.stub("octave-cli", OCTAVE_7)
    for _ in range(3):
        assert machine.run("sh", "tools/setup.sh", "octave").returncode == 0
    assert machine.log().count("octave-cli --version") == 1


def test_an_old_python_is_refused(machine):
    machine.stub("python3", '[ "$1" = --version ] && echo Python 3.9.2; exit 1')
    done = machine.run("sh", "tools/setup.sh", "python")
    assert done.returncode == 1
    assert "Python 3.11 or later is needed; python3 is Python 3.9.2" in done.stdout


def test_a_missing_venv_module_is_named(machine):
    machine.stub(
        "python3",
        'case "$*" in *ensurepip*) exit 1 ;; *%d.%d*) echo 3.11 ;; esac; exit 0',
    )
    done = machine.run("sh", "tools/setup.sh", "python")
    assert done.returncode == 1
    assert "  sudo apt-get install python3.11-venv\n" in done.stdout


def test_the_second_time_nothing_is_done(machine):
    machine.ready_venv()
    done = machine.run("sh", "tools/setup.sh", "python")
    assert done.returncode == 0
    assert done.stdout == ""
    assert not [call for call in machine.log() if "pip" in call]


def test_changed_requirements_are_installed(machine):
    machine.ready_venv()
    with open(machine.project / "requirements.txt", "a") as file:
        file.write("something==1.0\n")
    assert machine.run("sh", "tools/setup.sh", "python").returncode == 0
    assert [call for call in machine.log() if call.endswith("-r requirements.txt")]
    assert [call for call in machine.log() if call.endswith("--no-deps -e .")]


def test_make_test_stops_without_octave(machine):
    machine.ready_venv()
    done = machine.run("make", "test")
    assert done.returncode != 0
    assert "GNU Octave is missing" in done.stdout
    assert not [call for call in machine.log() if "pytest" in call]


def test_make_demo_goes_on_without_octave(machine):
    machine.ready_venv()
    done = machine.run("make", "demo")
    assert done.returncode == 0
    assert machine.log()[-1] == "python examples/demo.py --backend numpy"


def test_make_demo_uses_octave(machine):
    machine.ready_venv()
    machine.stub("octave-cli", OCTAVE_7)
    done = machine.run("make", "demo")
    assert done.returncode == 0
    assert machine.log()[-1] == "python examples/demo.py"


def test_ci_run_is_make_test(machine):
    machine.ready_venv()
    machine.stub("octave-cli", OCTAVE_7)
    (machine.project / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", machine.project / ".ci" / "run")
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    done = machine.run("sh", ".ci/run")
    assert done.returncode == 0, done.stdout
    assert machine.log()[-1].startswith("python -m pytest")
    machine.stub("python", 'case "$*" in *pytest*) exit 1 ;; esac', machine.project / ".venv/bin")
    assert machine.run("sh", ".ci/run").returncode != 0
