"""The training loop and its checkpoints: part of the reference of ``+octcompress/+train``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .. import matfile
from . import model as graph
from .internal import (
    Array,
    Progress,
    check,
    describe,
    fail,
    is_empty,
    number,
    plain,
    scalar,
    size,
    value_array,
)
from .nn_evaluate import figures_of
from .quant import snap_to_grid
from .train import (
    Options,
    adam_step,
    learning_rate,
    random_order,
    random_state,
    set_random_state,
    sgd_step,
)
from .train_data import Place, Source, batch, is_infinite, parameters, path_text

State = dict[str, Any]


def loop(
    caller: str,
    model: graph.Model,
    plan: graph.Plan,
    train: Source,
    validation: Source | None,
    options: Options,
    progress: Progress | None = None,
) -> tuple[graph.Model, dict[str, Any]]:
    """Train a network: the loop of `verbs.train` and `verbs.distill`.

    A batch is computed with the weights on their grid; the gradient goes to full-precision weights
    beside them (straight-through estimator [1]_), which are kept within the grid's range [2]_.
    Weights that pruning has set to zero get no gradient.

    Random numbers are drawn in this order after seeding: the order of all observations, if a share
    is held back (its first part is); then in each epoch the order of the batches (if shuffle), and
    in each batch augmentation, then the layers in their order.

    Raises
    ------
    OctcompressError
        ``octcompress:CALLER:diverged``, ``nothingToTrain``, ``empty``, ``resumeMismatch``.

    References
    ----------
    .. [1] Bengio et al., Estimating or propagating gradients through stochastic neurons, 2013,
       arXiv:1308.3432.
    .. [2] Courbariaux et al., BinaryConnect, NIPS 2015, arXiv:1511.00363.
    """
    count = len(plan.types)
    places = parameters(model, plan)
    if not places:
        fail(caller, "nothingToTrain", "MODEL has no weights to train")
    random = np.random.RandomState([int(scalar(options["seed"]))])
    index, held = hold_back(caller, random, train.count, validation, options)
    batch_size = int(min(scalar(options["batch_size"]), index.size))
    per_epoch = math.ceil(index.size / batch_size)
    data = np.array([[train.count, train.check]])
    if is_empty(options["resume"]):
        state = initial_state(model["layers"][:count], places, random, train.parts)
    else:
        model, state = from_checkpoint(caller, model, options, data)
        places = parameters(model, plan)
        for place, kept in zip(places, state["kept"], strict=True):
            if place.keep is not None:
                place.keep = kept.astype(place.keep.dtype)
        set_random_state(random, state["random"])
    stopped = ""
    kept = snapshot(state)
    last_saved = time.monotonic()

    def save(state: State) -> None:
        if options["checkpoint"]:
            checkpoint = to_checkpoint(caller, model, options, data, state)
            matfile.save(options["checkpoint"], checkpoint)

    try:
        while state["epoch"] <= scalar(options["epochs"]) and not stopped:
            if state["done"] == 0:
                order = random_order(random, index.size) if options["shuffle"] else slice(None)
                state["order"] = index[order]
                state["loss_sum"] = 0.0
                state["seconds"] = 0.0
            while state["done"] < index.size:
                started = time.perf_counter()
                which = state["order"][state["done"] : state["done"] + batch_size]
                state["rate"] = learning_rate(options, state["step"], per_epoch)
                loss_of = train.loss
                if train.loss_at is not None:
                    loss_of = train.loss_at(state["step"] / (scalar(options["epochs"]) * per_epoch))
                source = replace(train, loss=loss_of)
                loss = train_batch(state, plan, model, places, source, which, options, random)
                if not math.isfinite(loss[0]):
                    diverged(caller, state, loss[0], options)
                state["loss_sum"] = state["loss_sum"] + loss * which.size
                state["done"] += which.size
                state["step"] += 1
                if train.after_step is not None:
                    train.after_step(state, places)
                state["random"] = random_state(random)
                state["seconds"] += time.perf_counter() - started
                kept = snapshot(state)
                minutes = (time.monotonic() - last_saved) / 60
                if options["checkpoint"] and minutes >= scalar(options["checkpoint_minutes"]):
                    require_finite(caller, state, places, options)
                    save(state)
                    last_saved = time.monotonic()

            require_finite(caller, state, places, options)
            end_of_epoch(state, plan, model, train, validation or train, held, options)
            report(state, options, train.parts, progress)
            best = state["best"]["epoch"]
            if best > 0 and state["epoch"] - best >= scalar(options["patience"]):
                stopped = "patience"
            if options["callback"] is not None and call_back(caller, model, state, options):
                stopped = "callback"
            state["epoch"] += 1
            state["done"] = 0
            kept = snapshot(state)
    except KeyboardInterrupt:
        save(kept)
        raise

    save(state)
    trained = state["best"]["layers"] if state["best"]["epoch"] > 0 else state["layers"]
    model = {**model, "layers": [*trained, *model["layers"][count:]]}
    history = {name: row(values) for name, values in state["history"].items()}
    info = {
        "options": options,
        "history": history,
        "epochs": state["epoch"] - 1.0,
        "steps": float(state["step"]),
        "best_epoch": float(state["best"]["epoch"]),
        "stopped": stopped or "finished",
        "layers": [figures(model, place) for place in places],
    }
    return model, info


def row(values: list[float]) -> Any:
    """Make a list of numbers a row, as MATLAB's ``list(end + 1) = value`` does."""
    return plain(np.array([values])) if values else np.zeros((0, 0))


