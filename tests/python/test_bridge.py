"""The bridge as its users meet it, and all the ways in which a child process goes wrong."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import pyoctcompress as oc
from pyoctcompress import matfile
from pyoctcompress.octave import (
    Call,
    Keep,
    PathData,
    PathModel,
    Session,
    call,
    close_all,
    find_octave,
    lend,
    package_folder,
    setup,
)

DESCRIBE = "octcompress.internal.describe"
GRID = {"bits": 8.0, "scheme": "symmetric", "scale": 0.5, "zero_point": 0.0, "axis": 0.0}


@pytest.fixture(scope="module")
def session():
    with Session(threads=1) as session:
        yield session


@pytest.fixture
def model():
    random = np.random.default_rng(0)
    layers = [
        {"type": "dense", "name": "a", "weights": random.standard_normal((8, 6), np.float32)},
        {"type": "relu", "name": "r"},
        {"type": "dense", "name": "b", "weights": random.standard_normal((3, 8), np.float32)},
    ]
    return {"layers": layers, "input_size": 6.0}


@pytest.fixture
def model_file(model, tmp_path):
    matfile.save(tmp_path / "model.mat", model)
    return tmp_path / "model.mat"


def is_running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def ends(pid, seconds=10):
    stop = time.monotonic() + seconds
    while is_running(pid) and time.monotonic() < stop:
        time.sleep(0.05)
    return not is_running(pid)


def endless(session, **settings):
    """A call that only ends from outside: training for very many epochs."""
    random = np.random.default_rng(1)
    layers = [{"type": "dense", "weights": np.zeros((3, 4), np.float32)}]
    X, Y = random.random((4, 60), np.float32), np.arange(60.0).reshape(1, -1) % 3 + 1
    return session.call("nn_train", {"layers": layers}, X, Y, "epochs", 1e6, **settings)


# ----------------------------------------------------------------------------------------- calls


def test_call_and_outputs(session):
    w = np.array([[-1.0, 0.26, 70.0]], np.float32)
    codes = session.call("octcompress.quant.encode_grid", w, GRID)
    assert codes.dtype == np.int32
    assert codes.tolist() == [[-2, 1, 127]]
    result = session.call("octcompress.quant.snap_to_grid", w, GRID, nargout=3)
    assert isinstance(result, tuple) and len(result) == 3
    assert result[0].tolist() == [[-1.0, 0.5, 63.5]]
    assert result[2].tolist() == [[True, True, False]]
    assert session.call("octcompress.internal.check", "f", "a", 1.0, "flag", nargout=0) is None


def test_text_beyond_ascii(session):
    text = "Größe ☃ 😀 \"q\" 'q' %d \\n"
    assert session.call(DESCRIBE, text) == f"'{text}'"


def test_an_argument_can_be_a_call(session):
    assert session.call(DESCRIBE, Call(DESCRIBE, 4.0)) == "'4'"


def test_several_outputs_of_a_call_become_several_arguments(session, model_file, tmp_path):
    matfile.save(tmp_path / "d.mat", {"X": np.eye(6), "Y": np.array([[1.0, 2, 3, 1, 2, 3]])})
    result = session.call("nn_evaluate", PathModel(model_file), PathData(tmp_path / "d.mat"))
    assert result["count"] == 6


def test_a_model_stays_with_octave(session, model, model_file, tmp_path):
    kept, info = session.call(
        "nn_prune",
        PathModel(model_file),
        "sparsity",
        0.5,
        nargout=2,
        keep=[Keep(tmp_path / "out.mat", compress=True)],
    )
    assert kept == str(tmp_path / "out.mat")
    assert info["zeros"] == 24 + 12
    small = matfile.load(kept)
    assert np.count_nonzero(small["layers"][0]["weights"]) == 24


def test_relative_paths_are_those_of_python(session, model_file, monkeypatch):
    monkeypatch.chdir(model_file.parent)
    assert session.call("nn_info", PathModel("model.mat"))["totals"]["parameters"] == 72


def test_paths_with_awkward_names(session, model, tmp_path):
    file = tmp_path / "it's %d ☃.mat"
    matfile.save(file, model)
    assert session.call("nn_info", PathModel(file))["totals"]["parameters"] == 72


def test_progress_lines(session):
    seen = []
    name = "octcompress.internal.progress"
    session.call(
        name, "a task", 3.0, 25.0, "loss %g", 0.5, nargout=0, progress=lambda *a: seen.append(a)
    )
    assert seen == [("a task", 3.0, 25.0, "loss 0.5")]
    assert session.call(name, "a task", 3.0, 25.0, nargout=0) is None


def test_warnings_become_warnings(session):
    with pytest.warns(RuntimeWarning, match="^of Octave$"):
        session._report("warning: of Octave", None)
        session._report("warning: called from", None)


def test_no_temporary_file_is_left(session):
    def ours():
        folders = {tempfile.gettempdir(), "/dev/shm"}
        return {p for folder in folders for p in Path(folder).glob(f"octcompress-{os.getpid()}-*")}

    before = ours()
    session.call(DESCRIBE, 4.0)
    with pytest.raises(oc.OctcompressError):
        session.call("nn_prune", 4.0, "wrong", 1.0)
    assert ours() - before == set()


def test_files_of_a_python_that_was_killed_are_removed():
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                           capture_output=True, text=True).stdout.strip()  # fmt: skip
    stale = Path(tempfile.mkdtemp(prefix=f"octcompress-{ended}-"))
    alive = Path(tempfile.mkdtemp(prefix=f"octcompress-{os.getpid()}-"))
    with Session() as session:
        session.call(DESCRIBE, 4.0)
    assert not stale.exists()
    assert alive.exists()
    alive.rmdir()


def test_files_go_where_they_are_told_to(tmp_path):
    with Session(folder=tmp_path) as session:
        assert session.call(DESCRIBE, 4.0) == "4"
    assert os.listdir(tmp_path) == []


# ---------------------------------------------------------------------------------------- errors


def test_an_error_of_octave_is_typed(session):
    with pytest.raises(oc.OptionError) as caught:
        session.call("nn_prune", np.eye(3), "sparsty", 0.5)
    error = caught.value
    assert error.identifier == "octcompress:nn_prune:unknownOption"
    assert error.message.startswith("nn_prune: there is no option 'sparsty'; the options are thr")
    assert str(error) == error.message
    assert error.tag == "unknownOption"
    assert error.octave
    assert "parse_options" in error.stack
    assert isinstance(error, ValueError)


@pytest.mark.parametrize(
    ("args", "kind", "tag"),
    [
        (("nn_load", "/nowhere.mat"), oc.FileError, "noFile"),
        (("nn_info", 3.0), oc.ModelError, "notModel"),
        (("nn_prune", np.array([[np.nan]]), "sparsity", 0.5), oc.ModelError, "notFinite"),
        (("nn_quantize", np.eye(2), 17.0), oc.OptionError, "badValue"),
    ],
)
def test_the_kind_of_error_follows_the_tag(session, args, kind, tag):
    with pytest.raises(kind) as caught:
        session.call(*args)
    assert caught.value.identifier == f"octcompress:{args[0]}:{tag}"


def test_an_error_of_octave_itself(session):
    with pytest.raises(oc.OctaveError) as caught:
        session.call(DESCRIBE)  # its argument is undefined
    assert caught.value.identifier == "Octave:undefined-function"
    assert "describe" in caught.value.stack


@pytest.mark.parametrize(
    "name",
    ["system", "eval", "nn_no_such", "octcompress.no.such", "nn_load;system('true')", "", "nn_",
     "octcompress.internal.describe(1)", "../nn_load", "octcompress", "nn_load\n", "ä", 4.0],
)  # fmt: skip
def test_only_functions_of_the_toolbox_are_called(session, name):
    with pytest.raises(oc.OctcompressError) as caught:
        session.call(name, nargout=0)
    assert caught.value.identifier == "octcompress:serve:unknownFunction"


def test_text_is_never_evaluated(session, tmp_path):
    trap = tmp_path / "trap"
    for text in (f"'); system ('touch {trap}'); ('", f"$(touch {trap})", f"`touch {trap}`"):
        assert session.call(DESCRIBE, text[:60]).startswith("'")
        with pytest.raises(oc.OctcompressError):
            session.call("nn_load", text)
        with pytest.raises(oc.OctcompressError):
            session.call("nn_prune", np.eye(2), text, 1.0)
    assert not trap.exists()


def test_what_cannot_travel_is_refused_with_its_place(session):
    for value, message in (
        ({"layers": [{"weights": None}]}, "layers[0].weights is None"),
        ({"layers": [{"f": len}]}, "layers[0].f is a builtins.builtin_function_or_method"),
        ({"_a": 1.0}, "the name '_a'"),
    ):
        with pytest.raises(oc.OctcompressError) as caught:
            session.call("nn_info", value)
        assert message in caught.value.message
        assert "nn_info" in caught.value.message
    assert session.call(DESCRIBE, 4.0) == "4"


def test_a_function_handle_cannot_travel_back(session):
    with pytest.raises(oc.OctcompressError) as caught:
        session.call("octcompress.layers.types", "dense")
    assert caught.value.identifier == "octcompress:serve:notReturned"
    assert session.call(DESCRIBE, 4.0) == "4"


def test_octave_is_missing(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("OCTAVE_EXECUTABLE", raising=False)
    with pytest.raises(oc.SessionError, match=r"install it with `.* octave") as caught:
        Session().call(DESCRIBE, 4.0)
    assert caught.value.identifier == "octcompress:session:noOctave"
    monkeypatch.setenv("OCTAVE_EXECUTABLE", "/nowhere/octave")
    with pytest.raises(oc.SessionError, match="there is no program '/nowhere/octave'"):
        find_octave()


def test_octave_that_does_not_start(monkeypatch, tmp_path):
    program = tmp_path / "octave"
    program.write_text("#!/bin/sh\necho 'libfoo.so: cannot open shared object file'\nexit 127\n")
    program.chmod(0o755)
    setup.oct2py_class()
    monkeypatch.setenv("OCTAVE_EXECUTABLE", str(program))
    with pytest.raises(oc.SessionError, match="Octave ended during") as caught:
        Session().call(DESCRIBE, 4.0)
    assert caught.value.identifier == "octcompress:session:died"


# ---------------------------------------------------------------------------------- life and death


def test_killed_while_idle():
    with Session() as session:
        session.call(DESCRIBE, 4.0)
        first = session.pid
        os.kill(first, signal.SIGKILL)
        assert ends(first)
        assert session.call(DESCRIBE, 5.0) == "5"
        assert session.pid != first


def test_killed_during_a_call():
    def kill(*_):
        # A report may still wait to be read when the process is gone.
        with contextlib.suppress(ProcessLookupError):
            os.kill(session.pid, signal.SIGKILL)

    with Session() as session:
        with pytest.raises(oc.SessionError, match="Octave ended during nn_train") as caught:
            endless(session, progress=kill)
        assert caught.value.identifier == "octcompress:session:died"
        assert session.pid is None
        assert session.call(DESCRIBE, 4.0) == "4"


def test_time_limit_of_interpreted_code():
    with Session() as session:
        session.call(DESCRIBE, 4.0)
        pid, start = session.pid, time.monotonic()
        with pytest.raises(oc.SessionError, match=r"longer than its limit of 0\.5 s") as caught:
            endless(session, timeout=0.5)
        assert time.monotonic() - start < 4
        assert caught.value.identifier == "octcompress:session:timeout"
        assert ends(pid)
        assert session.call(DESCRIBE, 4.0) == "4"


def test_time_limit_of_one_long_built_in():
    """A built-in of a minute does not listen to interrupts; it is killed from outside."""
    w = np.random.default_rng(1).random((2500, 2500), np.float32)
    with Session(threads=1) as session:
        session.call(DESCRIBE, 4.0)
        pid, start = session.pid, time.monotonic()
        with pytest.raises(oc.SessionError, match="longer than its limit"):
            session.call("octcompress.prune.low_rank", w, {"rank": 3}, nargout=2, timeout=3)
        # Far below the minute that its decomposition takes, far above the 3 s on a busy machine.
        assert time.monotonic() - start < 20
        assert ends(pid)


def test_session_limit_holds_for_each_call():
    with Session(timeout=20) as session:
        assert session.call(DESCRIBE, 4.0) == "4"
        with pytest.raises(oc.SessionError, match=r"longer than its limit of 0\.0001 s"):
            session.call(DESCRIBE, 4.0, timeout=1e-4)


def test_an_error_in_the_progress_callback_stops_the_call():
    def fail(*_):
        raise ZeroDivisionError

    with Session() as session:
        with pytest.raises(ZeroDivisionError):
            endless(session, progress=fail)
        assert session.call(DESCRIBE, 4.0) == "4"


def test_ctrl_c_leaves_octave_at_its_prompt_with_the_model():
    def interrupt(*_):
        raise KeyboardInterrupt

    with Session() as session:
        with pytest.raises(KeyboardInterrupt):
            endless(session, progress=interrupt)
        assert session.alive
        model = session.call("octcompress.train.interrupted")
        assert model["layers"][0]["weights"].any()


def test_close_ends_the_process_and_can_be_repeated():
    session = Session()
    session.close()
    session.call(DESCRIBE, 4.0)
    pid = session.pid
    session.close()
    session.close()
    assert ends(pid)
    assert session.call(DESCRIBE, 4.0) == "4"
    session.close()


def run_python(code, **settings):
    folder = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True, **settings)


def test_python_that_ends_takes_octave_with_it():
    process = run_python("""
        from pyoctcompress.octave import Session, lend
        with lend() as session:
            session.call("octcompress.internal.describe", 4.0)
            print(session.pid)
        own = Session()
        own.call("octcompress.internal.describe", 4.0)
        print(own.pid)
    """)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert all(ends(int(pid)) for pid in output.split())
    assert len(output.split()) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="needs GNU env")
def test_python_that_is_killed_takes_octave_with_it_even_in_a_call(tmp_path):
    process = run_python("""
        import numpy as np
        from pyoctcompress.octave import Session
        model = {"layers": [{"type": "dense", "weights": np.zeros((3, 4), np.float32)}]}
        X, Y = np.ones((4, 60), np.float32), np.ones((1, 60))
        session = Session()
        show = lambda *_: print(session.pid, flush=True)
        session.call("nn_train", model, X, Y, "epochs", 1e6, progress=show)
    """)
    pid = int(process.stdout.readline())
    assert is_running(pid)
    process.kill()
    process.wait()
    process.stdout.close()
    assert ends(pid)


# -------------------------------------------------------------------------------------- threads


def test_three_threads_at_once_get_their_own_answers():
    wrong = []

    def work(k):
        random = np.random.default_rng(k)
        for _ in range(8):
            w = random.standard_normal((5 + k, 7), np.float32)
            codes = call("octcompress.quant.encode_grid", w, GRID | {"scale": 0.03125})
            expected = np.clip(np.sign(w) * np.floor(np.abs(w * 32) + 0.5), -127, 127)
            if not np.array_equal(codes, expected):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_pool_keeps_its_sessions():
    call(DESCRIBE, 4.0)
    with lend() as session:
        pid = session.pid
    call(DESCRIBE, 4.0)
    with lend() as session:
        assert session.pid == pid
    close_all()
    assert ends(pid)
    assert call(DESCRIBE, 4.0) == "4"


def test_one_session_from_several_threads_in_turn(session):
    results = []
    for k in range(3):
        thread = threading.Thread(target=lambda k=k: results.append(session.call(DESCRIBE, k)))
        thread.start()
        thread.join()
    assert results == ["0", "1", "2"]


# ----------------------------------------------------------------------------------------- set-up


def test_environment_of_octave(session):
    session.call("octcompress.internal.describe", 1)  # starts it
    environment = Path(f"/proc/{session.pid}/environ").read_bytes().decode()
    assert "OCTCOMPRESS_PROGRESS=lines\0" in environment
    # Some versions of glibc cut their variable at the colons while they read it.
    assert "GLIBC_TUNABLES=glibc.malloc.hugetlb=1" in environment
    assert "glibc.malloc.mmap_threshold=4294967296" in environment


def test_package_folder():
    assert (package_folder() / "nn_load.m").is_file()


def test_import_is_light():
    code = """
        import sys
        import pyoctcompress, pyoctcompress.cli
        heavy = {"numpy", "scipy", "oct2py", "tqdm", "IPython"} & set(sys.modules)
        assert not heavy, heavy
        pyoctcompress.DataFile
        assert "oct2py" not in sys.modules
    """
    process = run_python(code)
    process.communicate()
    assert process.returncode == 0
