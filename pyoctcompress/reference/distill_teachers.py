"""Teachers, features and the mixed loss of a distillation.

The reference of the rest of ``+octcompress/+distill``.
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from . import distill as losses
from . import model as graph
from .distill_cache import Read, cache_layout, fingerprint, open_cache, write_cache
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
from .layers.common import channels_of
from .train import initial_weights
from .train_data import Loss, Source, cut, data_source

SOFTMAX = ("softmax", "logsoftmax")
SOFT = {
    "kl": losses.kl,
    "reverse_kl": losses.reverse_kl,
    "jensen_shannon": losses.jensen_shannon,
}
HARD = {"mse": losses.mse, "mae": losses.mae, "cosine": losses.cosine}
LOGIT_LOSSES = ["mse", "mae", "kl", "reverse_kl", "jensen_shannon", "cosine", "none"]
OF_FEATURES = {
    "hint": losses.hint,
    "attention": losses.attention,
    "rkd_distance": losses.rkd_distance,
    "rkd_angle": losses.rkd_angle,
    "similarity": losses.similarity,
}

Call = Callable[..., tuple[float, Array]]
Answers = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Output:
    """What a teacher gives: the size of one observation, and its rows among all outputs."""

    size: list[int]
    rows: slice


@dataclass(frozen=True)
class Member:
    """A teacher: its plan gives the logits, and then the layers that features name."""

    model: graph.Model
    plan: graph.Plan
    weight: float
    outputs: list[Output]


@dataclass(frozen=True)
class Feature:
    """A loss between a layer of a teacher and one of the student."""

    call: Call
    weight: float
    output: Output


def tidy_named(caller: str, name: str, model: Any) -> graph.Model:
    """Tidy a network; the error names which of several is none."""
    if not graph.is_network(model):
        fail(
            caller,
            "notModel",
            f"{name} must be a struct with a cell LAYERS of structs that have a TYPE, but is "
            f"{describe(model)}",
        )
    return graph.tidy(caller, model)


def read_features(caller: str, given: Any, teachers: int) -> list[dict[str, Any]]:
    """Check the option features; gives dicts with all fields."""
    if is_empty(given):
        given = []
    elif isinstance(given, Mapping):
        given = [given]
    if not isinstance(given, (list, tuple)) or not all(isinstance(f, Mapping) for f in given):
        fail(
            caller,
            "badValue",
            "FEATURES must be a struct or a cell of structs with loss, teacher and student, but is "
            f"{describe(given)}",
        )
    found = []
    for one in given:
        defaults = {"loss": "hint", "teacher": "", "student": "", "weight": 1.0, "from": 1.0}
        one = parse_options(caller, defaults, one)
        if is_empty(one["student"]):
            one["student"] = one["teacher"]
        if not callable(one["loss"]):
            check(caller, "the loss of features", one["loss"], "choice", list(OF_FEATURES))
        check(caller, "the teacher's layer of features", one["teacher"], "text")
        check(caller, "the student's layer of features", one["student"], "text")
        check(caller, "the weight of features", one["weight"], "number", (0, 1e9))
        check(caller, "from", one["from"], "integer", (1, teachers))
        found.append(one)
    return found


def find_layers(
    caller: str, who: str, model: graph.Model, plan: graph.Plan, names: list[str]
) -> list[int]:
    """Find layers up to the output by their names."""
    known = [layer["name"] for layer in model["layers"][: len(plan.types)]]
    for name in names:
        if name not in known:
            fail(
                caller,
                "unknownLayer",
                f"FEATURES names the layer '{name}' of {who}, but its layers up to the output are "
                f"{', '.join(known)}",
            )
    return [known.index(name) for name in names]


def teachers(
    caller: str, given: list[Any], weights: Any, features: list[dict[str, Any]]
) -> list[Member]:
    """Check teachers and make them ready to answer."""
    shares = np.ones(len(given)) if is_empty(weights) else value_array(weights)
    fine = class_name(shares) not in ("char", "cell", "struct", "logical")
    fine = fine and len(given) > 0 and shares.size == len(given)
    if not fine or not np.isfinite(shares).all() or (shares < 0).any() or not shares.any():
        fail(
            caller,
            "badValue",
            f"TEACHER_WEIGHTS must be {len(given)} numbers of 0 or more, not all 0, but is "
            f"{describe(shares if is_empty(weights) else weights)}",
        )
    shares = np.ravel(shares).astype(float) / float(shares.astype(float).sum())
    members, row = [], 0
    for i, one in enumerate(given):
        model = tidy_named(caller, "TEACHER", one)
        plan = cut(caller, model, SOFTMAX)
        names = [f["teacher"] for f in features if scalar(f["from"]) == i + 1]
        plan.outputs.extend(find_layers(caller, "TEACHER", model, plan, names))
        outputs = []
        for k in plan.outputs:
            rows = math.prod(plan.sizes[k])
            outputs.append(Output(plan.sizes[k], slice(row, row + rows)))
            row += rows
        members.append(Member(model, plan, float(shares[i]), outputs))
    return members


def to_features(y: Array) -> Array:
    """Make a layer's outputs channels x places x observations."""
    if y.ndim == 2:
        return y[:, np.newaxis]
    if y.ndim == 3:
        return y.transpose(0, 2, 1)
    channels, count = y.shape[2:]
    return y.transpose(2, 1, 0, 3).reshape(channels, -1, count, order="F")