def hold_back(
    caller: str,
    random: np.random.RandomState,
    count: int,
    validation: Source | None,
    options: Options,
) -> tuple[Array, Array]:
    """Choose the observations to train with, and those to judge by, counted from 0."""
    index = np.arange(count)
    held = np.arange(0)
    share = scalar(options["validation"])
    if validation is not None:
        held = np.arange(validation.count)
    elif share > 0:
        order = random_order(random, count)
        first = math.floor(share * count)
        held, index = np.sort(order[:first]), np.sort(order[first:])
    if index.size == 0 or (share > 0 and held.size == 0):
        fail(
            caller,
            "empty",
            f"X has {count} observations, of which {index.size} are for training and {held.size} "
            "for validation; there must be more",
        )
    return index, held


def initial_state(
    layers: list[graph.Layer],
    places: list[Place],
    random: np.random.RandomState,
    parts: Sequence[str] = (),
) -> State:
    """Make the state of a training before its first step."""
    layers = [dict(layer) for layer in layers]
    latent: list[Array | None] = []
    for place in places:
        w = layers[place.layer][place.field]
        latent.append(None if place.grid is None else w)
        if place.grid is not None:
            layers[place.layer][place.field] = snap_to_grid(w, place.grid)[0]
    zeros = [np.zeros_like(layers[place.layer][place.field]) for place in places]
    names = ["loss", "validation_loss", "validation_accuracy", "learning_rate", "seconds", *parts]
    return {
        "layers": layers,
        "latent": latent,
        "first": list(zeros),
        "second": list(zeros),
        "kept": [None if place.keep is None else place.keep != 0 for place in places],
        "step": 0,
        "epoch": 1,
        "done": 0,
        "order": None,
        "rate": 0.0,
        "loss_sum": 0.0,
        "seconds": 0.0,
        "random": random_state(random),
        "history": {name: [] for name in names},
        "best": {"epoch": 0, "value": 0.0, "layers": []},
    }


def snapshot(state: State) -> State:
    """Copy a state, so that going on does not change it; the arrays are shared."""
    copied = {key: list(v) if isinstance(v, list) else v for key, v in state.items()}
    return {**copied, "history": {name: list(v) for name, v in state["history"].items()}}


def train_batch(
    state: State,
    plan: graph.Plan,
    model: graph.Model,
    places: list[Place],
    train: Source,
    which: Array,
    options: Options,
    random: np.random.RandomState,
) -> Array:
    """Compute one batch and change the weights; gives the loss, and its parts after it."""
    assert train.loss is not None
    layers = state["layers"]
    x = batch(train.x, model, which, options["augmentation"], random)
    with np.errstate(over="ignore", invalid="ignore"):
        y, trace = graph.forward(plan, layers, x, random)
        value, dy = train.loss(y, which, x)
        loss = np.atleast_1d(value)
        if not math.isfinite(loss[0]):
            return loss
        # Gradients are linear in dy: the learning rate of sgd is put in here.
        scale = state["rate"] if options["optimizer"] == "sgd" else 1.0
        if options["optimizer"] == "sgd":
            dy = [scale * d for d in dy]
        gradients, _ = graph.backward(plan, layers, trace, dy)
        for k, layer_state in enumerate(trace.states):
            if plan.types[k].statistics:
                layers[k] = {**layers[k], **layer_state["statistics"]}
        steps = [gradients[place.layer].get(place.field) for place in places]
        if options.get("scale_rule") == "gradient":
            factor = state["rate"] / scale if scale else 0.0
            state["descent"] = [None if step is None else -factor * step for step in steps]
        steps = [
            step if step is None or place.keep is None else step * place.keep
            for step, place in zip(steps, places, strict=True)
        ]
        if not is_infinite(options["clip_norm"]):
            steps = clip(steps, scale * scalar(options["clip_norm"]))
        for p, (place, step) in enumerate(zip(places, steps, strict=True)):
            if step is not None:
                update(state, p, place, step, scale, options)
    return loss


