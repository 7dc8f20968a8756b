"""Three networks in the runtimes that they are exported for, before and after compression.

Run ``python benchmarks/deployment.py [FOLDER]``; ``pip install 'octcompress[runtimes,mobile]'`` and
``pip install --no-deps pnnx``. What is not installed is left out of the table. LeNet-5, a residual
and a depthwise-separable network are trained for two epochs on MNIST (15 minutes; FOLDER keeps
them) and quantized with 1000 training images. Accuracy is over the 10,000 test images
(``--limit N`` takes fewer), latency the median for one image on one thread; of C the processor's
time for one. Each runtime has a process of its own, for some crash.

MNN's own command ``mnnconvert`` installs a package that reports its use; this script calls the
converter underneath.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from common import ROOT, table

import pyoctcompress as oc
from pyoctcompress.exporters import runtimes, to_c, to_onnx, to_tflite
from pyoctcompress.reference.quant import encode_grid

DATA = ROOT / "examples" / "data" / "mnist.mat"
SIZE = (28, 28, 1)
Predict = Callable[[np.ndarray], np.ndarray]


def same(filters: int, kernel: int, *more: Any) -> list[Any]:
    """A convolution that keeps the size."""
    return [float(filters), float(kernel), "padding", "same", *more]


def network(name: str) -> dict[str, Any]:
    """Make a network with initial weights."""
    head = ["input", np.array([[28.0, 28, 1]])]
    if name == "LeNet-5":
        parts = ["conv2d", [20.0, 5.0], "maxpool", 2, "conv2d", [50.0, 5.0], "maxpool", 2,
                 "flatten", "dense", 500, "relu", "dense", 10]  # fmt: skip
    elif name == "residual":
        parts = ["conv2d", same(16, 3, "stride", 2.0), "batchnorm", "relu", ["name", "a"],
                 "conv2d", same(16, 3), "batchnorm", "relu", "conv2d", same(16, 3),
                 "batchnorm", ["name", "b"], "add", ["inputs", ["a", "b"]], "relu",
                 "conv2d", same(32, 3, "stride", 2.0), "batchnorm", "relu",
                 "globalaveragepool", "flatten", "dense", 10]  # fmt: skip
    else:
        norm = ["batchnorm", "relu"]
        parts = ["conv2d", same(24, 3, "stride", 2.0), *norm,
                 "conv2d", same(24, 3, "groups", 24.0), *norm, "conv2d", same(48, 1), *norm,
                 "conv2d", same(48, 3, "groups", 48.0, "stride", 2.0), *norm,
                 "conv2d", same(64, 1), *norm,
                 "globalaveragepool", "flatten", "dense", 10]  # fmt: skip
    return oc.new(*head, *parts)


def trained(name: str, folder: Path) -> dict[str, Any]:
    """Load a network, or train it."""
    path = folder / f"{name}.mat"
    if not path.exists():
        x, y = oc.data(DATA, "train", input_size=SIZE)
        options = {"optimizer": "adam", "learning_rate": 0.002, "schedule": "cosine", "epochs": 2}
        oc.train(network(name), x, y, output=path, progress=True, **options)
    return oc.load(path)


def in_onnxruntime(path: Path) -> Predict:
    """ONNX Runtime."""
    session = runtimes.onnx_session(path, threads=1)
    name = session.get_inputs()[0].name
    return lambda x: session.run(None, {name: x})[0]


def in_mnn(path: Path) -> Predict:
    """MNN, after its own converter."""
    import _tools
    import MNN

    converted = path.with_suffix(".mnn")
    command = ["mnnconvert", "-f", "ONNX", "--modelFile", os.fspath(path)]
    command += ["--MNNModel", os.fspath(converted), "--bizCode", "octcompress"]
    with silence():
        _tools.mnnconvert(command)
        interpreter = MNN.Interpreter(os.fspath(converted))
        session = interpreter.createSession({"numThread": 1})
    source = interpreter.getSessionInput(session)
    result = interpreter.getSessionOutput(session)
    kind = MNN.Tensor_DimensionType_Caffe

    def run(x: np.ndarray) -> np.ndarray:
        given = MNN.Tensor(x.shape, MNN.Halide_Type_Float, x, kind)
        source.copyFrom(given)
        interpreter.runSession(session)
        shape = result.getShape()
        found = MNN.Tensor(shape, MNN.Halide_Type_Float, np.zeros(shape, np.float32), kind)
        result.copyToHostTensor(found)
        return np.array(found.getData(), np.float32).reshape(shape)

    return run


def in_ncnn(path: Path) -> Predict:
    """ncnn, after pnnx."""
    import ncnn

    pnnx = Path(sys.executable).with_name("pnnx")
    command = [pnnx, path.name, "inputshape=[1,1,28,28]"]
    subprocess.run(command, cwd=path.parent, check=True, capture_output=True)
    net = ncnn.Net()
    net.opt.num_threads = 1
    net.load_param(os.fspath(path.with_suffix(".ncnn.param")))
    net.load_model(os.fspath(path.with_suffix(".ncnn.bin")))

    def run(x: np.ndarray) -> np.ndarray:
        with net.create_extractor() as extractor:
            extractor.input("in0", ncnn.Mat(x[0]).clone())
            return np.array(extractor.extract("out0")[1]).reshape(1, -1)

    return run


def in_litert(path: Path) -> Predict:
    """LiteRT."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(os.fspath(path), num_threads=1)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    result = interpreter.get_output_details()[0]["index"]

    def run(x: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(source, x)
        interpreter.invoke()
        return interpreter.get_tensor(result)

    return run


# What each form is: precision, ending, options, the runtimes that it is run in.
FORMS = (
    ("float", "float", ".onnx", {}, ("onnxruntime", "MNN", "ncnn")),
    ("float", "float", ".tflite", {}, ("LiteRT",)),
    ("float", "float", ".c", {}, ("C",)),
    ("int8 weights", "weights", ".onnx", {}, ("onnxruntime", "MNN", "ncnn")),
    ("int8", "integer", ".onnx", {}, ("onnxruntime", "MNN")),
    ("int8", "integer", ".tflite", {}, ("LiteRT",)),
    ("int8", "integer", ".c", {}, ("C",)),
    ("4 bits, GPTQ", "4 bits", ".onnx", {"opset": 21}, ("onnxruntime",)),
    ("4 bits, GPTQ", "4 bits", ".c", {}, ("C",)),
)
LAYOUTS = {
    ".onnx": to_onnx.to_layout,
    ".tflite": to_tflite.to_layout,
    ".c": to_c.to_layout,
}
MAKERS = {"onnxruntime": in_onnxruntime, "MNN": in_mnn, "ncnn": in_ncnn, "LiteRT": in_litert}
PACKAGES = {"onnxruntime": "onnxruntime", "MNN": "MNN", "ncnn": "ncnn", "LiteRT": "ai-edge-litert"}


@contextlib.contextmanager
def silence():
    """Keep what a library prints from the table."""
    old = os.dup(1)
    with open(os.devnull, "w") as nothing:
        sys.stdout.flush()
        os.dup2(nothing.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(old, 1)
            os.close(old)


def installed(runtime: str) -> bool:
    """Whether a runtime can be used."""
    if runtime == "C":
        return True
    found = importlib.util.find_spec(PACKAGES[runtime].replace("-", "_")) is not None
    return found and (runtime != "ncnn" or Path(sys.executable).with_name("pnnx").exists())


def version(runtime: str) -> str:
    """The runtime's name and version."""
    return "C, gcc -O3" if runtime == "C" else (
        f"{runtime} {importlib.metadata.version(PACKAGES[runtime])}")  # fmt: skip


def in_c(path: Path) -> list[int | float]:
    """Classes of all inputs and microseconds of one, of C that gcc compiled."""
    folder, given = path.parent, np.load(path.parent / "inputs.npy")
    name, kind = path.stem, "int8_t" if given.dtype == np.int8 else "float"
    main = runtimes.MAIN.format(file=name, name=name, NAME=name.upper(), kind=kind)
    (folder / "main.c").write_text(main)
    command = ["gcc", "-std=c99", "-O3", "main.c", path.name, "-o", "program", "-lm"]
    subprocess.run(command, cwd=folder, check=True)

    def run(count: int) -> tuple[float, bytes]:
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        text = given[:count].tobytes()
        out = subprocess.run([folder / "program"], input=text, capture_output=True, check=True)
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before, out.stdout

    seconds, out = run(len(given))
    classes = np.frombuffer(out, given.dtype).reshape(len(given), -1).argmax(axis=1)
    return [*classes.tolist(), 1e6 * seconds / len(given)]


def measure(runtime: str, path: Path) -> None:
    """Print the classes of all inputs and the microseconds of one: what a child process does."""
    if runtime == "C":
        found = in_c(path)
    else:
        given = np.load(path.parent / "inputs.npy")
        with silence():
            run = MAKERS[runtime](path)
            found = [int(run(given[k : k + 1]).argmax()) for k in range(len(given))]
            seconds = []
            for k in range(min(200, len(given))):
                started = time.perf_counter()
                run(given[k : k + 1])
                seconds.append(time.perf_counter() - started)
        found.append(1e6 * float(np.median(seconds)))
    print("measured", json.dumps(found), flush=True)
    os._exit(0)  # not every runtime ends cleanly


def rows_of(name: str, folder: Path, limit: int | None, chosen: list[str]) -> list[list[object]]:
    """Measure one network in all forms; a runtime that crashes takes only its child with it."""
    more = {} if limit is None else {"limit": limit}
    x, y = oc.data(DATA, "test", input_size=SIZE, **more)
    labels = y.ravel() - 1
    calibration, _ = oc.data(DATA, "train", input_size=SIZE, limit=1000)
    model = trained(name, folder)
    folded, _ = oc.fold(model)
    eight = {"granularity": "channel"}
    gptq = {"rounding": "gptq", "data": calibration, "activations": "none"}
    models = {
        "float": model,
        "weights": oc.quantize(folded, 8, **eight)[0],
        "integer": oc.quantize(folded, 8, data=calibration, **eight)[0],
        "4 bits": oc.quantize(folded, 4, **gptq, **eight)[0],
    }
    own = {key: oc.evaluate(each, x, y)["accuracy"] for key, each in models.items()}
    rows: list[list[object]] = []
    for form, key, ending, options, wanted in FORMS:
        path = folder / f"m_{key.replace(' ', '')}{ending}"
        result = oc.export(models[key], path, check=False, **options)
        codes, layout = x, LAYOUTS[ending]
        if key == "integer" and ending != ".onnx":
            codes = encode_grid(x, models[key]["quantization"]["input"]).astype(np.int8)
        np.save(folder / "inputs.npy", layout(codes))
        size = f"{result['bytes']:,}"
        if ending == ".c":
            header = path.with_suffix(".h").read_text()
            size = f"{int(header.partition('constants: ')[2].partition(' ')[0]):,} (const)"
        for runtime in wanted:
            if runtime not in chosen or not installed(runtime):
                continue
            command = [sys.executable, __file__, "--measure", runtime, str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            _, _, text = done.stdout.rpartition("measured ")
            there, micros = "crashes", "-"
            if text:
                *classes, each = json.loads(text)
                there = f"{100 * (np.array(classes) == labels).mean():.2f}"
                micros = f"{each:.0f}"
            ours = f"{100 * own[key]:.2f}"
            rows.append([name, form, ending, size, version(runtime), ours, there, micros])
            print(rows[-1], file=sys.stderr, flush=True)
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", help="where trained networks are kept")
    parser.add_argument("--limit", type=int, help="the first N test images only")
    every = ",".join(["C", *MAKERS])
    parser.add_argument("--runtimes", default=every, help=f"some of {every}")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        measure(args.measure[0], Path(args.measure[1]))
    heads = ["network", "form", "file", "bytes", "runtime", "ours %", "there %", "microseconds"]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(args.folder or temporary).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        rows = []
        for name in ("LeNet-5", "residual", "separable"):
            rows += rows_of(name, folder, args.limit, args.runtimes.split(","))
    print(table(heads, rows))


if __name__ == "__main__":
    main()
