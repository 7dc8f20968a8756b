"""The budget verb, recipes and sensitivity curves in Python and on the command line."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import yaml

import pyoctcompress as oc
from pyoctcompress.cli import main
from tests.parity.harness import needs_octave

pytestmark = needs_octave

RECIPE = [
    {"step": "prune", "sparsity": {"dense_1": 0.5}, "criterion": "obs"},
    {"step": "quantize", "bits": 4, "rounding": "gptq"},
]


@pytest.fixture(scope="module")
def problem(tmp_path_factory):
    """A trained network and its data, as files."""
    folder = tmp_path_factory.mktemp("compress")
    rng = np.random.default_rng(0)
    x = rng.random((12, 400)).astype("float32")
    y = 1.0 + (x[:1] > 0.5) + (x[1:2] > 0.5)
    model = oc.new("input", 12, "dense", 24, "relu", "dense", 3, backend="numpy")
    model, _ = oc.train(
        model, x, y, epochs=20, optimizer="adam", learning_rate=0.01, backend="numpy"
    )
    oc.save(folder / "m.mat", model)
    oc.matfile.save(folder / "d.mat", {"X": x, "Y": y})
    return folder, oc.load(folder / "m.mat"), x, y


def test_a_recipe_from_everywhere_gives_the_same_file(problem, tmp_path):
    folder, model, x, y = problem
    small, info = oc.compress(model, x, y, recipe=RECIPE, output=tmp_path / "a.mat")
    assert small == tmp_path / "a.mat"
    assert info["bytes"] == small.stat().st_size
    (tmp_path / "r.yaml").write_text(yaml.safe_dump(RECIPE))
    data = oc.DataFile(folder / "d.mat", "train")
    oc.compress(folder / "m.mat", data, recipe=tmp_path / "r.yaml", output=tmp_path / "b.mat")
    assert (tmp_path / "a.mat").read_bytes() == (tmp_path / "b.mat").read_bytes()
    back = oc.load(tmp_path / "a.mat")
    assert [step["step"] for step in back["recipe"]] == ["prune", "quantize"]
    found, _ = oc.compress(model, folder / "d.mat", recipe=back["recipe"])
    np.testing.assert_array_equal(found["layers"][0]["weights"], back["layers"][0]["weights"])


def test_faults_come_all_at_once_and_before_anything_runs(problem, tmp_path):
    _, model, x, y = problem
    recipe = [{"step": "prune", "sparsty": 1}, {"step": "quantize", "bits": 40}]
    with pytest.raises(oc.OptionError) as caught:
        oc.compress(model, x, y, recipe=recipe, output=tmp_path / "a.mat")
    assert caught.value.identifier == "octcompress:nn_compress:badRecipe"
    for part in ("step 1 (prune)", "'sparsty'", "step 2 (quantize)", "but is 40"):
        assert part in str(caught.value)
    assert not list(tmp_path.iterdir())
    with pytest.raises(oc.OptionError, match="cannot be read as YAML"):
        oc.compress(model, x, y, recipe=tmp_path / "none.yaml")


def test_ready_recipes_are_the_same_in_both():
    ours, theirs = oc.recipes(backend="numpy"), oc.recipes()
    assert list(ours) == list(theirs)
    assert {"deep-compression", "int8-mobile", "int4", "tiny", "structured-fast"} == set(ours)
    for name, recipe in ours.items():
        assert [step["step"] for step in recipe] == [step["step"] for step in theirs[name]]


def test_the_command(problem, tmp_path, capsys):
    folder, *_ = problem
    files = [str(folder / "m.mat"), "--data", str(folder / "d.mat")]
    out = str(tmp_path / "s.mat")
    search = ["--candidates", "2", "--no-training", "--set", "bits=[3,5]", "--set", "sparsity=[0]"]
    assert main(["compress", *files, "--max-bytes", "1.5KB", *search, "-o", out, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["bytes"] <= 1500
    assert oc.load(out)["recipe"]
    assert main(["compress", *files, "--max-bytes", "9", *search, "-o", out]) == 1
    assert "no recipe was found with at most 9 bytes" in capsys.readouterr().err
    assert main(["compress", *files, "--recipe", "int4", "-o", out]) == 0
    assert "times less" in capsys.readouterr().out
    assert main(["recipes"]) == 0
    assert "structured-fast" in capsys.readouterr().out
    assert main(["recipes", "int4"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)[0] == {"step": "fold"}


@pytest.mark.parametrize("text", ["30XB", "-3", "KB"])
def test_sizes_that_are_none(text, capsys):
    with pytest.raises(SystemExit):
        main(["compress", "m.mat", "--data", "d", "-o", "o", f"--max-bytes={text}"])
    assert "must be" in capsys.readouterr().err


def test_curves_as_files(problem, tmp_path, capsys):
    folder, *_ = problem
    files = [str(folder / "m.mat"), "--data", str(folder / "d.mat"), "--bits", "3,5"]
    for name in ("c.mat", "c.csv", "c.png"):
        more = [] if name == "c.mat" else ["--sparsity", "0.5"]
        assert main(["sensitivity", *files, *more, "-o", str(tmp_path / name)]) == 0
        assert "dense_1.weights" in capsys.readouterr().out
    assert len(oc.load(tmp_path / "c.mat")["layers"]) == 2
    with (tmp_path / "c.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 8
    assert float(rows[0]["loss"]) > float(rows[1]["loss"]) > 0
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
    assert main(["sensitivity", *files, "-o", str(tmp_path / "c.doc")]) == 1
    assert "must end in one of" in capsys.readouterr().err