def clip(steps: list[Any], limit: float) -> list[Any]:
    """Scale gradients down to a norm, of all together."""
    squares = [(step.astype(np.float64) ** 2).sum() for step in steps if step is not None]
    norm = math.sqrt(sum(squares))
    if norm <= limit:
        return steps
    factor = limit / norm
    return [None if step is None else factor * step for step in steps]


def update(state: State, p: int, place: Place, step: Array, scale: float, options: Options) -> None:
    """Change one trained array by its gradient (times the learning rate with sgd)."""
    layer = state["layers"][place.layer]
    w = layer[place.field] if place.grid is None else state["latent"][p]
    decay = scalar(options["weight_decay"])
    if decay > 0 and place.decays:
        if options["optimizer"] == "adamw":
            w = (1 - state["rate"] * decay) * w
        else:
            step = step + (scale * decay) * w
    if options["optimizer"] == "sgd":
        w, state["first"][p] = sgd_step(
            w, state["first"][p], step, scalar(options["momentum"]), bool(options["nesterov"])
        )
    else:
        w, state["first"][p], state["second"][p] = adam_step(
            w,
            state["first"][p],
            state["second"][p],
            step,
            state["step"] + 1,
            state["rate"],
            scalar(options["beta1"]),
            scalar(options["beta2"]),
            scalar(options["epsilon"]),
        )
    if place.grid is not None:
        state["latent"][p] = np.clip(w, place.low, place.high)
        w = snap_to_grid(state["latent"][p], place.grid)[0]
        if place.keep is not None:
            w = w * place.keep
    state["layers"][place.layer] = {**layer, place.field: w}


def require_finite(caller: str, state: State, places: list[Place], options: Options) -> None:
    """Refuse to go on with weights that are NaN or Inf."""
    for place in places:
        if not np.isfinite(state["layers"][place.layer][place.field]).all():
            diverged(caller, state, math.nan, options)


def diverged(caller: str, state: State, loss: float, options: Options) -> None:
    """Raise the error of a loss or of weights that are not finite."""
    where = "; set CHECKPOINT to have the last good model in a file"
    if options["checkpoint"] and os.path.isfile(options["checkpoint"]):
        where = f"; the last good model is in '{options['checkpoint']}'"
    fail(
        caller,
        "diverged",
        f"the training diverged: the loss is {number(loss)} in epoch {state['epoch']}, step "
        f"{state['step'] + 1}; lower LEARNING_RATE (it is "
        f"{number(scalar(options['learning_rate']))}), set CLIP_NORM, or scale X to about -1 to "
        f"1{where}",
    )


def validate(
    plan: graph.Plan,
    model: graph.Model,
    layers: list[graph.Layer],
    source: Source,
    which: Array,
    options: Options,
) -> tuple[float, float, float]:
    """Compute the mean loss, the accuracy (NaN without labels) and what is monitored."""
    monitored = options["monitor"] not in ("loss", "accuracy")
    scores, wanted = [], []
    assert source.loss is not None
    total, correct = 0.0, 0
    step = int(min(scalar(options["batch_size"]), which.size))
    for first in range(0, which.size, step):
        part = which[first : first + step]
        x = batch(source.x, model, part, options["augmentation"], None)
        y, _ = graph.forward(plan, layers, x)
        total += part.size * float(np.atleast_1d(source.loss(y, part, x)[0])[0])
        if source.labels is not None:
            predicted = y[0].reshape(-1, part.size, order="F").argmax(axis=0) + 1
            correct += int(np.count_nonzero(predicted == source.labels[0, part]))
        if monitored:
            assert source.wanted is not None
            scores.append(as_columns(y[0], part.size))
            wanted.append(as_columns(source.wanted(part), part.size))
    accuracy = math.nan if source.labels is None else correct / which.size
    figure = math.nan
    if monitored:
        auc = options["monitor"] == "auc"
        defaults = {"loss": options["loss"], "top_k": 5, "auc": auc, "peak": 1, "huber_delta": 1}
        told = figures_of(np.hstack(scores), np.hstack(wanted), defaults, "")
        figure = told[options["monitor"]]
    return total / which.size, accuracy, figure


