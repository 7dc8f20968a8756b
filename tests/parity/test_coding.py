"""Coding: streams are identical to the byte, and each side reads what the other wrote."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

from pyoctcompress import modelfile
from pyoctcompress.errors import OctcompressError
from pyoctcompress.matfile import StructArray
from pyoctcompress.reference import coding, coding_context, coding_words, quant
from pyoctcompress.reference.coding_text import decode_text, encode_text
from pyoctcompress.reference.internal import class_name
from pyoctcompress.reference.nn_info import info
from pyoctcompress.reference.nn_pack import pack, unpack

from .harness import Case, compare, differences, needs_octave, run_octave

pytestmark = needs_octave
CODING = "octcompress.coding."
METHODS = ["none", "huffman", "rans", "auto"]


def column(data):
    return np.frombuffer(data, np.uint8).reshape(-1, 1)


def in_columns(function):
    """The function with uint8 columns for bytes, and columns for rows of numbers."""

    def call(*args):
        args = [
            a.tobytes() if isinstance(a, np.ndarray) and a.dtype == np.uint8 else a for a in args
        ]
        result = function(*[int(a) if isinstance(a, float) else a for a in args])
        values = result if isinstance(result, tuple) else (result,)
        return tuple(shaped(v) for v in values)

    return call


def shaped(value):
    if isinstance(value, bytes):
        return column(value)
    if isinstance(value, dict):
        return {key: float(number) for key, number in value.items()}
    if isinstance(value, int):
        return float(value)
    if value.dtype == np.int64:
        value = value.astype(float)
    return value.reshape(-1, 1) if value.ndim == 1 else value


def symbols(count, alphabet, spread, seed=0):
    """Symbols that get rarer, exponentially."""
    rng = np.random.default_rng(seed)
    return np.minimum(alphabet - 1, np.floor(rng.exponential(spread, (count, 1))))


def symbol_inputs():
    for count in (0, 1, 2, 3, 100, 4096, 4097, 8192, 8193, 30000):
        for alphabet, spread in (
            (1, 1),
            (2, 0.2),
            (2, 1),
            (16, 2),
            (16, 60),
            (257, 30),
            (2000, 300),
        ):
            yield f"{count} of {alphabet} by {spread}", symbols(count, alphabet, spread), alphabet
    yield "all equal", np.full((5000, 1), 3.0), 16
    yield "one of them differs", np.r_[np.zeros((70000, 1)), [[1.0]]], 2
    yield (
        "a whole 16-bit alphabet",
        np.random.default_rng(1).permutation(65536)[:, None] * 1.0,
        65536,
    )
    yield "few of a 16-bit alphabet", symbols(100, 65536, 20000), 65536
    yield "skewed", symbols(300000, 16, 0.05), 16


@pytest.mark.parametrize("method", METHODS)
def test_symbols(method):
    cases = []
    for label, values, alphabet in symbol_inputs():
        args = [values, float(alphabet), method]
        cases.append(
            Case(label, CODING + "encode_symbols", in_columns(coding.encode_symbols), args)
        )
    written = [answer["value"][0] for answer in compare(cases)]
    back = [
        Case(label, CODING + "decode_symbols", in_columns(decoded), [data, values.size, alphabet])
        for (label, values, alphabet), data in zip(symbol_inputs(), written, strict=True)
    ]
    for case, answer in zip(back, run_octave(back), strict=True):
        (ours,) = case.reference(*case.args)
        assert answer["ok"], (case.label, answer["message"])
        np.testing.assert_array_equal(np.asarray(answer["value"][0], float), ours, case.label)


def decoded(data, count, alphabet):
    return coding.decode_symbols(data, count, alphabet)


def test_a_million_symbols():
    values = symbols(1_000_000, 16, 1.5, seed=7)
    args = [values, 16.0, "rans"]
    compare([Case("10^6", CODING + "encode_symbols", in_columns(coding.encode_symbols), args)])


def test_bits_and_models():
    cases = []
    rng = np.random.default_rng(3)
    for width in range(1, 17):
        values = np.floor(rng.random((37, 1)) * 2**width)
        args = [values, float(width)]
        cases.append(Case(str(width), CODING + "pack_bits", in_columns(coding.pack_bits), args))
    widths = rng.integers(0, 17, (500, 1)).astype(float)
    args = [np.floor(rng.random((500, 1)) * 2**widths), widths]
    cases.append(Case("varying", CODING + "pack_bits", in_columns(coding.pack_bits), args))
    for seed in range(30):
        counts = np.floor(np.random.default_rng(seed).exponential(1, (200, 1)) ** (1 + seed / 5))
        counts[0] = 1
        for precision in (12.0, 16.0):
            args = [counts, precision]
            reference = in_columns(coding.normalize_counts)
            cases.append(Case(f"{seed}", CODING + "normalize_counts", reference, args))
        for limit in (8.0, 16.0):
            reference = in_columns(coding.huffman_lengths)
            cases.append(Case(f"{seed}", CODING + "huffman_lengths", reference, [counts, limit]))
    for size in (0, 1, 9, 31, 32, 1000, 5001, 300000):
        data = rng.integers(0, 256, (size, 1)).astype(np.uint8)
        cases.append(Case(f"{size}", CODING + "crc32", in_columns(coding.crc32), [data]))
    cases.append(Case("tables", CODING + "context_tables", tables, []))
    compare(cases)


def tables():
    from pyoctcompress.reference.coding_streams import context_tables

    table = context_tables()
    columns = {key: getattr(table, key)[:, None] for key in ("stretch", "squash", "price", "level")}
    rows = {key: getattr(table, key)[None] for key in ("floor", "extra")}
    return {key: value.astype(float) for key, value in (columns | rows).items()}


def matrices():
    rng = np.random.default_rng(5)
    yield "sparse", (rng.random((40, 300)) < 0.03) * np.sign(rng.standard_normal((40, 300)))
    yield "dense", np.round(rng.standard_normal((70, 50)) * 2)
    yield "by columns", np.round(rng.standard_normal((60, 80)) * rng.exponential(1, 80))
    waves = np.sin(np.arange(20) / 3)[:, None] * np.cos(np.arange(196) // 14 / 2)
    yield "a picture", np.round(4 * waves + rng.standard_normal((20, 196)) / 3)
    yield "large numbers", np.round(rng.standard_normal((9, 30)) * 300)
    yield "one entry", np.array([[-5.0]])
    yield "a row", np.round(rng.standard_normal((1, 90)))
    yield "a column", np.round(rng.standard_normal((90, 1)))
    yield "one entry not zero", np.eye(50)[:1] * np.ones((30, 1)) * (np.arange(30) == 7)[:, None]
    yield "ones everywhere", np.where(rng.random((30, 30)) < 0.5, 1.0, -1.0)
    yield "a long row", (rng.random((1, 3000)) < 0.05) * 1.0
    yield "dense and small", np.round(rng.standard_normal((12, 40)) * 2)
    yield "half of it", (rng.random((60, 70)) < 0.4) * np.round(rng.standard_normal((60, 70)) * 9)
    yield "a tenth", (rng.random((60, 70)) < 0.1) * np.round(rng.standard_normal((60, 70)) * 99)
    yield "nine tenths", (rng.random((90, 40)) < 0.93) * 1.0
    yield "many lanes", np.round(rng.standard_normal((3000, 30)) * 2)


def test_contexts():
    compare(
        [
            Case(label, CODING + "context_encode", in_columns(whole(coding.context_encode)), [m])
            for label, m in matrices()
        ]
    )


def whole(function):
    return lambda matrix: function(matrix.astype(np.int64))


def test_contexts_read_by_the_other():
    written = [coding.context_encode(m.astype(np.int64)) for _, m in matrices()]
    cases = [
        Case(
            label, CODING + "context_decode", lambda *_: None, [column(data), *map(float, m.shape)]
        )
        for (label, m), data in zip(matrices(), written, strict=True)
    ]
    for (label, m), answer in zip(matrices(), run_octave(cases), strict=True):
        assert answer["ok"], (label, answer["message"])
        np.testing.assert_array_equal(np.asarray(answer["value"][0]).reshape(m.shape), m, label)


def arrays():
    rng = np.random.default_rng(9)
    some = rng.standard_normal((15, 20))
    for kind in ("float64", "float32"):
        x = some.astype(kind)
        for label, value in {
            "random": x,
            "few values": np.round(2 * x) / 7,
            "sparse": np.where(abs(x) > 1, x, 0),
            "zeros of both signs": x * (x > 1),
            "whole": np.round(9 * x) + 20,
            "special": np.r_[x, np.full((1, 20), np.nan), np.full((1, 20), np.inf)],
            "4-D": x.reshape(3, 5, 2, 10),
            "constant": np.full((3, 4), 0.1, kind),
            "empty": np.zeros((0, 3), kind),
        }.items():
            yield f"{kind} {label}", value, None
    yield "singles", some.astype("float32").astype("float64"), None
    for kind in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"):
        numbers = np.round(100 + 10 * some).astype(kind)
        yield kind, numbers, None
        yield f"{kind} sparse", numbers * (some > 1.2).astype(kind), None
        yield f"{kind} wide", (numbers.astype("uint64") * 2654435761).astype(kind), None
    yield "logical", some > 0.4, None
    w = some.astype("float32")
    for scheme in ("symmetric", "affine", "unsigned", "fp8_e4m3"):
        for axis in (0.0, 1.0, 2.0):
            grid = quant.choose_grid(w, 4.0, scheme, axis)
            once = quant.decode_grid(quant.encode_grid(w, grid), grid)
            yield f"{scheme} {axis}", once, grid
    book = np.array([[0.5], [-0.25], [0.0], [1.5]], np.float32)
    grid = {"bits": 2.0, "scheme": "codebook", "codebook": book, "axis": 0.0}
    yield "codebook", quant.decode_grid(quant.encode_grid(w, grid), grid), grid
    yield "off the grid", w, grid


@pytest.mark.parametrize("method", METHODS)
def test_arrays(method):
    cases = []
    for label, value, grid in arrays():
        args = [value, grid, method]
        cases.append(Case(label, CODING + "encode_array", encoded, args, nargout=3))
    answers = compare(cases)
    for (label, value, grid), answer in zip(arrays(), answers, strict=True):
        kind, data, _ = answer["value"]
        name = class_name(value)
        back = coding.decode_array(int(kind), data.tobytes(), value.shape, name, grid)
        assert back.tobytes() == value.tobytes(), label


def encoded(value, grid, method):
    kind, data, parts = coding.encode_array(value, grid, method)
    return float(kind), column(data), {key: float(number) for key, number in parts.items()}


def networks():
    rng = np.random.default_rng(11)

    def layer(name, rows, columns, bits):
        w = rng.standard_normal((rows, columns)).astype(np.float32)
        w[abs(w) < 1] = 0
        grid = quant.choose_grid(w, float(bits), "symmetric", 0.0)
        bias = rng.standard_normal((rows, 1)).astype(np.float32)
        once = quant.decode_grid(quant.encode_grid(w, grid), grid)
        return {
            "type": "dense",
            "name": name,
            "weights": once,
            "bias": bias,
            "weights_size": np.array([[float(rows), float(columns)]]),
            "quantization": {"weights": grid},
            "pruning": {"weights": {"criterion": "magnitude", "amount": 0.68, "zeros": 123.0}},
        }

    yield {
        "layers": [layer("fc1", 30, 49, 4), {"type": "relu", "name": "r"}, layer("out", 10, 30, 3)],
        "input_size": 49.0,
        "format": "octcompress",
        "version": 1.0,
        "classes": list("0123456789"),
    }
    yield {
        "a": [1.0, "text", True, [], "", "é", np.zeros((0, 3)), -0.0, np.nan, -5.5, 1e300, 0.98],
        "b": StructArray([{"x": 1.0}, {"x": "y"}]),
        "c": StructArray([], (1, 0), ["x"]),
        "d": np.array([[28.0, 28.0, 1.0]]),
        "e": np.array([[1 + 2j, 3]]),
        "f": {"g": {}, "h": np.ones((2, 3, 4), bool), "int": np.array([[7]], np.int8)},
        "w": rng.standard_normal((5, 6)),
        "w_size": np.array([[5.0, 6.0]]),
        "long": "a text that is long enough to be coded, and goes on and on " * 5,
        "one": np.array([[np.float32(0.1)]]),
    }
    grid = quant.choose_grid(rng.standard_normal((9, 8)), 3.0, "symmetric", 1.0)
    w = quant.decode_grid(quant.encode_grid(rng.standard_normal((9, 8)), grid), grid)
    yield {
        "nn": {"W": [w]},
        "octcompress_promises": [{"tensor": "nn.W{1}", "quantization": grid}],
    }


@pytest.mark.parametrize("method", METHODS)
def test_whole_models(method):
    """The packed bytes and the accounts are the same, and each side reads the other's."""
    models = list(networks())
    cases = [
        Case(f"model {k}", "nn_pack", lambda m, **o: pack(m, **o), [m], {"coding": method}, 2)
        for k, m in enumerate(models)
    ]
    packed = [answer["value"][0] for answer in compare(cases)]
    for model, there in zip(models, packed, strict=True):
        assert differences(unpack(there)[0], model, {}, "model") == []
    read = [
        Case(f"model {k}", "nn_unpack", lambda p: unpack(p), [p], {}, 2)
        for k, p in enumerate(packed)
    ]
    compare(read)