def from_features(features: Array, out_size: list[int]) -> Array:
    """Make channels x places x observations a layer's outputs again."""
    if len(out_size) == 1:
        return features.reshape(out_size[0], -1, order="F")
    if len(out_size) == 2:
        return features.reshape(*out_size, -1, order="F").transpose(0, 2, 1)
    h, w, c = out_size
    return features.reshape(c, w, h, -1, order="F").transpose(2, 1, 0, 3)


def in_columns(features: Array) -> Array:
    """Make channels x places x observations a column for each observation."""
    return features.reshape(-1, features.shape[-1], order="F")


def teach(group: list[Member], x: Array, which: Array | None, kind: Any) -> Array:
    """Compute what all teachers give, one after the other, an observation a column.

    `x` is a batch where `which` is None.
    """
    parts = []
    for member in group:
        batch = x.astype(graph.float_class(member.model))
        if which is not None:
            batch = graph.take_batch(x, member.model, which)
        layers = member.model["layers"][: len(member.plan.types)]
        outputs, _ = graph.forward(member.plan, layers, batch)
        parts += [in_columns(to_features(y)).astype(kind) for y in outputs]
    return np.concatenate(parts)


def all_outputs(
    caller: str, group: list[Member], x: Array, kind: Any, file: str
) -> tuple[Read, float]:
    """Compute the teachers' outputs for all observations once, or read them from a cache.

    Returns
    -------
    read : callable
        ``read (which)`` gives their columns.
    total : float
        Changes with the outputs.

    Raises
    ------
    OctcompressError
        ``octcompress:CALLER:notFinite``, ``cacheMismatch``, ``notWritten``.
    """
    count = x.shape[graph.observation_axis(x)]
    rows = group[-1].outputs[-1].rows.stop

    def outputs(which: Array) -> Array:
        values = teach(group, x, which, kind)
        if not np.isfinite(values).all():
            fail(
                caller,
                "notFinite",
                "the outputs of TEACHER are not all finite on X; scale X as it was in the "
                "teacher's training",
            )
        return values

    read: Read
    if is_empty(file):
        steps = [np.arange(k, min(k + 256, count)) for k in range(0, count, 256)]
        whole = np.concatenate([outputs(which) for which in steps], axis=1)

        def read(which: Array) -> Array:
            return whole[:, which]
    else:
        kept = ("layers", "input_size", "quantization")
        models = [{k: v for k, v in m.model.items() if k in kept} for m in group]
        places = [np.array([m.plan.outputs], float) + 1 for m in group]
        width = float(np.dtype(kind).itemsize)
        marks = [fingerprint(x), fingerprint(models), fingerprint(places), width]
        mark = np.array([1.0, count, *marks])
        layout = cache_layout(rows, count, kind)
        try:
            open(file, "rb").close()
        except FileNotFoundError:
            write_cache(caller, file, mark, layout, outputs)
        read = open_cache(caller, file, mark, layout)
    sample = read(np.arange(0, count, max(1, count // 100)))
    return read, float(np.cumsum(sample.astype(float).reshape(-1, order="F"))[-1])


def attach_features(
    caller: str,
    student: graph.Model,
    plan: graph.Plan,
    group: list[Member],
    given: list[dict[str, Any]],
    seed: Any,
) -> tuple[graph.Model, graph.Plan, list[Feature]]:
    """Make named layers of a student outputs, with learnt projections where widths differ.

    The projections of hints [1]_ stand after the layer that gives the logits.

    References
    ----------
    .. [1] Romero et al., FitNets: hints for thin deep nets, ICLR 2015, arXiv:1412.6550.
    """
    if not given:
        return student, plan, []
    random = np.random.RandomState([int(scalar(seed))])
    names = [one["student"] for one in given]
    places = find_layers(caller, "STUDENT", student, plan, names)
    taken = [layer["name"] for layer in student["layers"]]
    last = len(plan.types)
    kind = graph.float_class(student)
    extra: list[graph.Layer] = []
    features = []
    waiting = [iter(member.outputs[1:]) for member in group]
    for k, (one, place) in enumerate(zip(given, places, strict=True)):
        output = next(waiting[int(scalar(one["from"])) - 1])
        own = plan.sizes[place]
        require_fit(caller, one, output.size, own)
        features.append(Feature(call_of(one["loss"]), scalar(one["weight"]), output))
        wide, narrow = channels_of(output.size), channels_of(own)
        if one["loss"] != "hint" or wide == narrow:
            continue
        image = len(own) == 3
        sizes = (1, 1, narrow, wide) if image else (wide, narrow)
        name = f"hint_{k + 1}"
        while name in taken:
            name += "_"
        layer = {
            "type": "conv2d" if image else "dense",
            "weights": initial_weights(random, sizes).astype(kind),
            "weights_size": np.array([sizes], float),
            "bias": np.zeros((wide, 1), kind),
            "name": name,
            "inputs": [one["student"]],
        }
        extra.append(layer)
        names[k] = name
    rest = [dict(layer) for layer in student["layers"][last:]]
    if rest and "inputs" not in rest[0]:
        rest[0]["inputs"] = [taken[last - 1]]
    outputs = [taken[k] for k in graph.plan(caller, student).outputs]
    trained = [*student["layers"][:last], *extra]
    model = {**student, "layers": [*trained, *rest], "outputs": outputs}
    part = {**model, "layers": trained, "outputs": [taken[last - 1], *names]}
    return model, graph.plan(caller, part), features


def require_fit(caller: str, one: Mapping[str, Any], theirs: list[int], own: list[int]) -> None:
    """Refuse features whose places a loss cannot compare."""
    loss = one["loss"]
    if loss not in ("hint", "attention"):
        return

    def places_of(out_size: list[int]) -> list[int]:
        return out_size[:-1] if len(out_size) == 3 else out_size[1:]

    fits = len(theirs) == len(own) and places_of(theirs) == places_of(own)
    wanted = "of the same height and width (or steps)"
    if loss == "attention":
        fits = fits and len(own) > 1
        wanted = "images or sequences " + wanted
    if not fits:
        fail(
            caller,
            "sizesDiffer",
            f"the loss '{loss}' needs features {wanted}, but layer '{one['teacher']}' of TEACHER "
            f"gives [{vector_text(theirs)}] and '{one['student']}' of STUDENT [{vector_text(own)}]",
        )


def call_of(loss: Any) -> Call:
    """Give the function of a loss on features; it takes channels x places x observations."""
    if callable(loss):
        return loss
    function = OF_FEATURES[loss]
    if loss in ("hint", "attention"):
        return function

    def columns(t: Array, s: Array) -> tuple[float, Array]:
        value, gradient = function(in_columns(t), in_columns(s))
        return value, gradient.reshape(s.shape, order="F")

    return columns


def logit_loss(loss: Any) -> Call | None:
    """Give the function of a loss on logits; it takes the teacher's, the student's and T."""
    if loss == "none":
        return None
    if isinstance(loss, str) and loss in SOFT:
        return SOFT[loss]
    function = loss if callable(loss) else HARD[loss]

    def without_temperature(t: Array, s: Array, temperature: float) -> tuple[float, Array]:
        value, gradient = function(t, s)
        if size(value) != (1, 1) or size(gradient) != size(s):
            fail(
                "nn_distill",
                "badValue",
                "LOSS must give a number and a gradient of the size of the student's outputs, "
                f"{describe(s)}, but gave {describe(value)} and {describe(gradient)}",
            )
        return value, gradient

    return without_temperature


def at_moment(ends: Any, ramp: str, moment: float) -> float:
    """Give a number that goes from its first to its last value in the course of training."""
    values = np.ravel(value_array(ends)).astype(float)
    if values.size == 1:
        return float(values[0])
    if ramp == "cosine":
        moment = (1 - math.cos(math.pi * moment)) / 2
    return float(values[0] + (values[1] - values[0]) * moment)


def make_source(
    caller: str,
    group: list[Member],
    model: graph.Model,
    plan: graph.Plan,
    features: list[Feature],
    x: Any,
    y: Any,
    options: Mapping[str, Any],
    cache: str,
    name: tuple[str, str],
) -> Source:
    """Check observations, and make the loss of the student's outputs on them."""
    wanted = {
        "loss": "crossentropy",
        "augmentation": options["augmentation"],
        "label_smoothing": 0.0,
        "class_weights": None,
    }
    single = replace(plan, outputs=plan.outputs[:1])
    source = data_source(caller, model, single, x, y, wanted, name)
    least = float(np.min(value_array(options["alpha"])))
    if source.loss is None and least < 1:
        message = f"ALPHA must be 1 where {name[1]} is left out, but is {number(least)}"
        fail(caller, "badValue", message)
    kind = graph.float_class(model)
    total = source.check
    if options["augmentation"] is None:
        read, more = all_outputs(caller, group, source.x, kind, cache)
        total += more

        def answers(which: Array, x: Array) -> Array:
            return read(which)
    else:

        def answers(which: Array, x: Array) -> Array:
            return teach(group, x, None, kind)

    there = {"teacher_loss": True, "label_loss": least < 1, "feature_loss": bool(features)}
    parts = [part for part, wanted_part in there.items() if wanted_part]
    mixed = mixed_loss(answers, group, features, source.loss, options, parts)
    scheduled = max(np.size(options["temperature"]), np.size(options["alpha"])) > 1
    return replace(
        source,
        loss=mixed(1.0),
        check=total,
        parts=parts,
        loss_at=mixed if scheduled else None,
    )


def mixed_loss(
    answers: Answers,
    group: list[Member],
    features: list[Feature],
    label_loss: Loss | None,
    options: Mapping[str, Any],
    parts: list[str],
) -> Callable[[float], Loss]:
    """Make the loss of a batch at a moment of the training, 0 to 1; see ``mixed_loss.m``."""
    call = logit_loss(options["loss"])

    def at(moment: float) -> Loss:
        alpha = at_moment(options["alpha"], options["ramp"], moment)
        temperature = at_moment(options["temperature"], options["ramp"], moment)

        def loss(outputs: list[Array], which: Array, x: Array) -> tuple[Any, list[Array]]:
            t = answers(which, x)
            value = {"teacher_loss": 0.0, "label_loss": 0.0, "feature_loss": 0.0}
            y = outputs[0]
            gradient = np.zeros_like(y)
            if alpha > 0 and call is not None:
                s = in_columns(to_features(y))
                total = np.zeros_like(s)
                for member in group:
                    each, d = call(t[member.outputs[0].rows], s, temperature)
                    value["teacher_loss"] += member.weight * each
                    total = total + (alpha * member.weight) * d
                gradient = from_features(total, own_size(y))
            if alpha < 1 and label_loss is not None:
                value["label_loss"], d_labels = label_loss(outputs, which, x)
                gradient = gradient + (1 - alpha) * d_labels[0]
            dy = [gradient]
            for one, features_of in zip(features, outputs[1:], strict=True):
                own = to_features(features_of)
                shape = one.output.size
                theirs = t[one.output.rows].reshape(channels_of(shape), -1, own.shape[2], order="F")
                each, d = one.call(theirs, own)
                value["feature_loss"] += one.weight * each
                dy.append(from_features(one.weight * d, own_size(features_of)))
            whole = alpha * value["teacher_loss"] + (1 - alpha) * value["label_loss"]
            whole += value["feature_loss"]
            return np.array([whole, *(value[part] for part in parts)]), dy

        return loss

    return at


def own_size(y: Array) -> list[int]:
    """Give the size of one observation of a layer's outputs."""
    if y.ndim == 4:
        return list(y.shape[:3])
    return [y.shape[0], *y.shape[2:]]
