"""The claims of docs/numerics.md on Octave's arithmetic, each against NumPy."""

from __future__ import annotations

import itertools

import numpy as np

from pyoctcompress.reference.internal import one_class, round_half_away, sequential_sum

from .arrays import awkward
from .harness import Case, compare, needs_octave

pytestmark = needs_octave
KINDS = (np.float32, np.float64)


def numbers(kind):
    """Whole numbers, halves, and their neighbours on both sides, in one row."""
    limits = np.finfo(kind)
    steps = 2.0 ** np.arange(0, limits.nmant + 3)
    base = np.concatenate([np.arange(0, 6, 0.5), steps, steps / 2, steps + 0.5, [limits.max]])
    base = base.astype(kind)
    near = np.concatenate([base, np.nextafter(base, kind(np.inf)), np.nextafter(base, kind(0))])
    near = near[np.isfinite(near)]
    return np.concatenate([near, -near])[np.newaxis]


def test_rounding_is_half_away_from_zero():
    x = np.array(
        [[0.5, 1.5, 2.5, -0.5, -2.5, 0.49999999999999994, 2.0**52 + 1, 4503599627370495.5]]
    )
    assert round_half_away(x).tolist() == [[1, 2, 3, -1, -3, 0, 2.0**52 + 1, 4503599627370496]]
    cases = [Case(str(kind), "round", round_half_away, [numbers(kind)]) for kind in KINDS]
    compare(cases)


def test_casts_to_integers_round_and_saturate():
    def cast(kind):
        limits = np.iinfo(kind)

        def reference(x):
            low, high = float(limits.min), float(limits.max)
            whole = np.clip(round_half_away(x.astype(float)), low, high)
            return np.where(np.isnan(x), 0, whole).astype(kind)

        return reference

    special = np.array([[np.nan, np.inf, -np.inf, 127.5, 127.4, -128.5, 32767.5, -32768.5, 1e10]])
    cases = []
    for kind, name in itertools.product(KINDS, ("int8", "uint8", "int16", "int32")):
        for x in (numbers(kind), special.astype(kind)):
            cases.append(Case(f"{name} {kind}", name, cast(np.dtype(name).type), [x]))
    compare(cases)


def test_single_wins_over_double():
    random = np.random.RandomState([2])
    a = random.standard_normal((3, 400)).astype(np.float32)
    b = random.standard_normal((3, 400))
    cases = []
    for name, operate in (("times", np.multiply), ("rdivide", np.divide), ("plus", np.add)):

        def reference(x, y, operate=operate):
            return operate(*one_class(np.asarray(x), np.asarray(y)))

        cases += [
            Case(f"{name} arrays", name, reference, [a, b]),
            Case(f"{name} double scalar", name, reference, [a, 0.1]),
            Case(f"{name} single scalar", name, reference, [b, np.array([[0.1]], np.float32)]),
        ]
    # 0.1 is compared as a single, so it is neither above nor below single (0.1).
    for name, operate in (("lt", np.less), ("ge", np.greater_equal)):
        cases.append(
            Case(name, name, lambda x, y, operate=operate: operate(x, np.float32(y)),
                 [np.full((1, 3), 0.1, np.float32), 0.1])
        )  # fmt: skip
    compare(cases)


def test_denormals_are_kept():
    x = np.array([[1e-38, 3e-45, 1.5]], np.float32)
    compare([
        Case("times", "times", lambda x, y: x * np.float32(y), [x, 1e-3]),
        Case("rdivide", "rdivide", lambda x, y: x / np.float32(y), [x, 300.0]),
    ])  # fmt: skip


def test_sums_go_one_after_the_other():
    """NumPy's own sum is pairwise and gives other bits."""
    random = np.random.RandomState([6])
    x = random.standard_normal((1, 100003))
    assert sequential_sum(x) != x.sum()
    cases = [
        Case("row", "sum", lambda x: sequential_sum(x), [x]),
        Case("column", "sum", lambda x: sequential_sum(x), [x.T]),
        Case("single in double", "sum", lambda x, _: sequential_sum(x),
             [x.astype(np.float32), "double"]),
        Case("columns", "sum", lambda x: np.cumsum(x, axis=0)[-1:], [x[:, :9999].reshape(9, -1)]),
        Case("squares", "power", lambda x, _: x * x, [x, 2.0]),
    ]  # fmt: skip
    compare(cases)


def test_sorting_is_stable_and_the_first_extreme_wins():
    x = np.round(np.random.RandomState([4]).random_sample((1, 500)) * 20)

    def sort(x):
        order = np.argsort(x, axis=1, kind="stable")
        return np.sort(x), order + 1.0

    def largest(x):
        return float(x.max()), x.argmax() + 1.0

    cases = [
        Case("sort", "sort", sort, [x], nargout=2),
        Case("max", "max", largest, [x], nargout=2),
    ]
    compare(cases)


def test_extremes_do_not_see_nan():
    x = np.array([[np.nan, 3.0, 1.0, np.nan]])
    compare([
        Case("min", "min", lambda x: float(np.nanmin(x)), [x]),
        Case("max", "max", lambda x: float(np.nanmax(x)), [x]),
    ])  # fmt: skip


def test_sign_of_zero():
    x = np.array([[-0.0, 0.0, -1.0]])
    compare([
        Case("sign", "sign", lambda x: np.where(x == 0, 0.0, np.sign(x)), [x]),
        Case("abs", "abs", np.abs, [x]),
        Case("round", "round", round_half_away, [x / 3]),
    ])  # fmt: skip


def test_linear_order_is_column_major():
    for kind in KINDS:
        w = awkward(kind)["random-4d"]
        column = w.reshape(-1, 1, order="F")
        compare([Case("colon", "vec", lambda w, column=column: column, [w])])
