"""Options, data and trained arrays of a training: part of the reference of ``+train``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import layers as table
from . import model as graph
from .internal import (
    Array,
    check,
    class_name,
    describe,
    fail,
    is_empty,
    number,
    parse_options,
    scalar,
    size,
    value_array,
    vector_text,
)
from .quant import FLOAT_FORMATS, Grid, along_axis, code_range
from .train import (
    Options,
    absolute_error,
    augment,
    binary_cross_entropy,
    cross_entropy,
    huber,
    squared_error,
)


def training_options(caller: str, own: Options, given: Mapping[str, Any]) -> Options:
    """Merge and check the options that `verbs.train` and `verbs.distill` share.

    Parameters
    ----------
    own : dict
        The verb's own options with their defaults.
    given : dict
        The user's.

    Raises
    ------
    OptionError
        ``octcompress:CALLER:unknownOption``, ``badValue``.
    """
    defaults = {
        **own,
        "optimizer": "sgd",
        "learning_rate": None,
        "momentum": 0.9,
        "nesterov": False,
        "beta1": 0.9,
        "beta2": 0.999,
        "epsilon": 1e-8,
        "weight_decay": 0.0,
        "clip_norm": math.inf,
        "schedule": "constant",
        "warmup": 0.0,
        "decay": None,
        "decay_epochs": None,
        "final_rate": None,
        "epochs": 10.0,
        "batch_size": 128.0,
        "seed": 0.0,
        "shuffle": True,
        "augmentation": None,
        "validation": 0.0,
        "validation_data": [],
        "monitor": "loss",
        "patience": math.inf,
        "callback": None,
        "checkpoint": "",
        "checkpoint_minutes": 10.0,
        "resume": "",
        "verbose": True,
    }
    options = parse_options(caller, defaults, given)

    def refuse(message: str) -> None:
        fail(caller, "badValue", message)

    def checked(name: str, kind: str, limits: Any = None) -> None:
        check(caller, name, options[name], kind, limits)

    def default(name: str, value: float) -> None:
        if is_empty(options[name]):
            options[name] = value

    checked("optimizer", "choice", ["sgd", "adam", "adamw"])
    schedules = ["constant", "step", "exponential", "cosine", "onecycle"]
    checked("schedule", "choice", schedules)
    in_steps = options["schedule"] == "step"
    default("learning_rate", 0.01 if options["optimizer"] == "sgd" else 0.001)
    default("decay", 0.1 if in_steps else 0.9)
    default("decay_epochs", 10.0 if in_steps else 1.0)
    if is_empty(options["final_rate"]):
        checked("learning_rate", "number", (0, 1e6))
        one_cycle = options["schedule"] == "onecycle"
        options["final_rate"] = scalar(options["learning_rate"]) / 1e4 if one_cycle else 0.0
    limits = {
        "learning_rate": (0, 1e6),
        "momentum": (0, 1),
        "beta1": (0, 0.999999),
        "beta2": (0, 0.999999),
        "epsilon": (1e-30, 1),
        "weight_decay": (0, 1e6),
        "warmup": (0, 1e6),
        "decay": (0, 1),
        "decay_epochs": (1e-6, 1e6),
        "final_rate": (0, 1e6),
        "validation": (0, 0.9),
        "checkpoint_minutes": (0, 1e6),
    }
    for name, between in limits.items():
        checked(name, "number", between)
    checked("epochs", "integer", (0, 1e6))
    checked("batch_size", "integer", (1, 1e9))
    checked("seed", "integer", (0, 2**32 - 1))
    checked("nesterov", "flag")
    checked("shuffle", "flag")
    checked("verbose", "flag")
    checked("monitor", "choice", ["loss", "accuracy", "top_k", "auc", "mse", "mae", "psnr"])
    if not is_infinite(options["clip_norm"]):
        checked("clip_norm", "number", (1e-30, 1e30))
    if not is_infinite(options["patience"]):
        checked("patience", "integer", (1, 1e6))
    if not is_empty(options["checkpoint"]):
        options["checkpoint"] = path_text(options["checkpoint"])
        checked("checkpoint", "text")
    if options["callback"] is not None and not callable(options["callback"]):
        refuse(f"CALLBACK must be a function handle, but is {describe(options['callback'])}")
    data = options["validation_data"]
    if not is_empty(data) and scalar(options["validation"]) > 0:
        refuse("VALIDATION (a share of X) and VALIDATION_DATA cannot both be given; leave one out")
    if not is_empty(data) and not (isinstance(data, (list, tuple)) and len(data) in (1, 2)):
        refuse(f"VALIDATION_DATA must be a cell {{X, Y}}, but is {describe(data)}")
    without = is_empty(data) and scalar(options["validation"]) == 0
    if without and not is_infinite(options["patience"]):
        refuse(
            "PATIENCE needs VALIDATION_DATA, a cell {X, Y}, or VALIDATION, a share of X to hold "
            "back"
        )
    options["augmentation"] = check_augmentation(caller, options["augmentation"])
    return options


def is_infinite(value: Any) -> bool:
    """Whether an option is plus infinity, which stands for: never."""
    is_float = class_name(value) in ("double", "single") and size(value) == (1, 1)
    return is_float and not np.iscomplexobj(value) and scalar(value) == math.inf


def path_text(value: Any) -> Any:
    """Make a path object text."""
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def check_augmentation(caller: str, given: Any) -> Options | None:
    """Merge and check the options of `augment`; None where there are none."""
    if is_empty(given):
        return None
    if isinstance(given, (list, tuple)):
        given = dict(zip(given[::2], given[1::2], strict=True))
    elif not isinstance(given, Mapping):
        fail(
            caller,
            "badValue",
            "AUGMENTATION must be a struct or a cell of name-value pairs, but is "
            f"{describe(given)}",
        )
    defaults = {"flip": "none", "shift": 0.0, "crop": False, "pixels": None}
    options = parse_options(caller, defaults, given)
    check(caller, "flip", options["flip"], "choice", ["none", "horizontal", "vertical", "both"])
    check(caller, "shift", options["shift"], "integer", (0, 1e4))
    check(caller, "crop", options["crop"], "flag")
    pixels = value_array(options["pixels"])
    sizes_fit = (
        np.isrealobj(pixels)
        and np.issubdtype(pixels.dtype, np.number)
        and pixels.size == 3
        and bool(np.all((pixels >= 1) & (pixels == np.fix(pixels))))
        and not options["crop"]
    )
    if not is_empty(options["pixels"]) and not sizes_fit:
        fail(
            caller,
            "badValue",
            f"PIXELS must be [H W C], without CROP, but is {describe(options['pixels'])}",
        )
    return options


Loss = Callable[[list[Array], Array, Array], tuple[Any, list[Array]]]


@dataclass(frozen=True)
class Source:
    """Observations and what is to be learnt of them.

    Attributes
    ----------
    x : array
        As `model.batches` gives it.
    count : int
        The number of observations.
    loss : callable
        ``value, d_outputs = loss (outputs, which, x)``: the mean loss of a batch x and its
        gradient by the outputs; None where there are only inputs. The value may be an array: the
        loss, and the parts of it that `parts` names.
    labels : array or None
        1 x count class numbers, where the accuracy can be told.
    wanted : callable, optional
        ``wanted (which)`` gives targets or labels, for the option monitor.
    check : float
        Changes with the data, so that a resumed training gets the same.
    after_step : callable, optional
        ``after_step (state, places)``, called after each step, may change both.
    parts : sequence of str
        Fields of the history for parts of the loss.
    loss_at : callable, optional
        ``loss_at (moment)`` is the loss of a step, moment going from 0 at the first step to 1;
        `loss` itself then is for validation.
    """

    x: Array
    count: int
    loss: Loss | None
    labels: Array | None
    check: float
    wanted: Callable[[Array], Array] | None = None
    after_step: Callable[[dict[str, Any], list[Place]], None] | None = None
    parts: Sequence[str] = ()
    loss_at: Callable[[float], Loss] | None = None


def data_source(
    caller: str,
    model: graph.Model,
    plan: graph.Plan,
    x: Any,
    y: Any,
    options: Options,
    name: tuple[str, str],
) -> Source:
    """Check inputs and labels or targets, and make them ready for the training loop.

    Parameters
    ----------
    plan : Plan
        Of `cut`.
    y : array or None
        Labels or targets, as the loss wants them; None with no loss: only the inputs.
    name : (str, str)
        X and Y as the user knows them, for messages.

    Raises
    ------
    OctcompressError
        ``octcompress:CALLER:badInput``, ``notFinite``, ``empty``, ``badLabels``, ``badTarget``,
        ``badOutput``.
    """
    given = describe(x)
    x = check_inputs(caller, model, x, options)
    count = x.shape[graph.observation_axis(x)]
    if count == 0:
        fail(caller, "empty", f"{name[0]} must hold at least one observation, but is {given}")
    if is_empty(y):
        return Source(x, count, None, None, sample_sum(x))
    check_monitor(caller, options)
    [last] = plan.outputs
    out_size = plan.sizes[last]
    if options["loss"] == "crossentropy":
        classes = math.prod(out_size)
        if classes != out_size[-1] or classes < 2:
            fail(
                caller,
                "badOutput",
                "the loss 'crossentropy' needs an output of 2 or more values, but layer "
                f"'{model['layers'][last]['name']}' gives [{vector_text(out_size)}]",
            )
        labels = graph.labels(caller, y, classes)
        require_count(caller, labels.size, count, name)
        smoothing, weights = scalar(options["label_smoothing"]), options["class_weights"]

        def class_loss(outputs: list[Array], which: Array, x: Array) -> tuple[float, list[Array]]:
            logits = outputs[0].reshape(classes, -1, order="F")
            value, gradient = cross_entropy(logits, labels[:, which], smoothing, weights)
            return value, [gradient.reshape(outputs[0].shape, order="F")]

        seen = sample_sum(x) + sample_sum(y)
        return Source(x, count, class_loss, labels, seen, lambda which: labels[:, which])

    target = check_target(caller, y, out_size, count, options, name)
    target = target.astype(graph.float_class(model))

    def some(which: Array) -> Array:
        return target[:, :, :, which] if target.ndim == 4 else target[:, which]

    def target_loss(outputs: list[Array], which: Array, x: Array) -> tuple[float, list[Array]]:
        wanted = some(which)
        if options["loss"] == "mse":
            value, gradient = squared_error(outputs[0], wanted)
        elif options["loss"] == "mae":
            value, gradient = absolute_error(outputs[0], wanted)
        elif options["loss"] == "huber":
            value, gradient = huber(outputs[0], wanted, scalar(options["huber_delta"]))
        else:
            value, gradient = binary_cross_entropy(outputs[0], wanted)
        return value, [gradient]

    return Source(x, count, target_loss, None, sample_sum(x) + sample_sum(y), some)


def check_monitor(caller: str, options: Options) -> None:
    """Refuse a monitor that does not belong to the loss."""
    known = {
        "crossentropy": ["loss", "accuracy", "top_k", "auc"],
        "binary_crossentropy": ["loss", "auc"],
    }.get(options["loss"], ["loss", "mse", "mae", "psnr"])
    if options.get("monitor", "loss") not in known:
        fail(
            caller,
            "badValue",
            f"with the loss '{options['loss']}' MONITOR must be one of "
            + ", ".join(f"'{name}'" for name in known)
            + f", but is '{options['monitor']}'",
        )


def check_inputs(caller: str, model: graph.Model, x: Any, options: Options) -> Array:
    """Check inputs; with crop they may be larger than the network's images."""
    wanted = graph.input_size(model)
    augmentation = options["augmentation"]
    if augmentation is not None:
        pixels = augmentation["pixels"]
        if is_empty(pixels) and len(wanted) != 3:
            fail(
                caller,
                "badValue",
                "AUGMENTATION needs images, H x W x C x N, or their PIXELS as features, but "
                f"MODEL.INPUT_SIZE is [{vector_text(wanted)}]",
            )
        elif not is_empty(pixels) and [math.prod(np.ravel(pixels))] != wanted:
            fail(
                caller,
                "badValue",
                f"the PIXELS of AUGMENTATION must be [H W C] of the {vector_text(wanted)} "
                f"features of MODEL, but are [{vector_text(np.ravel(pixels).tolist())}]",
            )
        if augmentation["crop"]:
            given = size(x)
            wanted = [max(given[0], wanted[0]), max(given[1], wanted[1]), wanted[2]]
    return graph.batches(caller, {"input_size": np.array([wanted], float)}, x, 1)[0]


