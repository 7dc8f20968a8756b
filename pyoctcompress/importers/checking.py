"""The end of every import: the outputs beside those of the source's own runtime."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pyoctcompress.errors import OctcompressError
from pyoctcompress.importers.building import Builder, Value, fail
from pyoctcompress.reference import verbs

Array = npt.NDArray[Any]

# Of the largest output: rounding of float products; of grids a value may fall beside its step.
_FLOAT, _GRID = 1e-4, 0.06
_LITERT = 1e-3  # it approximates gelu and others by polynomials
_STEPS = 12  # of a sequence whose length is open
# Observations; one alone may miss a branch of a small network, and takes long in a large one.
_FEW, _LARGE = 5, 10**7


def not_checked(reason: str) -> dict[str, Any]:
    """Say that nothing was compared, and why."""
    text = f"not checked: {reason}"
    return {"checked": False, "runtime": "", "difference": np.nan, "allowed": np.nan, "text": text}


def against_onnx(
    path: Path, model: dict[str, Any], builder: Builder, outputs: Sequence[Value], verify: bool
) -> dict[str, Any]:
    """Compare with ONNX Runtime."""
    if not verify:
        return not_checked("not asked for")
    try:
        runtime = importlib.import_module("onnxruntime")
    except ImportError:
        return not_checked("ONNX Runtime is not installed (pip install octcompress[runtimes])")

    def run(x: Array) -> list[Array]:
        options = runtime.SessionOptions()
        options.log_severity_level = 4
        # As the graph says: its optimizer computes products of 8-bit weights with fewer bits.
        options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        one = session.get_inputs()[0]
        kind = {"tensor(float16)": np.float16, "tensor(double)": np.float64}.get(one.type)
        given = x.astype(kind or np.float32)
        return [np.asarray(y) for y in session.run(None, {one.name: given})]

    name = f"ONNX Runtime {runtime.__version__}"
    return _compare(name, model, builder.input, outputs, run, builder.batch)


def against_tflite(
    path: Path, model: dict[str, Any], builder: Builder, outputs: Sequence[Value], verify: bool
) -> dict[str, Any]:
    """Compare with LiteRT."""
    if not verify:
        return not_checked("not asked for")
    try:
        runtime = importlib.import_module("ai_edge_litert.interpreter")
    except ImportError:
        return not_checked("LiteRT is not installed (pip install octcompress[runtimes])")

    def run(x: Array) -> list[Array]:
        interpreter = runtime.Interpreter(model_path=str(path), num_threads=1)
        interpreter.allocate_tensors()
        one = interpreter.get_input_details()[0]
        interpreter.set_tensor(one["index"], _to_codes(x, one))
        interpreter.invoke()
        return [
            _from_codes(interpreter.get_tensor(each["index"]), each)
            for each in interpreter.get_output_details()
        ]

    return _compare("LiteRT", model, builder.input, outputs, run, builder.batch, integer=True)


def _to_codes(x: Array, details: Any) -> Array:
    if details["dtype"] == np.float32:
        return x.astype(np.float32)
    scale, zero = details["quantization"]
    limits = np.iinfo(details["dtype"])
    codes = np.rint(x / (scale or 1)) + zero
    return np.asarray(np.clip(codes, limits.min, limits.max), details["dtype"])


def _from_codes(y: Array, details: Any) -> Array:
    if details["dtype"] == np.float32:
        return y
    scale, zero = details["quantization"]
    return np.asarray((y.astype(np.float64) - zero) * (scale or 1), np.float32)


# Keras makes whatever a file names of any module, so it is asked only for files that name these.
_KERAS_MODULES = ("keras", "keras.layers", "keras.initializers", "keras.regularizers",
                  "keras.constraints", "keras.dtype_policies", "keras.src.models.functional",
                  "keras.src.engine.functional")  # fmt: skip


def against_keras(
    path: Path,
    config: Any,
    model: dict[str, Any],
    start: Value,
    outputs: Sequence[Value],
    verify: bool,
) -> dict[str, Any]:
    """Compare with Keras, where loading the file there runs no code of the file's."""
    if not verify:
        return not_checked("not asked for")
    # How it was trained is not read with compile=False.
    named = _code_in({key: part for key, part in config.items() if key != "compile_config"})
    if named:
        return not_checked(f"loading it in Keras may run code: it names {named}")
    if importlib.util.find_spec("tensorflow") is None:
        backend = "torch" if importlib.util.find_spec("torch") else "numpy"
        os.environ.setdefault("KERAS_BACKEND", backend)
    try:
        keras = importlib.import_module("keras")
    except ImportError:
        return not_checked("Keras is not installed (pip install keras)")

    def run(x: Array) -> list[Array]:
        found = keras.models.load_model(str(path), compile=False).predict(x, verbose=0)
        return [np.asarray(y) for y in (found if isinstance(found, list) else [found])]

    return _compare(f"Keras {keras.__version__}", model, start, outputs, run)


def _code_in(config: Any) -> str:
    """Name what in a configuration stands for code, or might: functions, lambdas, other modules."""
    parts = list(config.values() if isinstance(config, dict) else config)
    if isinstance(config, dict):
        module, kind = config.get("module") or "keras", config.get("class_name")
        if module not in _KERAS_MODULES or kind in ("Lambda", "function", "__lambda__"):
            return f"{module}.{kind}"
    named = (_code_in(one) for one in parts if isinstance(one, dict | list))
    return next((one for one in named if one), "")


