"""Losses between two networks: the reference of ``+octcompress/+distill``."""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from . import model as graph
from .internal import Array, check, describe, fail, scalar, size, value_array
from .train import squared_error


def mse(teacher_logits: Any, student_logits: Any) -> tuple[float, Array]:
    """Mean squared error of logits, with the gradient by the student's [1]_.

    Raises
    ------
    ModelError
        ``octcompress:mse:badSize``.

    References
    ----------
    .. [1] Ba and Caruana, Do deep nets really need to be deep? NIPS 2014, arXiv:1312.6184.
    """
    if size(teacher_logits) != size(student_logits):
        fail(
            "mse",
            "badSize",
            "TEACHER_LOGITS and STUDENT_LOGITS must have the same size, but are "
            f"{describe(teacher_logits)} and {describe(student_logits)}",
        )
    return squared_error(value_array(student_logits), value_array(teacher_logits))


def kl(teacher_logits: Any, student_logits: Any, temperature: Any) -> tuple[float, Array]:
    """Kullback-Leibler divergence of softened outputs, with the gradient by the student's logits.

    Parameters
    ----------
    teacher_logits, student_logits : array
        K x N, what goes into the softmax.
    temperature : float
        T, above 0.

    Returns
    -------
    loss : float
        T^2 / N * sum over k and n of p * (log (p) - log (q)), where p = softmax (teacher / T) and
        q = softmax (student / T); T^2 keeps the gradient's size when T changes [1]_.
    gradient : array
        T / N * (q - p).

    Raises
    ------
    OctcompressError
        ``octcompress:kl:badSize``, ``badValue``.

    References
    ----------
    .. [1] Hinton, Vinyals and Dean, Distilling the knowledge in a neural network, 2015,
       arXiv:1503.02531.
    """
    if size(teacher_logits) != size(student_logits) or len(size(student_logits)) > 2:
        fail(
            "kl",
            "badSize",
            "TEACHER_LOGITS and STUDENT_LOGITS must have the same size, K x N, but are "
            f"{describe(teacher_logits)} and {describe(student_logits)}",
        )
    check("kl", "temperature", temperature, "number", (np.finfo(np.float64).tiny, np.inf))
    t = scalar(temperature)
    log_p = log_softmax(value_array(teacher_logits) / t)
    log_q = log_softmax(value_array(student_logits) / t)
    p = np.exp(log_p)
    count = p.shape[1]
    loss = t**2 / count * float((p * (log_p - log_q)).astype(np.float64).sum())
    return loss, (t / count) * (np.exp(log_q) - p)


def log_softmax(z: Array) -> Array:
    """Logarithm of the softmax of each column."""
    z = z - z.max(axis=0)
    return z - np.log(np.exp(z).sum(axis=0))


def logits(
    caller: str, teacher: graph.Model, plan: graph.Plan, x: Array, batch_size: int = 256
) -> Array:
    """Compute a teacher's outputs for all observations, without a final softmax.

    Raises
    ------
    ModelError
        ``octcompress:CALLER:notFinite``.
    """
    layers = teacher["layers"][: len(plan.types)]
    count = x.shape[graph.observation_axis(x)]
    parts = []
    for first in range(0, count, batch_size):
        which = slice(first, min(first + batch_size, count))
        parts.append(graph.forward(plan, layers, graph.take_batch(x, teacher, which))[0][0])
    t = np.concatenate(parts, axis=graph.observation_axis(parts[0]))
    if not np.isfinite(t).all():
        fail(
            caller,
            "notFinite",
            "the outputs of TEACHER are not all finite on X; scale X as it was in the teacher's "
            "training",
        )
    return t
