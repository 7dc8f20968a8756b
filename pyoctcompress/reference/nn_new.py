"""The verb new: the reference of ``nn_new.m``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from . import layers as table
from . import model as graph
from .internal import (
    Array,
    check,
    describe,
    fail,
    is_empty,
    is_numeric,
    is_real_scalar,
    parse_options,
    row_of_numbers,
    scalar,
    value_array,
    vector_text,
)
from .layers.common import channels_of
from .train import initial_weights

CALLER = "nn_new"

# For each type the values that stand first, and how many of them must be given.
VALUES: dict[str, tuple[tuple[str, ...], int]] = {
    **dict.fromkeys(table.TYPES, ((), 0)),
    "dense": (("units",), 1),
    "conv2d": (("filters", "kernel"), 2),
    "transposedconv2d": (("filters", "kernel"), 2),
    "depthwise": (("kernel", "multiplier"), 1),
    "lstm": (("units",), 1),
    "gru": (("units",), 1),
    "maxpool": (("pool_size", "stride"), 1),
    "averagepool": (("pool_size", "stride"), 1),
    "dropout": (("rate",), 0),
    "leakyrelu": (("slope",), 0),
    "prelu": (("slope",), 0),
    "elu": (("alpha",), 0),
    "reshape": (("output_size",), 1),
    "permute": (("dimensions",), 1),
    "flatten": (("order",), 0),
    "upsample": (("factor",), 1),
    "zeropad": (("padding",), 1),
    "scale": (("scale", "offset"), 1),
    "concat": (("axis",), 0),
}
RECTIFIERS = ("relu", "relu6", "leakyrelu", "prelu", "elu", "gelu", "swish", "hardswish")
WEIGHTED = ("dense", "conv2d", "depthwise", "transposedconv2d", "lstm", "gru")
BOUNDED = ("sigmoid", "hardsigmoid", "tanh", "softmax", "logsoftmax")


@dataclass(frozen=True)
class Item:
    """A layer as it was asked for: its type, and what was given."""

    type: str
    given: list[Any]


def new(*args: Any, **options: Any) -> graph.Model:
    """Make a network, with initial weights.

    ``new ("input", size, type, arguments, type, arguments, ..., option, value, ...)``

    Parameters
    ----------
    *args
        As ``nn_new`` takes them; a list or tuple stands for a cell. Where a layer has just one
        value, a list of numbers is that value.
    classes, outputs, seed, initial
        Options of the whole network; they may also stand after the layers.

    Raises
    ------
    OctcompressError
        ``octcompress:nn_new:badLayer``, ``badOption``, ``badValue``, ``badSize``, and those of a
        faulty network, each naming the layer.

    Examples
    --------
    >>> net = new("input", 4, "dense", 3, "relu", "dense", 2)
    >>> [layer["name"] for layer in net["layers"]]
    ['dense_1', 'relu_2', 'dense_3']
    """
    if len(args) < 2 or args[0] != "input":
        fail(
            CALLER,
            "badLayer",
            "the first arguments must be 'input' and the size of an observation",
        )
    input_size = check_size(row_of_numbers(args[1]))
    items, options = split(list(args[2:]), options)
    layers = [fields_of(k, item) for k, item in enumerate(items, 1)]
    random = np.random.RandomState([int(scalar(options["seed"]))])
    sizes: list[list[int]] = []
    for k, (item, layer) in enumerate(zip(items, layers, strict=True)):
        where = f"layer {k + 1} ('{layer['name']}', {item.type})"
        names = [each["name"] for each in layers[:k]]
        in_size = size_of_inputs(where, layer, names, sizes, input_size)
        kind = options["initial"]
        if kind == "auto":
            kind = kind_before(items[k + 1 :])
        layers[k] = with_parameters(where, layer, item, in_size, kind, random)
        try:
            out_size, _ = table.TYPES[layer["type"]].run.size(layers[k], in_size)
        except Exception as problem:
            fail(CALLER, "badSize", f"{where}: {problem}")
        sizes.append(out_size)
    model: graph.Model = {"layers": layers, "input_size": row(input_size)}
    for name in ("classes", "outputs"):
        if not is_empty(options[name]):
            model[name] = graph.names_in(options[name])
    model = graph.tidy(CALLER, model)
    graph.plan(CALLER, model)
    return model


def row(values: list[Any]) -> Any:
    """Make a size a float, or a row of them."""
    return float(values[0]) if len(values) == 1 else np.array([values], float)


def check_size(size: Any) -> list[Any]:
    """Refuse what is no size of an observation."""
    if is_numeric(size) and np.size(size) in (1, 2, 3):
        numbers = np.ravel(value_array(size)).astype(float)
        is_open = np.isnan(numbers) & (np.arange(numbers.size) == 1) & (numbers.size == 2)
        if (is_open | ((numbers >= 1) & (numbers == np.trunc(numbers)))).all():
            return [n if math.isnan(n) else int(n) for n in numbers]
    fail(
        CALLER,
        "badValue",
        f"the size of an observation must be F, [H W C] or [F T], but is {describe(size)}",
    )


def split(args: list[Any], given: dict[str, Any]) -> tuple[list[Item], dict[str, Any]]:
    """Part the layers from the options of the network."""
    options: dict[str, Any] = {"classes": [], "outputs": [], "seed": 0.0, "initial": "auto"}
    items: list[Item] = []
    k = 0
    while k < len(args):
        kind = args[k]
        if isinstance(kind, str) and kind in options:
            options = parse_options(CALLER, options, pairs_of(args[k:]))
            break
        if not isinstance(kind, str) or kind not in VALUES:
            fail(
                CALLER,
                "badLayer",
                f"after {len(items)} layers there must be a layer type or an option "
                f"({', '.join(options)}), but there is {describe(kind)}; the types are "
                f"{', '.join(VALUES)}",
            )
        values: list[Any] = []
        # Text is the next layer.
        if k + 1 < len(args) and not isinstance(args[k + 1], str):
            value = args[k + 1]
            if len(VALUES[kind][0]) == 1:
                value = row_of_numbers(value)
            values = list(value) if isinstance(value, (list, tuple)) else [value]
            k += 1
        items.append(Item(kind, [row_of_numbers(value) for value in values]))
        k += 1
    options = parse_options(CALLER, options, given)
    check(CALLER, "seed", options["seed"], "integer", (0, 2**32 - 1))
    check(CALLER, "initial", options["initial"], "choice", ["auto", "he", "glorot"])
    return items, options


def pairs_of(args: list[Any]) -> dict[str, Any]:
    """Make name-value pairs a dict."""
    pairs = {}
    for k in range(0, len(args), 2):
        if not isinstance(args[k], str) or not args[k]:
            fail(
                CALLER,
                "badOption",
                f"an option's name must be text, but what came is {describe(args[k])}; options "
                "are 'name', value pairs or a struct",
            )
        if k + 1 == len(args):
            fail(CALLER, "badOption", f"the option '{args[k]}' has no value")
        pairs[args[k]] = args[k + 1]
    return pairs


def fields_of(k: int, item: Item, caller: str = CALLER) -> graph.Layer:
    """Put what was given for a layer under its names."""
    positional, needed = VALUES[item.type]
    kind = "conv2d" if item.type == "depthwise" else item.type
    layer: graph.Layer = {"type": kind, "name": f"{kind}_{k}"}
    entry = table.TYPES[kind]
    allowed = ["name", "inputs", *positional, *entry.options]
    if "bias" in entry.trained:
        allowed.append("bias")
    values = 0
    while values < min(len(item.given), len(positional)):
        value = item.given[values]
        if isinstance(value, str) and value in allowed and values + 1 < len(item.given):
            break
        layer[positional[values]] = value
        values += 1
    pairs = item.given[values:]
    for i in range(0, len(pairs), 2):
        if not isinstance(pairs[i], str) or pairs[i] not in allowed or i + 1 == len(pairs):
            fail(
                caller,
                "badOption",
                f"layer {k} ({item.type}): {describe(pairs[i])} must be an option with a value; "
                f"they are {', '.join(allowed)}. First come the values ({', '.join(positional)})",
            )
        layer[pairs[i]] = pairs[i + 1]
    missing = [name for name in positional[:needed] if name not in layer]
    if missing:
        fail(
            caller,
            "badLayer",
            f"layer {k} ({item.type}) must be given {' and '.join(missing)}",
        )
    check(caller, "name", layer["name"], "text")
    if "inputs" in layer:
        layer["inputs"] = graph.names_in(layer["inputs"])
    return layer


def size_of_inputs(
    where: str, layer: graph.Layer, names: list[str], sizes: list[list[int]], input_size: list[int]
) -> Any:
    """Return the size of what a layer reads, a list of them where it takes several."""
    reads = []
    if "inputs" not in layer:
        reads = [sizes[-1] if sizes else input_size]
    for name in layer.get("inputs", []):
        if name in names:
            reads.append(sizes[names.index(name)])
        elif name == "input":
            reads.append(input_size)
        else:
            fail(
                CALLER,
                "badLayer",
                f"{where} reads '{name}', but no layer before it has that name; they are "
                f"{', '.join(['input', *names])}",
            )
    entry = table.TYPES[layer["type"]]
    if not entry.inputs[0] <= len(reads) <= entry.inputs[1]:
        fail(
            CALLER,
            "badLayer",
            f"{where} takes {table.input_text(entry)} inputs, but has {len(reads)}; name them by "
            "its option 'inputs'",
        )
    return reads if entry.several else reads[0]


def kind_before(later: list[Item]) -> str:
    """Say which initial weights suit the activation that comes next."""
    for item in later:
        if item.type in RECTIFIERS:
            return "he"
        if item.type in WEIGHTED + BOUNDED:
            break
    return "glorot"


def with_parameters(
    where: str,
    layer: graph.Layer,
    item: Item,
    in_size: Any,
    kind: str,
    random: np.random.RandomState,
) -> graph.Layer:
    """Give a layer its arrays."""
    if item.type == "dense":
        units = whole(where, layer, "units")
        layer.pop("units")
        if len(in_size) == 3:
            refuse_size(
                f"{where} cannot read an image [{vector_text(in_size)}]; put a 'flatten' before it"
            )
        sizes = [units, in_size[0]]
        return with_weights(layer, sizes, kind, in_size[0], units, units, random)
    if item.type in ("conv2d", "depthwise", "transposedconv2d"):
        return convolution(where, layer, item, in_size, kind, random)
    if item.type in ("lstm", "gru"):
        return recurrent(where, layer, in_size, random)
    if item.type == "batchnorm":
        one = np.ones((channels_of(in_size), 1), np.float32)
        return {**layer, "scale": one, "offset": 0 * one, "mean": 0 * one, "variance": one}
    if item.type == "prelu":
        slope = value_array(layer.get("slope", 0.25)).astype(np.float32)
        layer["slope"] = np.tile(slope, (channels_of(in_size) // slope.size, 1))
    if item.type == "scale":
        for name in ("scale", "offset"):
            if name in layer:
                layer[name] = value_array(layer[name]).astype(np.float32)
    return layer


def refuse_size(message: str) -> NoReturn:
    """Raise ``octcompress:nn_new:badSize``."""
    fail(CALLER, "badSize", message)


def convolution(
    where: str,
    layer: graph.Layer,
    item: Item,
    in_size: list[int],
    kind: str,
    random: np.random.RandomState,
) -> graph.Layer:
    """Give a convolution its weights."""
    if len(in_size) != 3:
        refuse_size(
            f"{where} must read an image [height width channels], but its input has the size "
            f"[{vector_text(in_size)}]"
        )
    channels = in_size[2]
    kernel = kernel_of(where, layer.pop("kernel"))
    if item.type == "depthwise":
        filters = channels
        if "multiplier" in layer:
            filters = channels * whole(where, layer, "multiplier")
            layer.pop("multiplier")
        layer["groups"] = float(channels)
    else:
        filters = whole(where, layer, "filters")
        layer.pop("filters")
    groups = whole(where, layer, "groups") if "groups" in layer else 1
    if channels % groups != 0 or filters % groups != 0:
        fail(
            CALLER,
            "badValue",
            f"GROUPS of {where} must divide its {channels} input channels and {filters} filters, "
            f"but is {groups}",
        )
    taps = math.prod(kernel)
    if item.type == "transposedconv2d":
        sizes = [*kernel, filters // groups, channels]
    else:
        sizes = [*kernel, channels // groups, filters]
    fans = taps * channels // groups, taps * filters // groups
    return with_weights(layer, sizes, kind, *fans, filters, random)


def kernel_of(where: str, kernel: Any) -> list[int]:
    """Return the height and the width of a kernel."""
    if is_numeric(kernel) and np.size(kernel) in (1, 2):
        numbers = np.ravel(value_array(kernel)).astype(float)
        if (numbers >= 1).all() and (numbers == np.trunc(numbers)).all():
            return [int(numbers[0]), int(numbers[-1])]
    fail(
        CALLER,
        "badValue",
        f"KERNEL of {where} must be a positive whole number or [height width], but is "
        f"{describe(kernel)}",
    )


def recurrent(
    where: str, layer: graph.Layer, in_size: list[int], random: np.random.RandomState
) -> graph.Layer:
    """Give a recurrent layer its weights; the biases of lstm's forget gates are 1 [1]_.

    References
    ----------
    .. [1] Jozefowicz et al., An empirical exploration of recurrent network architectures, ICML
       2015.
    """
    units = whole(where, layer, "units")
    layer.pop("units")
    features = in_size[0]
    rows = (3 if layer["type"] == "gru" else 4) * units
    biased = is_biased(layer)
    layer["bias"] = False
    layer = with_weights(layer, [rows, features], "glorot", features, units, 0, random)
    layer["recurrent_weights"] = initial_weights(random, [rows, units], "glorot", units, units)
    if biased:
        layer["bias"] = np.zeros((rows, 1), np.float32)
        if layer["type"] == "lstm":
            layer["bias"][units : 2 * units] = 1
        else:
            layer["recurrent_bias"] = layer["bias"].copy()
    return layer


def with_weights(
    layer: graph.Layer,
    sizes: list[int],
    kind: str,
    fan_in: float,
    fan_out: float,
    biases: int,
    random: np.random.RandomState,
) -> graph.Layer:
    """Draw a layer's weights; its bias is zeros."""
    biased = is_biased(layer)
    layer = {name: value for name, value in layer.items() if name != "bias"}
    weights: Array = initial_weights(random, sizes, kind, fan_in, fan_out)
    layer["weights"] = weights
    layer["weights_size"] = np.array([sizes], float)
    if biased:
        layer["bias"] = np.zeros((biases, 1), np.float32)
    return layer


def is_biased(layer: graph.Layer) -> bool:
    """Whether a layer is to have a bias."""
    if "bias" not in layer:
        return True
    value = layer["bias"]
    return bool(value) if isinstance(value, str) else bool(np.all(value)) and np.size(value) > 0


def whole(where: str, layer: graph.Layer, name: str) -> int:
    """Return a positive whole number that a layer was given."""
    value = layer[name]
    if is_numeric(value) and is_real_scalar(value):
        number = scalar(value)
        if math.isfinite(number) and number >= 1 and number == int(number):
            return int(number)
    fail(
        CALLER,
        "badValue",
        f"{name.upper()} of {where} must be a positive whole number, but is {describe(value)}",
    )
