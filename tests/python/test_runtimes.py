"""Every runtime that is installed, on LeNet-5, a residual and a depthwise-separable network.

``pip install 'octcompress[runtimes,mobile]'`` and ``pip install --no-deps pnnx`` bring all of them.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

import pyoctcompress as oc
from pyoctcompress.reference.quant import decode_grid, encode_grid

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
try:
    deployment = pytest.importorskip("deployment", exc_type=ImportError)
finally:
    sys.path.pop(0)

# Of the largest output: some keep half precision, ONNX Runtime multiplies weights in 8 bits.
ALLOWED = {"float": 5e-3, "weights": 0.05, "integer": 0.05}


@pytest.fixture(scope="module")
def networks():
    """With weights that no training made, and grids for each precision."""
    x = np.random.RandomState([5]).random_sample((28, 28, 1, 12)).astype(np.float32)
    found = {}
    for name in ("LeNet-5", "residual", "separable"):
        model = deployment.network(name)
        folded, _ = oc.fold(model, backend="numpy")
        eight = {"granularity": "channel", "backend": "numpy"}
        found[name] = {
            "float": model,
            "weights": oc.quantize(folded, 8, **eight)[0],
            "integer": oc.quantize(folded, 8, data=x, **eight)[0],
        }
    return found, x


@pytest.mark.parametrize("runtime", deployment.MAKERS)
@pytest.mark.parametrize("name", ["LeNet-5", "residual", "separable"])
def test_the_outputs_are_ours(name, runtime, networks, tmp_path):
    if not deployment.installed(runtime):
        pytest.skip(f"{runtime} is not installed")
    models, x = networks
    for _, key, ending, options, wanted in deployment.FORMS:
        # MNN computes QDQ rightly only where no relu follows a convolution (docs/deployment.md).
        crashes = (runtime, key) == ("MNN", "integer") and name != "LeNet-5"
        if runtime not in wanted or key not in ALLOWED or crashes:
            continue
        model, path = models[name][key], tmp_path / f"m_{key}{ending}"
        oc.export(model, path, check=False, **options)
        given = x
        if key == "integer" and ending == ".tflite":
            given = encode_grid(x, model["quantization"]["input"]).astype(np.int8)
        run = deployment.MAKERS[runtime](path)
        rows = deployment.LAYOUTS[ending](given)
        found = np.concatenate([run(rows[k : k + 1]).reshape(1, -1) for k in range(len(rows))]).T
        if given is not x:
            ends = [k for k in model["layers"] if "output" in k.get("quantization", {})]
            found = decode_grid(found, ends[-1]["quantization"]["output"])
        ours = oc.predict(model, x, backend="numpy")
        assert np.abs(found - ours).max() < ALLOWED[key] * np.abs(ours).max(), (key, ending)