def test_one_array():
    (packed, info), model = pack(next(networks())), next(networks())
    names = [row["name"] for row in info["rows"]]
    assert "fc1.weights" in names and "out.bias" in names
    cases = [
        Case(
            name,
            "nn_unpack",
            lambda p, tensor: unpack(p, tensor=tensor),
            [packed],
            {"tensor": name},
        )
        for name in [*names, "layers{3}.weights", "nonsense"]
    ]
    answers = compare(cases)
    np.testing.assert_array_equal(answers[0]["value"][0], model["layers"][0]["weights"])


def damaged_files():
    """Packed files with bytes changed or cut, with the checksum as it was and made anew."""
    rng = np.random.default_rng(13)
    for k, model in enumerate(networks()):
        for method in ("auto", "huffman"):
            data = pack(model, coding=method)[0]["octc"].tobytes()
            for trial in range(16):
                changed = bytearray(data)
                for _ in range(1 + trial % 3):
                    changed[rng.integers(7, len(changed))] = rng.integers(256)
                if trial % 4 == 0:
                    changed = changed[: rng.integers(3, len(changed))]
                if trial % 10:
                    changed[3:7] = struct.pack("<I", zlib.crc32(bytes(changed[7:])))
                yield f"model {k}, {method}, trial {trial}", bytes(changed)