def as_columns(y: Array, count: int) -> Array:
    """Lay out each observation as a column."""
    if y.ndim == 3:
        y = y.transpose(0, 2, 1)
    return y.reshape(-1, count, order="F")


def end_of_epoch(
    state: State,
    plan: graph.Plan,
    model: graph.Model,
    train: Source,
    validation: Source,
    held: Array,
    options: Options,
) -> None:
    """Write the history of an epoch, and keep the weights if they are the best so far."""
    history = state["history"]
    means = np.atleast_1d(state["loss_sum"]) / state["order"].size
    for name, mean in zip(["loss", *train.parts], means, strict=True):
        history[name].append(float(mean))
    history["learning_rate"].append(state["rate"])
    history["seconds"].append(state["seconds"])
    if held.size:
        value, accuracy, figure = validate(plan, model, state["layers"], validation, held, options)
        history["validation_loss"].append(value)
        history["validation_accuracy"].append(accuracy)
        if options["monitor"] == "accuracy":
            value = -accuracy
        elif options["monitor"] != "loss":
            history.setdefault(f"validation_{options['monitor']}", []).append(figure)
            value = figure
            if options["monitor"] in ("top_k", "auc", "psnr"):  # more is better; NaN never is
                value = math.inf if math.isnan(figure) else -figure
        if state["best"]["epoch"] == 0 or value < state["best"]["value"]:
            layers = list(state["layers"])
            state["best"] = {"epoch": state["epoch"], "value": value, "layers": layers}


def report(state: State, options: Options, parts: Sequence[str], progress: Progress | None) -> None:
    """Tell how far the training is."""
    if progress is None or not options["verbose"]:
        return
    history = {name: values[-1] for name, values in state["history"].items() if values}
    text = f"loss {history['loss']:.4f}"
    if len(parts) > 1:
        figures = (f"{name.removesuffix('_loss')} {history[name]:.4f}" for name in parts)
        text += f" ({', '.join(figures)})"
    if "validation_loss" in history:
        text += f", validation loss {history['validation_loss']:.4f}"
        if not math.isnan(history["validation_accuracy"]):
            text += f", accuracy {100 * history['validation_accuracy']:.2f}%"
        name = options["monitor"]
        if name not in ("loss", "accuracy"):
            text += f", {name} {history[f'validation_{name}']:.4g}"
    rate = state["order"].size / max(history["seconds"], 1e-9)
    text += f", rate {history['learning_rate']:.3g}, {rate:.0f}/s"
    progress("training", float(state["epoch"]), scalar(options["epochs"]), text)


def call_back(caller: str, model: graph.Model, state: State, options: Options) -> bool:
    """Show the user's callback an epoch; gives whether to stop."""
    history = {name: values[-1] for name, values in state["history"].items() if values}
    layers = [*state["layers"], *model["layers"][len(state["layers"]) :]]
    seen = {
        "epoch": float(state["epoch"]),
        "epochs": scalar(options["epochs"]),
        "loss": history["loss"],
        "validation_loss": history.get("validation_loss", math.nan),
        "validation_accuracy": history.get("validation_accuracy", math.nan),
        "learning_rate": history["learning_rate"],
        "seconds": history["seconds"],
        "model": {**model, "layers": [dict(layer) for layer in layers]},
    }
    stop = options["callback"](seen)
    check(caller, "what CALLBACK returns", stop, "flag")
    return bool(stop)


def figures(model: graph.Model, place: Place) -> dict[str, Any]:
    """Count the entries of a trained array."""
    layer = model["layers"][place.layer]
    w = layer[place.field]
    return {
        "tensor": f"{layer['name']}.{place.field}",
        "count": float(w.size),
        "nonzeros": float(np.count_nonzero(w)),
        "pruned": place.keep is not None,
        "quantized": place.grid is not None,
    }


# Checkpoints. The files are those of the Octave package: each goes on from the other's.

FREE_OPTIONS = (
    "epochs",
    "patience",
    "callback",
    "checkpoint",
    "checkpoint_minutes",
    "resume",
    "verbose",
    "validation_data",
)
"""What a resumed training may have otherwise: it does not change the numbers."""