def sample_sum(x: Any) -> float:
    """Sum about a thousand entries spread over an array."""
    entries = np.ravel(value_array(x), order="F").astype(np.float64)
    return float(np.cumsum(entries[:: max(1, entries.size // 1000)])[-1]) if entries.size else 0.0


def require_count(caller: str, given: int, count: int, name: tuple[str, str]) -> None:
    """Refuse labels that are not as many as the observations."""
    if given != count:
        fail(
            caller,
            "badLabels",
            f"{name[1]} must have one entry for each of the {count} observations of {name[0]}, "
            f"but has {given}",
        )


def check_target(
    caller: str, y: Any, out_size: list[int], count: int, options: Options, name: tuple[str, str]
) -> Array:
    """Check targets; gives them with all the dimensions of the output."""
    given = describe(y)
    if class_name(y) in ("char", "cell", "struct") or np.iscomplexobj(y):
        fail(caller, "badTarget", f"{name[1]} must be a real numeric array, but is {given}")
    y = value_array(y)
    y = y.reshape(size(y))
    if y.ndim == 2 and 1 in y.shape and out_size == [1]:
        y = y.reshape(1, -1)
    wanted = [*out_size, count] if len(out_size) == 3 else [out_size[0], count, *out_size[1:]]
    missing = len(wanted) - y.ndim
    if list(y.shape) + [1] * missing != wanted + [1] * -missing:
        fail(
            caller,
            "badTarget",
            f"with the loss '{options['loss']}' {name[1]} must be of the output's size, "
            f"{'x'.join(str(n) for n in wanted + [1] * -missing)}, but is {given}",
        )
    if y.dtype.kind == "f":
        check(caller, name[1], y, "finite")
    if options["loss"] == "binary_crossentropy" and (y.min() < 0 or y.max() > 1):
        fail(
            caller,
            "badTarget",
            f"with the loss 'binary_crossentropy' {name[1]} must lie from 0 to 1, but goes from "
            f"{number(float(y.min()))} to {number(float(y.max()))}",
        )
    return y.reshape(wanted)


def batch(
    x: Array,
    model: graph.Model,
    which: Array,
    augmentation: Options | None,
    random: np.random.RandomState | None,
) -> Array:
    """Take some observations for training: augmented, and in the network's class."""
    if augmentation is not None:
        x = x[:, :, :, which] if len(graph.input_size(model)) == 3 else x[:, which]
        x = augment(x, graph.input_size(model), augmentation, random)
        which = np.arange(which.size)
    return graph.take_batch(x, model, which)


# What is trained.


def cut(caller: str, model: graph.Model, dropped: tuple[str, ...]) -> graph.Plan:
    """Plan the part of a network that training computes: up to the layer before a final softmax.

    Parameters
    ----------
    dropped : tuple of str
        Where the output layer has one of these types it is left out, because the loss computes it
        too, exactly and without overflow.

    Raises
    ------
    OctcompressError
        ``octcompress:CALLER:severalOutputs``, and those of `model.plan`.
    """
    plan = graph.plan(caller, model)
    if len(plan.outputs) != 1:
        names = ", ".join(model["layers"][k]["name"] for k in plan.outputs)
        fail(
            caller,
            "severalOutputs",
            f"MODEL must have one output to be trained, but has {names}; name one in model.outputs",
        )
    [last] = plan.outputs
    if model["layers"][last]["type"] in dropped and plan.inputs[last][0] >= 0:
        last = plan.inputs[last][0]
    end = last + 1
    return graph.Plan(
        plan.types[:end], plan.inputs[:end], [last], plan.sizes[:end], plan.macs[:end]
    )


@dataclass
class Place:
    """A trained array of a network, and what training must keep of it.

    Attributes
    ----------
    layer : int
        Counted from 0.
    field : str
        'weights', 'bias', ...
    decays : bool
        Weight decay applies: the fields that pruning takes.
    keep : array or None
        Where the layer is pruned: 0 where the array is zero, else 1.
    grid : dict or None
        Where the layer is quantized: its grid.
    low, high : array or None
        The least and the greatest value of the grid, shaped to meet the array.
    """

    layer: int
    field: str
    decays: bool
    keep: Array | None = None
    grid: Grid | None = None
    low: Array | None = None
    high: Array | None = None


def parameters(model: graph.Model, plan: graph.Plan) -> list[Place]:
    """List what training may change in a network; layers that do not reach its output are not."""
    reached = set(plan.outputs)
    for k in reversed(range(len(plan.types))):
        if k in reached:
            reached.update(plan.inputs[k])
    places = []
    for k, layer in enumerate(model["layers"][: len(plan.types)]):
        if k not in reached:
            continue
        entry = table.TYPES[layer["type"]]
        for field in entry.trained:
            if is_empty(layer.get(field)):
                continue
            w = layer[field]
            place = Place(k, field, field in entry.prunable)
            if not is_empty(layer.get("pruning", {}).get(field)):
                place.keep = (w != 0).astype(w.dtype)
            grid = layer.get("quantization", {}).get(field)
            if not is_empty(grid):
                place.grid = grid
                place.low, place.high = ends_of(grid, w)
            places.append(place)
    return places


def ends_of(grid: Grid, w: Array) -> tuple[Array, Array]:
    """Find the least and the greatest value of a grid, shaped to meet the array `w`."""
    if "codebook" in grid:
        entries = value_array(grid["codebook"]).astype(w.dtype)
        return entries.min(), entries.max()
    scale, zero_point = along_axis(grid, w.dtype, w.shape)
    if grid["scheme"] in FLOAT_FORMATS:
        last = FLOAT_FORMATS[grid["scheme"]].largest
        return (-last - zero_point) * scale, (last - zero_point) * scale
    first, last = code_range(grid)
    return (first - zero_point) * scale, (last - zero_point) * scale
