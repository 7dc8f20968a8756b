"""The words of a packed file, and the grids that its arrays are promised to lie on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .quant import Grid

# Names that a packed file writes as one number. The order is part of the format; new words may only
# be added at the end.
# fmt: off
WORDS = [
    "octcompress", "dense", "conv2d", "transposedconv2d", "batchnorm", "relu", "relu6", "swish",
    "hardswish", "sigmoid", "tanh", "identity", "leakyrelu", "elu", "gelu", "hardsigmoid",
    "prelu", "softmax", "logsoftmax", "maxpool", "averagepool", "globalmaxpool",
    "globalaveragepool", "flatten", "reshape", "permute", "add", "subtract", "multiply",
    "concat", "dropout", "upsample", "zeropad", "scale", "lstm", "gru", "input", "output",
    "same", "hwc", "chw", "symmetric", "affine", "signed", "unsigned", "codebook", "bf16",
    "fp16", "fp8_e4m3", "fp8_e5m2", "magnitude", "threshold", "sparsity", "weight", "layer",
    "global", "local", "filter", "channel", "neuron", "l1", "l2", "random", "obs", "obd",
    "taylor", "wanda", "fpgm", "lamp", "movement", "nearest", "gptq", "adaround", "obq",
    "minmax", "percentile", "mse", "kl", "static", "dynamic", "float", "0", "1", "2", "3", "4",
    "5", "6", "7", "8", "9", "conv1", "conv2", "fc1", "fc2", "fc3", "sum", "mean", "format",
    "version", "layers", "input_size", "classes", "quantization", "pruning", "meta", "outputs",
    "type", "name", "inputs", "weights", "bias", "weights_size", "bits", "scheme", "zero_point",
    "axis", "group", "criterion", "structure", "scope", "rule", "amount", "limit", "zeros",
    "stride", "padding", "dilation", "groups", "pool_size", "variance", "offset", "epsilon",
    "order", "slope", "alpha", "beta", "recurrent_weights", "recurrent_bias",
    "recurrent_weights_size", "output_size", "reverse", "reset_after", "output_padding",
    "ceil_mode", "count_include_pad", "dimensions", "factor", "rate", "approximate",
    "align_corners", "momentum", "method", "result", "n_m", "block", "octcompress_promises",
    "tensor", "fixed", "seed", "accuracy", "error", "history", "options", "note", "source",
    "activation", "kernel", "keep", "norm",
]
# fmt: on


def grid_beside(owner: Any, name: str, place: str, promises: Any) -> Grid | None:
    """Return the grid that an array of a struct is promised to lie on, or None.

    Parameters
    ----------
    owner : dict
        The struct in which the array stands; its quantization.NAME is the grid.
    name : str
        The array's field.
    place : str
        Where it stands in the whole model.
    promises : list of dict
        tensor (a place) and quantization: what a model that is no network keeps.
    """
    grid = None
    if isinstance(owner, Mapping) and isinstance(owner.get("quantization"), Mapping):
        grid = owner["quantization"].get(name)
    for promise in promises if isinstance(promises, list) else []:
        if "quantization" in promise and promise.get("tensor") == place:
            grid = promise["quantization"]
    return dict(grid) if isinstance(grid, Mapping) and "bits" in grid else None


# What the byte model has seen before a packed file: trees of four typical networks.
TYPICAL_TREES = bytes.fromhex(
    "0d0004656663640b0b0d01086c6d6f707f716968420a08636f6e7632645f3125040303031002b50319100102"
    "15660f0d02016f0d03077778797a7b7c7d72757774030105046240883d01e0010d04026f700d050572732274"
    "75a86919100100401910010604a40d05a86919100100401910010604a10d06086c6d228462838568440a0b62"
    "617463686e6f726d5f3219100102151910010215191001004019100100400305010d070222840d05a8691910"
    "0100401910010604a10d05a86919100100401910010604a10d08026c6d450a0672656c755f330d09096c6d6f"
    "707f7e716968420a08636f6e7632645f34250403031010028512191001021566a20f0d020d03727577740301"
    "05046240883d01fd080d040d05a86919100100401910010604a40d05a86919100100401910010604a10d0644"
    "0a0b62617463686e6f726d5f3519100102151910010215191001004019100100400305010d070d05a8691910"
    "0100401910010604a10d05a86919100100401910010604a10d08450a0672656c755f360d0a036c6d6e5a0a05"
    "6164645f370b020a0672656c755f360a0672656c755f330d08560a13676c6f62616c61766572616765706f6f"
    "6c5f380d08570a09666c617474656e5f390d0b076c6d6f70716968410a0864656e73655f3130190a1002a501"
    "190a01020f0f0d020d0372757774030105046240883deb0d040d05a869190a010028190a010604a10d05a869"
    "190a010028190a010604a10d08510a0a736f66746d61785f3131120320200340a10d0004656663640b060d01"
    "076c6d6f70716968419d19ac02900602e3960719ac020100b0090f0d02016f0d03077778797a7b7c7d727577"
    "7403010904565b283e01e6f50c0d020d040472732e75a46d190d010034a00d05026c6d450a0572656c75310d"
    "01419e1964ac02029b751964010090030f0d020d037275777403010904565b283e01f3d2010d020d04a46d19"
    "0c010030a00d05450a0572656c75320d01419f190a6402f703190a0100280f0d020d03727577740301090456"
    "5b283e0183070d020d04a46d190b01002ca00d05515101900640a10d0004656663640b080d01076c6d6f7071"
    "6968429b25040505011402bf01191401020b0f0d02016f0d03077778797a7b7c7d7275770a08736368656475"
    "6c65030109040583283e01c3030d04026f700d05057273227475a369064892f23d0600000000a00d05a36906"
    "87d6a93d0600000000a00d06036c6d82530a096d6178706f6f6c5f32a20d01429c25040505143202a2491932"
    "0102160f0d020d037275770a087363686564756c65030109040583283e01baaf010d040d05a369065396133e"
    "0600000000a00d05a36906be58aa3d0600000000a00d06530a096d6178706f6f6c5f34a20d07036c6d86570a"
    "09666c617474656e5f35680d01419d19f403a00602f3930919f4030102bf010f0d020d037275770a08736368"
    "6564756c65030109040583283e01f2fc150d040d05a3690687e91b3e0600000000a00d05a36906b912bd3d06"
    "00000000a00d08026c6d450a0672656c755f370d01419e190af40302d60e190a0102070f0d020d037275770a"
    "087363686564756c65030109040583283e018b230d040d05a369060bbd1f3e0600000000a00d05a369069e7a"
    "a13d0600000000a012031c1c0140a10d000565666763640b060d01076c6d6f70716968419d19ac029006028b"
    "b10519ac020102740f0d02016f0d03077778797a7b7c7d7275770a087363686564756c6503010904565b283e"
    "01e6f50c0d04026f700d05057273227475a369067a84213e0600000000a00d05a36906b7d4bf3d0600000000"
    "a00d06026c6d450a0572656c75310d01419e1964ac0202f55719640102290f0d020d037275770a0873636865"
    "64756c6503010904565b283e01f3d2010d040d05a36906c8fd0c3e0600000000a00d05a36906931c913d0600"
    "000000a00d06450a0572656c75320d01419f190a6402fa02190a0102070f0d020d037275770a087363686564"
    "756c6503010904565b283e0183070d040d05a36906d3d2ea3d0600000000a00d05a369067cc06f3d06000000"
    "00a00d0651510190060b0a9192939495969798999a40a10d0004656663640b060d01066c6d6f707168419d19"
    "ac029006028bb10519ac020102740f0d02026f700d03057273227475a369067a84213e0600000000a00d03a4"
    "6906b7d4bf3d0600000000a00d04026c6d450a0572656c75310d01419e1964ac0202f55719640102290f0d02"
    "0d03a36906c8fd0c3e0600000000a00d03a46906931c913d0600000000a00d04450a0572656c75320d01419f"
    "190a6402fa02190a0102070f0d020d03a36906d3d2ea3d0600000000a00d03a469067cc06f3d0600000000a0"
    "0d04515101900640a1"
)