# Fields of the state that hold an array, or nothing, for each trained array.
PER_PLACE = ("latent", "first", "second", "kept")


def to_checkpoint(
    caller: str, model: graph.Model, options: Options, data: Array, state: State
) -> graph.Model:
    """Make a training's state a model: the network as it is, with a field training."""
    nothing = np.zeros((0, 0))
    training: dict[str, Any] = {key: value for key, value in state.items() if key != "layers"}
    for key in PER_PLACE:
        training[key] = [nothing if array is None else array for array in training[key]]
    for key in ("step", "epoch", "done"):
        training[key] = float(training[key])
    training["loss_sum"] = plain(np.atleast_2d(state["loss_sum"]))
    order = state["order"]
    training["order"] = nothing if order is None else plain(order[np.newaxis] + 1.0)
    training["history"] = {name: row(values) for name, values in state["history"].items()}
    training["best"] = {**state["best"], "epoch": float(state["best"]["epoch"])}
    training["depth"] = float(len(state["layers"]))
    training["caller"] = caller
    training["data"] = data
    kept = {key: value for key, value in options.items() if key not in FREE_OPTIONS}
    training["options"] = {key: nothing if value is None else value for key, value in kept.items()}
    layers = [*state["layers"], *model["layers"][len(state["layers"]) :]]
    return {**model, "layers": layers, "training": training}


def from_checkpoint(
    caller: str, model: graph.Model, options: Options, data: Array
) -> tuple[graph.Model, State]:
    """Take up a training where a checkpoint left it.

    Raises
    ------
    OctcompressError
        ``octcompress:CALLER:resumeMismatch`` where the network, the data or an option that changes
        the numbers is another, or the file is no checkpoint; `FileError`.
    """

    def refuse(message: str) -> None:
        fail(caller, "resumeMismatch", message)

    resumed = path_text(options["resume"])
    if not isinstance(resumed, Mapping):
        check(caller, "resume", resumed, "text")
        resumed = matfile.load(resumed)
    if "training" not in resumed:
        refuse(
            "RESUME must be a checkpoint, but has no state of a training; options.checkpoint "
            "writes one"
        )
    resumed = graph.tidy(caller, resumed)
    state = resumed.pop("training")
    if state["caller"] != caller:
        refuse(f"RESUME is a checkpoint of {state['caller']}; go on with that")
    if shapes(resumed) != shapes(model):
        refuse("RESUME is a checkpoint of another network: its layers differ from those of MODEL")
    if not np.array_equal(state["data"], data):
        refuse(
            "RESUME is a checkpoint of a training on other data "
            f"({state['data'][0, 0]:.0f} observations; now {data[0, 0]:.0f})"
        )
    for name, before in state["options"].items():
        now = options.get(name)
        if not is_same(before, now):
            refuse(
                f"{name.upper()} was {describe(before)} in the checkpoint, but is "
                f"{describe(now)}; give the same options to go on"
            )
    for key in PER_PLACE:
        arrays = [value_array(array) for array in state[key]]
        state[key] = [array if array.size else None for array in arrays]
    for key in ("step", "epoch", "done"):
        state[key] = int(state[key])
    state["loss_sum"] = np.ravel(state["loss_sum"])
    order = np.ravel(state["order"]).astype(int) - 1
    state["order"] = order if order.size else None
    for name, values in state["history"].items():
        state["history"][name] = [float(value) for value in np.ravel(values)]
    best = (
        graph.tidy(caller, {**resumed, "layers": state["best"]["layers"]})
        if state["best"]["epoch"]
        else {"layers": []}
    )
    state["best"] = {**state["best"], "layers": best["layers"]}
    state["layers"] = resumed["layers"][: int(state.pop("depth"))]
    return resumed, state


def shapes(model: graph.Model) -> list[tuple[str, Any]]:
    """List the types and the sizes of weights of the layers."""
    return [
        (layer["type"], size(layer["weights"]) if "weights" in layer else None)
        for layer in model["layers"]
    ]


def is_same(a: Any, b: Any) -> bool:
    """MATLAB's isequal: the same size and values, whatever the class."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(is_same(a[key], b[key]) for key in a)
    if isinstance(a, str) or isinstance(b, str):
        return a == b or (is_empty(a) and is_empty(b))
    if isinstance(a, Mapping) or isinstance(b, Mapping) or size(a) != size(b):
        return False
    return bool(np.array_equal(value_array(a), value_array(b)))