def test_damage():
    """Whatever the bytes, both sides end, and in the same way."""
    files = list(damaged_files())
    cases = [Case(label, "nn_unpack", unpack, [column(data)], nargout=0) for label, data in files]
    faults = []
    for (label, data), answer in zip(files, run_octave(cases), strict=True):
        try:
            unpack(data)
            ours = ""
        except OctcompressError as error:
            ours = error.identifier
        if ours != answer["identifier"] or ours.rpartition(":")[2] not in (
            "",
            "damaged",
            "version",
        ):
            faults.append(f"{label}: {ours!r}, Octave {answer['identifier']} {answer['message']}")
    assert not faults, "\n".join(faults[:20])


def test_coded_bits():
    """Lanes side by side, and a single one that looks ahead or takes one by one."""
    rng = np.random.default_rng(17)
    frequencies = rng.integers(1, 32768, 3000)
    frequencies[1000:2000] //= 40
    bits = (rng.integers(0, 32768, 3000) < frequencies).astype(np.int64)
    groups = np.array([[1, 0, 0], [17, 0, 32], [982, 1, 100], [1000, 0, 512], [1000, 0, 0]])
    decisions = coding_context.Decisions(
        bits, frequencies, [coding_context.Group(*map(int, row)) for row in groups]
    )
    columns = [bits[:, None] * 1.0, frequencies[:, None] * 1.0]
    cases = []
    for lanes in (1, 2, 16, 64):
        made = column(coding_context.encode_bits(decisions, lanes))
        if lanes == 1:
            name, args = "encode_runs", [*columns, groups * 1.0]
        else:
            name, args = "encode_bits", [*columns, groups[:, :1] * 1.0, float(lanes)]
        cases.append(Case(f"{lanes}", CODING + name, lambda *_, made=made: made, args))
    compare(cases)


def test_text():
    """The model of bytes: short and long ones, and one that repeats."""
    rng = np.random.default_rng(23)
    texts = [b"", b"a", bytes(range(256)), b"any text, any text", rng.bytes(300), b"ab" * 300]
    texts.append(coding_words.TYPICAL_TREES[:400])
    cases = [
        Case(f"{k}", CODING + "encode_text", in_columns(encode_text), [column(text)])
        for k, text in enumerate(texts)
    ]
    written = [answer["value"][0] for answer in compare(cases)]
    for text, data in zip(texts, written, strict=True):
        assert decode_text(data.tobytes(), len(text)) == text
    compare([Case("trees", CODING + "typical_trees", trees, [])])


def trees():
    return np.frombuffer(coding_words.TYPICAL_TREES, np.uint8).astype(float)[:, None]


def test_accounts_of_files(tmp_path):
    """nn_info of a packed file tells the same, text and all, in both."""
    cases = []
    for k, model in enumerate(networks()):
        for method in ("auto", "huffman"):
            file = str(tmp_path / f"{k}-{method}.mat")
            modelfile.write(file, model, coding=method)
            cases.append(Case(file, "nn_info", info, [file]))
    compare(cases)
