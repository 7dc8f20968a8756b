"""Sweeps: the grid, the file that survives interruption, and a cluster whose workers die."""

import contextlib
import itertools
import json
import os
import signal

import numpy as np
import pytest

from pyoctcompress import errors, matfile
from pyoctcompress import sweeps as sweep
from pyoctcompress.cli import main
from pyoctcompress.datafile import DataFile
from pyoctcompress.reference import verbs
from pyoctcompress.sweeps import results
from pyoctcompress.sweeps import tasks as plans


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A small network in a file, and data of four classes that it can learn."""
    folder = tmp_path_factory.mktemp("sweep")
    generator = np.random.default_rng(1)
    x = generator.random((6, 400)).astype(np.float32)
    y = 1.0 + 2 * (x[0] > 0.5) + (x[1] > 0.5)
    matfile.save(folder / "data.mat", {"X": x, "Y": y.reshape(1, -1)})
    model = verbs.new("input", 6, "dense", 16, "relu", "dense", 4)
    model, _ = verbs.train(model, x, y.reshape(1, -1), epochs=20, optimizer="adam")
    matfile.save(folder / "model.mat", model)
    return folder


def run(case, grid, output, **settings):
    data = DataFile(case / "data.mat", "train")
    settings = {"backend": "numpy", "learn": data, "judge": data, "workers": 1, **settings}
    return sweep.sweep(case / "model.mat", grid, output, **settings)


def test_grid_is_every_combination():
    grid = {"prune.sparsity": [None, 0.5], "quantize.bits": [2, 3], "prune.scope": ["global"]}
    found = [plans.steps_of(c) for c in plans.configurations(grid)]
    assert len(found) == 4
    assert found[0] == [("prune", {"scope": "global"}), ("quantize", {"bits": 2})] or found[0] == [
        ("quantize", {"bits": 2}),
        ("prune", {"scope": "global"}),
    ]
    assert found[3] == [("prune", {"sparsity": 0.5, "scope": "global"}), ("quantize", {"bits": 3})]


@pytest.mark.parametrize(
    ("grid", "tag", "words"),
    [
        ({}, "badGrid", "at least one"),
        ({"sparsity": [1]}, "badGrid", "'sparsity' must be 'verb.option'"),
        ({"prune.sparsity": 0.5}, "badGrid", "must have a list of values, but has 0.5"),
        ({"prune.sparsity": []}, "badGrid", "must have a list"),
        ({"shave.a": [1], "b": [2]}, "unknownVerb", "'b' must be 'verb.option'"),
    ],
)
def test_every_fault_of_a_grid(grid, tag, words):
    with pytest.raises(errors.OptionError, match="sweep: GRID") as caught:
        plans.configurations(grid)
    assert words in str(caught.value)
    assert caught.value.tag == tag


def test_front_is_what_no_other_beats():
    generator = np.random.default_rng(0)
    rows = [
        {"error": float(e), "bytes": int(b), "latency": 1.0}
        for e, b in generator.integers(0, 12, (60, 2))
    ]
    rows.append({"failed": "no"})
    front = sweep.pareto(rows)
    for k, row in enumerate(rows[:-1]):
        better = any(
            (o["error"] <= row["error"] and o["bytes"] < row["bytes"])
            or (o["error"] < row["error"] and o["bytes"] <= row["bytes"])
            for o in rows[:-1]
        )
        assert (k in front) == (not better)
    assert [rows[k]["bytes"] for k in front] == sorted(rows[k]["bytes"] for k in front)


def test_latency_counts_where_it_differs_by_more_than_timing_tells():
    slow = {"error": 0.1, "bytes": 10, "latency": 1.0}
    assert sweep.pareto([slow, {"error": 0.1, "bytes": 11, "latency": 0.5}]) == [0, 1]
    assert sweep.pareto([slow, {"error": 0.1, "bytes": 11, "latency": 0.95}]) == [0]


def test_local_processes_give_the_same(case, tmp_path):
    grid = {"prune.sparsity": [0.2, 0.9], "quantize.bits": [3]}
    rows = [
        run(case, grid, tmp_path / f"{workers}.jsonl", workers=workers)["rows"]
        for workers in (1, 2)
    ]
    for here, there in zip(*rows, strict=True):
        assert {**here, "seconds": 0, "latency": 0} == {**there, "seconds": 0, "latency": 0}


def test_a_sweep_is_the_verbs_and_goes_on_where_it_was_cut_off(case, tmp_path):
    output = tmp_path / "sweep.jsonl"
    grid = {"prune.sparsity": [0.2, 0.9], "quantize.bits": [2, 8]}
    first = run(case, grid, output)
    assert first["new"] == 4
    model = matfile.load(case / "model.mat")
    data = matfile.load(case / "data.mat")
    for row in first["rows"]:
        small, _ = verbs.prune(model, sparsity=row["configuration"]["prune.sparsity"])
        small, _ = verbs.quantize(small, bits=row["configuration"]["quantize.bits"])
        assert row["error"] == verbs.evaluate(small, data["X"], data["Y"])["error"]
        assert row["nonzeros"] == verbs.info(small)["totals"]["nonzeros"]
    assert sweep.read(output) == results.Results(output, _heading(output)).rows

    # Killed in the middle of a line: that line is run again, and nothing else is.
    text = output.read_bytes()
    output.write_bytes(text[:-20])
    second = run(case, {**grid, "quantize.bits": [2, 8, 16]}, output)
    assert second["new"] == 3
    assert len(second["rows"]) == 6
    again = {row["key"]: row for row in second["rows"]}
    for row in first["rows"]:
        assert again[row["key"]]["bytes"] == row["bytes"]
    assert run(case, grid, output)["new"] == 0


def _heading(output):
    heading = json.loads(output.read_text().splitlines()[0])
    assert heading.pop("sweep") == 1
    return heading


def test_what_a_verb_refuses_is_a_row_and_is_tried_again(case, tmp_path):
    grid = {"prune.sparsity": [0.5, 1.5]}
    output = tmp_path / "sweep.jsonl"
    found = run(case, grid, output)
    assert [("failed" in row) for row in found["rows"]] == [False, True]
    assert "SPARSITY must be a number from 0 to 1" in found["rows"][1]["failed"]
    assert found["front"] == [0]
    assert run(case, grid, output)["new"] == 1


def test_a_file_of_something_else_is_not_touched(case, tmp_path):
    grid = {"prune.sparsity": [0.5]}
    other = tmp_path / "other.txt"
    other.write_text("my notes\nare here\n")
    with pytest.raises(errors.FileError, match=r"is not the file of a sweep \(line 1\)"):
        run(case, grid, other)
    assert other.read_text() == "my notes\nare here\n"
    output = tmp_path / "sweep.jsonl"
    run(case, grid, output)
    with pytest.raises(errors.FileError, match="a sweep with another calibration;"):
        run(case, grid, output, calibration=5)
    with pytest.raises(errors.FileError, match="there is no file"):
        sweep.read(tmp_path / "none.jsonl")
    with pytest.raises(errors.FileError, match="there is no file"):
        sweep.sweep(
            tmp_path / "none.mat",
            grid,
            output,
            learn=DataFile(case / "data.mat"),
            judge=DataFile(case / "data.mat"),
        )


def test_a_worker_of_a_cluster_dies(case, tmp_path):
    """Its configuration is run again by another worker, and all rows are there."""
    from distributed import Client, LocalCluster

    grid = {"train.epochs": [30], "train.seed": list(range(8))}
    killed = []
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs="CRITICAL"
    ) as cluster:

        def strike(task, done, total, figures):
            if not killed:
                with Client(cluster.scheduler_address) as client:
                    busy = [w for w, tasks in client.processing().items() if tasks]
                    pids = client.run(os.getpid, workers=busy[:1])
                for pid in pids.values():
                    killed.append(pid)
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)

        found = run(
            case, grid, tmp_path / "s.jsonl", scheduler=cluster.scheduler_address, progress=strike
        )
    assert killed
    assert len(found["rows"]) == 8
    assert all("error" in row for row in found["rows"])
    assert not {row["key"] for row in found["rows"]} ^ {
        row["key"] for row in sweep.read(tmp_path / "s.jsonl")
    }


def test_octave_that_dies_is_tried_again(case, tmp_path, monkeypatch):
    calls = []

    def dies(task):
        calls.append(task)
        if len(calls) < deaths:
            raise errors.SessionError("Octave died", "octcompress:session:died")
        return {"error": 0.5, "bytes": 1}

    monkeypatch.setattr(sweep, "carry_out", dies)
    for deaths, failed in ((3, False), (4, True)):
        calls.clear()
        found = run(case, {"shrink.x": [1]}, tmp_path / f"{deaths}.jsonl")["rows"][0]
        assert len(calls) == 3
        assert ("failed" in found) == failed


def test_no_scheduler(case, tmp_path):
    with pytest.raises(errors.FileError, match="there is no Dask scheduler at 'tcp://127"):
        run(case, {"shrink.x": [1]}, tmp_path / "s.jsonl", scheduler="tcp://127.0.0.1:9")


def test_command(case, tmp_path, capsys):
    output = str(tmp_path / "sweep.jsonl")
    command = ["sweep", str(case / "model.mat"), "--data", str(case / "data.mat"), "-o", output]
    command += [
        "--workers",
        "1",
        "--grid",
        "prune.sparsity=0.5,0.9",
        "--grid",
        "prune.scope=global",
    ]
    assert main(command) == 0
    text = capsys.readouterr().out
    assert "2 ran now" in text
    assert "prune.sparsity=0.9 prune.scope=global" in text
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["new"] == 0
    assert {len(row["key"]) for row in found["rows"]} == {16}
    for bad, words in itertools.product(["--grid"], ["prune.sparsity", "prune.sparsity="]):
        with pytest.raises(SystemExit):
            main([*command, bad, words])
        assert "must be VERB.OPTION=A,B,C" in capsys.readouterr().err
