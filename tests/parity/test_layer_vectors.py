"""Every layer type, forward and backward, against what PyTorch computed (tests/vectors)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from pyoctcompress import matfile

VECTORS = Path(__file__).parents[1] / "vectors"
LABELS = [case["label"] for case in matfile.load(VECTORS / "layers.mat")["cases"]]
# The vectors are rounded to single; Octave computes in double.
TOLERANCE = 1e-6


@pytest.fixture(scope="module")
def answers(octave, root, tmp_path_factory):
    """What Octave says of each label: a message, empty if it ran, and the errors."""
    folder = tmp_path_factory.mktemp("vectors")
    result = folder / "answer.mat"
    files = [root / "octave_pkg" / "inst", VECTORS / "layers.mat", result]
    program = f"addpath ('{VECTORS}'); check_vectors ({', '.join(repr(str(f)) for f in files)});"
    run = octave(program, folder)
    assert result.exists(), run.stdout
    answer = matfile.load(result)
    return dict(
        zip(answer["labels"], zip(answer["messages"], answer["errors"], strict=True), strict=True)
    )


@pytest.mark.parametrize("label", LABELS)
def test_layer(answers, label):
    message, errors = answers[label]
    assert message == ""
    assert {name: error for name, error in errors.items() if not error < TOLERANCE} == {}


def test_labels_are_unique():
    assert [label for label, count in Counter(LABELS).items() if count > 1] == []


def test_every_type_is_there(octave, root, tmp_path):
    program = (
        f"addpath ('{root / 'octave_pkg' / 'inst'}'); "
        "names = octcompress.layers.types (); printf ('%s\\n', names{:});"
    )
    types = set(octave(program, tmp_path).stdout.split())
    assert len(types) > 30
    assert types - {label.partition(":")[0] for label in LABELS} == {"dropout"}