def against_module(model: dict[str, Any], module: Any, verify: bool) -> dict[str, Any]:
    """Compare with a torch module, where one is given."""
    if not verify:
        return not_checked("not asked for")
    if module is None:
        return not_checked("a state_dict has no module to run; give one (module=...)")
    torch = importlib.import_module("torch")
    size = tuple(np.ravel(model["input_size"]))
    axes = {1: "NF", 2: "NTF", 3: "NCHW"}[len(size)]

    def run(x: Array) -> list[Array]:
        module.eval()
        with torch.no_grad():
            found = module(torch.from_numpy(np.ascontiguousarray(x, np.float32)))
        found = found if isinstance(found, tuple | list) else [found]
        return [one.numpy() for one in found]

    start = Value("input", tuple(n if np.isnan(n) else int(n) for n in size), axes)
    return _compare(f"torch {torch.__version__}", model, start, None, run)


def _compare(
    runtime: str,
    model: dict[str, Any],
    start: Value,
    outputs: Sequence[Value] | None,
    run: Callable[[Array], list[Array]],
    batch: int = 1,
    integer: bool = False,
) -> dict[str, Any]:
    """Compare the outputs of random observations, as many at a time as the source is made for.

    Integers are computed as integers where the runtime does so, and all layers have such a form.

    Raises
    ------
    ModelError
        ``octcompress:convert:wrongResult``.
    """
    random = np.random.RandomState([0])
    size = [_STEPS if n != n else int(n) for n in start.size]
    grid = model.get("quantization", {}).get("input")
    grids = any("quantization" in layer and "output" in layer["quantization"]
                for layer in model["layers"]) or grid is not None  # fmt: skip
    allowed = _GRID if grids else _FLOAT if runtime != "LiteRT" else _LITERT
    gaps: dict[int, float] = {}
    largest: dict[int, float] = {}
    parameters = sum(np.size(layer.get("weights", 0)) for layer in model["layers"])
    for _ in range(_FEW if parameters < _LARGE else 1):
        x = random.standard_normal((*size, batch)).astype(np.float32)
        if grid is not None:  # within its range
            scale, zero = float(grid["scale"].item()), float(grid["zero_point"].item())
            half = 2 ** (int(grid["bits"]) - 1)
            x = ((random.randint(-half, half, x.shape) - zero) * scale).astype(np.float32)
        # Observations come last with us, but before the steps of a sequence.
        ours_in = np.moveaxis(x, -1, 1) if len(size) == 2 else x
        try:
            theirs = run(_to_source(ours_in, start))
        except Exception as error:  # of a runtime that is not ours
            first = (str(error) or type(error).__name__).split("\n")[0]
            return not_checked(f"{runtime} does not run it ({first[:120]})")
        found = _ours(model, ours_in, integer and grid is not None)
        found = found if isinstance(found, list) else [found]
        for k, expected in enumerate(theirs):
            given = np.asarray(found[k])
            if outputs is not None:
                given = _to_source(given, outputs[k])
            elif given.ndim == 2:
                given = given.T
            if given.size != expected.size:
                fail(
                    "wrongResult",
                    f"output {k + 1} has {given.size} numbers, but {expected.size} in {runtime}; "
                    "please report this model",
                )
            gaps[k] = max(gaps.get(k, 0.0), _gap(given.reshape(expected.shape), expected))
            finite = expected[np.isfinite(expected)]
            if expected.size and not finite.size:
                return not_checked(f"{runtime} gives no finite numbers for random inputs")
            largest[k] = max(largest.get(k, 1e-30), float(np.abs(finite).max(initial=0)))
    difference = max((gaps[k] / largest[k] for k in gaps), default=0.0)
    if not difference <= allowed:
        fail(
            "wrongResult",
            f"the outputs differ from those of {runtime} by {difference:.2g} of the largest, where "
            f"{allowed:g} is allowed; please report this model (verify=False converts it all the "
            "same)",
        )
    text = f"checked against {runtime}: the outputs differ by {difference:.2g} of the largest"
    return {
        "checked": True,
        "runtime": runtime,
        "difference": difference,
        "allowed": allowed,
        "text": text,
    }


def _gap(given: Array, expected: Array) -> float:
    """Give the largest difference: that of NaN and anything else is infinite."""
    same = (given == expected) | (np.isnan(given) & np.isnan(expected))
    with np.errstate(invalid="ignore"):
        gap = np.abs(given.astype(float) - expected)
    return float(np.where(same, 0.0, np.nan_to_num(gap, nan=np.inf)).max(initial=0))


def _ours(model: dict[str, Any], x: Array, integer: bool) -> Any:
    if integer:
        with contextlib.suppress(OctcompressError):
            return verbs.predict(model, x, arithmetic="integer", requantization="single")
    return verbs.predict(model, x)


def _to_source(x: Array, value: Value) -> Array:
    """Turn a batch of ours to the source's axes."""
    ours = {1: "FN", 2: "FNT", 3: "HWCN"}[len(value.size)]
    x = x.reshape(x.shape + (1,) * (len(ours) - x.ndim))
    axes = value.axes.replace("D", "")
    return np.ascontiguousarray(x.transpose([ours.index(axis) for axis in axes]))
