"""The verb prune_train: the reference of ``nn_prune_train.m``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from . import model as graph
from .distill import kl
from .distill_cache import Read
from .distill_teachers import all_outputs, teach, teachers
from .internal import Array, check, fail, is_empty, scalar, value_array, vector_text
from .nn_prune import prune
from .nn_train import validation_source
from .prune import movement_score, scheduled_sparsity
from .train_data import Loss, Place, Source, cut, data_source, training_options
from .train_loop import loop

CALLER = "nn_prune_train"
State = dict[str, Any]


def prune_train(model: Any, x: Any, y: Any, **options: Any) -> tuple[graph.Model, dict[str, Any]]:
    """Prune a network while it trains.

    Parameters
    ----------
    model : dict
        A network with weights, mostly trained.
    x, y : arrays
        As `train` takes them.
    **options
        Those of `train`, and sparsity, initial_sparsity, schedule_prune, begin_step, end_step,
        frequency, power, rounds, prune (a dict of options of `prune`), regrowth, rewind, distill,
        teacher, temperature: see the help of ``nn_prune_train``.

    Returns
    -------
    model : dict
    info : dict
        As `train` gives it, and sparsity: [step, share] at each change of the masks, in rows.
    """
    own: dict[str, Any] = {
        "sparsity": 0.9,
        "initial_sparsity": 0.0,
        "schedule_prune": "polynomial",
        "begin_step": 0.0,
        "end_step": None,
        "frequency": 100.0,
        "power": 3.0,
        "rounds": 5.0,
        "prune": [],
        "regrowth": False,
        "rewind": None,
        "distill": 0.0,
        "teacher": None,
        "temperature": 4.0,
        "loss": "crossentropy",
        "label_smoothing": 0.0,
        "class_weights": None,
        "huber_delta": 1.0,
    }
    options = training_options(CALLER, own, options)
    check_options(options)
    model = graph.tidy(CALLER, model)
    dropped: dict[str, tuple[str, ...]] = {
        "crossentropy": ("softmax", "logsoftmax"),
        "binary_crossentropy": ("sigmoid",),
    }
    plan = cut(CALLER, model, dropped.get(options["loss"], ()))
    if is_empty(y):
        fail(CALLER, "empty", "Y must not be empty; nn_distill needs no labels")
    source = data_source(CALLER, model, plan, x, y, options, ("X", "Y"))
    validation = validation_source(CALLER, model, plan, options)
    if scalar(options["distill"]) > 0:
        teacher = model
        if not is_empty(options["teacher"]):
            teacher = other_teacher(model, plan, options["teacher"], dropped["crossentropy"])
        source = replace(source, loss=with_teacher(model, teacher, source, options))

    share = 1 - scalar(options["validation"])
    per_epoch = math.ceil(math.floor(share * source.count) / scalar(options["batch_size"]))
    begin = scalar(options["begin_step"])
    end = options["end_step"]
    if is_empty(end):
        end = begin + math.floor(2 / 3 * max(scalar(options["epochs"]) * per_epoch - begin, 0))
    schedule = {
        "schedule": options["schedule_prune"],
        "initial": scalar(options["initial_sparsity"]),
        "final": scalar(options["sparsity"]),
        "begin_step": begin,
        "end_step": scalar(end),
        "frequency": scalar(options["frequency"]),
        "power": scalar(options["power"]),
        "rounds": scalar(options["rounds"]),
    }
    given = options["prune"] if isinstance(options["prune"], Mapping) else pairs(options["prune"])
    settings = {"scope": "global", **given}
    check_settings(settings, options)
    work = Schedule(model, schedule, settings, options, len(plan.types))
    start = work.start()
    source = replace(source, after_step=work.after_step)
    trained, info = loop(CALLER, start, plan, source, validation, options)
    info["sparsity"] = work.changes(int(info["steps"]))
    pruned = {f"{trained['layers'][k]['name']}.weights" for k in work.chosen}
    for row in info["layers"]:
        row["pruned"] = row["tensor"] in pruned
    return work.with_promise(trained), info


def pairs(cell: Any) -> dict[str, Any]:
    """Make a cell of names and values a dict."""
    return {} if is_empty(cell) else dict(zip(cell[::2], cell[1::2], strict=True))


def check_options(options: Mapping[str, Any]) -> None:
    """Refuse values that `prune_train` cannot use."""
    check(CALLER, "sparsity", options["sparsity"], "number", (0, 1))
    check(CALLER, "initial_sparsity", options["initial_sparsity"], "number", (0, 1))
    names = ["polynomial", "agp", "linear", "oneshot", "iterative"]
    check(CALLER, "schedule_prune", options["schedule_prune"], "choice", names)
    check(CALLER, "begin_step", options["begin_step"], "integer", (0, math.inf))
    if not is_empty(options["end_step"]):
        check(CALLER, "end_step", options["end_step"], "integer", (0, math.inf))
    check(CALLER, "frequency", options["frequency"], "integer", (1, math.inf))
    check(CALLER, "power", options["power"], "number", (0, 100))
    check(CALLER, "rounds", options["rounds"], "integer", (1, 1e4))
    check(CALLER, "regrowth", options["regrowth"], "flag")
    if not is_empty(options["rewind"]):
        check(CALLER, "rewind", options["rewind"], "integer", (0, math.inf))
    check(CALLER, "distill", options["distill"], "number", (0, 1))
    losses = ["crossentropy", "binary_crossentropy", "mse", "mae", "huber"]
    check(CALLER, "loss", options["loss"], "choice", losses)
    check(CALLER, "label_smoothing", options["label_smoothing"], "number", (0, 1))
    check(CALLER, "huber_delta", options["huber_delta"], "number", (1e-12, 1e12))
    check(CALLER, "temperature", options["temperature"], "number", (1e-3, 1e3))


def check_settings(settings: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    """Refuse options that do not go with a schedule."""
    for name in settings:
        if name in ("sparsity", "threshold", "keep", "target_macs", "target_bytes", "bias"):
            fail(
                CALLER,
                "badValue",
                f"PRUNE cannot have the option '{name}': SPARSITY and the schedule say how much "
                "is removed",
            )
    if not is_empty(options["checkpoint"]) or not is_empty(options["resume"]):
        fail(
            CALLER,
            "badValue",
            "CHECKPOINT and RESUME do not go with a schedule; train on afterwards with nn_train, "
            "which keeps the zeros",
        )
    if scalar(options["distill"]) > 0 and options["loss"] != "crossentropy":
        fail(CALLER, "badValue", "DISTILL goes with the loss 'crossentropy' only")


def other_teacher(
    model: graph.Model, plan: graph.Plan, teacher: graph.Model, dropped: tuple[str, ...]
) -> graph.Model:
    """Check a teacher that is not the model itself."""
    teacher = graph.tidy(CALLER, teacher)
    teacher_plan = cut(CALLER, teacher, dropped)
    own, other = (
        (graph.input_size(network), network_plan.sizes[network_plan.outputs[0]])
        for network, network_plan in ((model, plan), (teacher, teacher_plan))
    )
    if own != other:
        fail(
            CALLER,
            "sizesDiffer",
            f"MODEL goes from [{vector_text(own[0])}] to [{vector_text(own[1])}], but TEACHER from "
            f"[{vector_text(other[0])}] to [{vector_text(other[1])}]; they must be the same",
        )
    return teacher


def with_teacher(
    model: graph.Model, teacher: graph.Model, source: Source, options: Mapping[str, Any]
) -> Loss:
    """Mix a loss with the imitation of a teacher (Hinton et al., arXiv:1503.02531)."""
    group = teachers(CALLER, [teacher], None, [])
    kind = graph.float_class(model)
    t, share = scalar(options["temperature"]), scalar(options["distill"])
    own_loss = source.loss
    assert own_loss is not None
    read: Read | None = None
    if is_empty(options["augmentation"]):
        read, _ = all_outputs(CALLER, group, source.x, kind, "")

    def loss(outputs: list[Array], which: Array, x: Array) -> tuple[float, list[Array]]:
        value, d = own_loss(outputs, which, x)
        theirs = teach(group, x, None, kind) if read is None else read(which)
        divergence, toward = kl(theirs, outputs[0].reshape(theirs.shape, order="F"), t)
        value = (1 - share) * value + share * divergence
        return value, [(1 - share) * d[0] + share * toward.reshape(d[0].shape, order="F")]

    return loss


class Schedule:
    """Masks that change in training: what `after_step` of the training loop does.

    Attributes
    ----------
    masks : dict
        Of layer numbers: the weights that stay; only of layers that are pruned.
    latent, last, movement : dicts
        Of the same layers: weights behind the masks (regrowth), weights before the step, and the
        movement so far.
    """

    def __init__(
        self,
        model: graph.Model,
        schedule: Mapping[str, Any],
        settings: Mapping[str, Any],
        options: Mapping[str, Any],
        count: int,
    ) -> None:
        self.model, self.schedule, self.settings = model, schedule, settings
        self.options, self.count = options, count
        self.by_movement = settings.get("criterion") == "movement"
        self.regrowth = bool(options["regrowth"])
        self.rewind = None if is_empty(options["rewind"]) else int(scalar(options["rewind"]))
        self.movement: dict[int, Array] = {}
        self.chosen = list(self.masks_at(model, 0.0))
        self.masks: dict[int, Array] = {}
        self.latent = {k: value_array(model["layers"][k]["weights"]) for k in self.chosen}
        self.last = dict(self.latent)
        self.movement = {k: np.zeros(w.shape) for k, w in self.latent.items()}
        self.early: list[graph.Layer] = model["layers"][:count]
        self.is_first = True

    def masks_at(self, model: graph.Model, share: float) -> dict[int, Array]:
        """Ask `prune` for the masks at a share."""
        settings = dict(self.settings)
        if self.by_movement:
            order = iter(list(self.movement))

            def by_movement(w: Array) -> Array:
                return self.movement[next(order)] if self.movement else np.zeros(w.shape)

            settings["criterion"] = by_movement
        pruned, info = prune(model, **settings, sparsity=share)
        names = {row["tensor"] for row in info["layers"]}
        return {
            k: value_array(layer["weights"]) != 0
            for k, layer in enumerate(pruned["layers"])
            if f"{layer['name']}.weights" in names
        }

    def start(self) -> graph.Model:
        """Give the model at step 0, pruned where the schedule begins there."""
        share, _ = scheduled_sparsity(0, self.schedule)
        if share == 0 or self.by_movement:
            return self.model
        self.masks = self.masks_at(self.model, share)
        layers = list(self.model["layers"])
        for k, mask in self.masks.items():
            w = value_array(layers[k]["weights"])
            layers[k] = {**layers[k], "weights": np.where(mask, w, w.dtype.type(0))}
        return {**self.model, "layers": layers}

    def after_step(self, state: State, places: list[Place]) -> None:
        """Bring masks and weights up to date after a step of training."""
        layers = state["layers"]
        for k in self.chosen:
            w = layers[k]["weights"]
            if self.by_movement:
                moved = movement_score(self.last[k], w - self.last[k])
                self.movement[k] = self.movement[k] + moved.astype(float)
            if self.regrowth:
                mask = self.masks.get(k)
                shown = self.latent[k] if mask is None else self.latent[k] * mask
                self.latent[k] = w if mask is None else self.latent[k] + (w - shown)
        share, due = scheduled_sparsity(state["step"], self.schedule)
        if due:
            self.change(state, places, share)
        if due or self.is_first or self.regrowth:
            self.apply(state, places)
        if self.rewind is not None and state["step"] == self.rewind:
            self.early = list(state["layers"])
        self.last = {k: state["layers"][k]["weights"] for k in self.chosen}
        self.is_first = False

    def change(self, state: State, places: list[Place], share: float) -> None:
        """Make new masks; the best epoch is one after them, and weights may go back."""
        layers = [dict(layer) for layer in [*state["layers"], *self.model["layers"][self.count :]]]
        if self.regrowth:
            for k in self.chosen:
                layers[k]["weights"] = self.latent[k]
        self.masks = self.masks_at({**self.model, "layers": layers}, share)
        if self.by_movement and not self.regrowth:
            for k, mask in self.masks.items():
                self.movement[k] = np.where(mask, self.movement[k], -np.inf)
        state["best"]["epoch"] = 0
        if self.rewind is not None and state["step"] > self.rewind:
            for p, place in enumerate(places):
                k, field = place.layer, place.field
                state["layers"][k] = {**state["layers"][k], field: self.early[k][field]}
                state["first"][p] = np.zeros_like(state["first"][p])
                state["second"][p] = np.zeros_like(state["second"][p])

    def apply(self, state: State, places: list[Place]) -> None:
        """Set what is masked to zero; without regrowth it gets no gradient and no momentum."""
        for p, place in enumerate(places):
            k = place.layer
            if place.field != "weights" or k not in self.masks:
                continue
            mask = self.masks[k]
            layer = state["layers"][k]
            w = self.latent[k] if self.regrowth else layer["weights"]
            if self.regrowth:
                place.keep = None
            else:
                place.keep = mask.astype(w.dtype)
                state["first"][p] = np.where(mask, state["first"][p], 0).astype(w.dtype)
                state["second"][p] = np.where(mask, state["second"][p], 0).astype(w.dtype)
            state["layers"][k] = {**layer, "weights": np.where(mask, w, w.dtype.type(0))}
            if state["latent"][p] is not None:
                latent = state["latent"][p]
                state["latent"][p] = np.where(mask, latent, latent.dtype.type(0))

    def with_promise(self, model: graph.Model) -> graph.Model:
        """Write what was pruned beside the weights."""
        model = graph.copy_tree(model)
        for k in self.chosen:
            w = value_array(model["layers"][k]["weights"])
            promise = {
                "criterion": "magnitude",
                "structure": "weight",
                "scope": "global",
                "rule": "schedule",
                "amount": scalar(self.options["sparsity"]),
                "limit": 0.0,
                "zeros": float(w.size - np.count_nonzero(w)),
            }
            for name in ("criterion", "structure", "scope"):
                if name in self.settings:
                    promise[name] = self.settings[name]
            model["layers"][k].setdefault("pruning", {})["weights"] = promise
        return model

    def changes(self, steps: int) -> Array:
        """List the steps at which the masks changed, with their shares."""
        rows = []
        for step in range(steps + 1):
            share, due = scheduled_sparsity(step, self.schedule)
            if due:
                rows.append([float(step), share])
        return np.array(rows).reshape(-1, 2)
