"""Arrays that break careless code."""

from __future__ import annotations

import numpy as np


def awkward(kind: type[np.floating]) -> dict[str, np.ndarray]:
    """Finite arrays of one class, by name."""
    random = np.random.RandomState([7])
    limits = np.finfo(kind)
    tiny, huge = limits.smallest_subnormal, limits.max
    some = random.standard_normal((5, 7))
    arrays = {
        "random": some,
        "random-4d": random.standard_normal((3, 2, 4, 5)),
        "random-3d": random.standard_normal((4, 3, 2)),
        "uniform": random.random_sample((6, 6)) - 0.5,
        "positive": random.random_sample((4, 3)) + 0.25,
        "negative": -random.random_sample((4, 3)) - 0.25,
        "column": random.standard_normal((9, 1)),
        "row": random.standard_normal((1, 9)),
        "zeros": np.zeros((3, 4)),
        "minus-zeros": np.array([[-0.0, 0.0], [0.0, -0.0]]),
        "one": np.array([[0.3]]),
        "one-negative": np.array([[-2.5]]),
        "one-zero": np.array([[0.0]]),
        "equal": np.full((4, 5), 0.7),
        "equal-negative": np.full((4, 5), -0.7),
        "ties": np.round(random.standard_normal((8, 9))),
        "halves": np.arange(-8, 8.5).reshape(1, -1) / 2,
        "almost-halves": np.array([[0.49999997, 0.49999999999999994, -0.49999997, 1.0]]),
        "two-signs": np.array([[1.0, -1.0], [-1.0, 1.0]]),
        "one-nonzero": np.eye(1, 12, 5),
        "empty": np.zeros((0, 0)),
        "empty-rows": np.zeros((0, 3)),
        "empty-columns": np.zeros((3, 0)),
        "empty-4d": np.zeros((2, 0, 3, 2)),
        "trailing-one": random.standard_normal((3, 3, 1, 1)),
        "inner-one": random.standard_normal((1, 3, 1, 4)),
        "denormal": np.arange(-6, 7).reshape(1, -1) * tiny.astype(kind),
        "denormal-mixed": np.array([[tiny, 1.0, -3 * tiny, -0.5]]),
        "smallest": np.array([[limits.tiny, -limits.tiny / 3]]),
        "large": np.array([[huge / 4, -huge / 16, 1.0, huge / 1000]]),
        "huge": np.array([[huge, -huge / 3, huge / 2, 0.0]]),
        "huge-both": np.array([[huge, -huge], [1.0, huge / 2]]),
        "wide": np.concatenate([some * 1e-6, some, some * 1e6]),
        "outlier": np.array([[100.0, 0.01, -0.02, 0.015, 0.0]]),
        "long": random.standard_normal((1, 20011)),
    }
    return {name: np.asarray(array).astype(kind) for name, array in arrays.items()}


def refused() -> dict[str, object]:
    """Values that no array verb takes, by name."""
    return {
        "nan": np.array([[1.0, np.nan, np.nan]]),
        "inf": np.array([[1.0], [np.inf]]),
        "minus-inf": np.array([[-np.inf, 1.0]], np.float32),
        "nan-4d": np.where(np.arange(24).reshape(2, 3, 4, 1) == 17, np.nan, 1.0),
        "nan-scalar": float("nan"),
        "nan-single": np.array([[np.nan]], np.float32),
        "int8": np.array([[1, 2]], np.int8),
        "uint16": np.array([[1], [2]], np.uint16),
        "logical": np.array([[True, False]]),
        "flag": True,
        "complex": np.array([[1 + 2j, 0.5]]),
        "text": "weights",
        "cell": [np.ones((2, 2))],
        "empty-int": np.zeros((0, 3), np.int32),
    }
