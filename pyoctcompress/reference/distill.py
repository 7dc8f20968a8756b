"""Losses between two networks, each with its gradient by the student's values.

The reference of the losses of ``+octcompress/+distill``; the help texts there have the formulas.
Scalars are Python floats, so that an array of singles stays single.
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np

from .internal import Array, check, describe, fail, scalar, size, value_array
from .train import absolute_error, huber, squared_error

Loss = tuple[float, Array]


def check_pair(caller: str, name: str, teacher: Any, student: Any, columns: bool = False) -> None:
    """Refuse what a loss cannot compare: other sizes, or with `columns` other numbers of columns.

    Raises
    ------
    OctcompressError
        ``octcompress:CALLER:badSize``.
    """
    shapes = size(teacher), size(student)
    wanted, fine = "the same size", shapes[0] == shapes[1]
    if columns:
        wanted = "F x N, with the same N"
        fine = all(len(s) == 2 for s in shapes) and shapes[0][1] == shapes[1][1]
    if not fine:
        fail(
            caller,
            "badSize",
            f"TEACHER_{name} and STUDENT_{name} must have {wanted}, but are {describe(teacher)} "
            f"and {describe(student)}",
        )


# On logits.


def mse(teacher_logits: Any, student_logits: Any) -> Loss:
    """Mean squared error of logits [1]_.

    References
    ----------
    .. [1] Ba and Caruana, Do deep nets really need to be deep? NIPS 2014, arXiv:1312.6184.
    """
    check_pair("mse", "LOGITS", teacher_logits, student_logits)
    return squared_error(value_array(student_logits), value_array(teacher_logits))


def mae(teacher_logits: Any, student_logits: Any) -> Loss:
    """Mean magnitude of the difference of logits."""
    check_pair("mae", "LOGITS", teacher_logits, student_logits)
    return absolute_error(value_array(student_logits), value_array(teacher_logits))


def cosine(teacher_logits: Any, student_logits: Any) -> Loss:
    """One less the cosine of the angle between the columns [1]_; that with zeros is 0.

    References
    ----------
    .. [1] Sanh et al., DistilBERT, 2019, arXiv:1910.01108.
    """
    check_pair("cosine", "LOGITS", teacher_logits, student_logits)
    t, s = value_array(teacher_logits), value_array(student_logits)
    t, _ = unit(t, 0)
    s, lengths = unit(s, 0)
    cosines = (t * s).sum(axis=0, keepdims=True)
    loss = float((1 - cosines).astype(np.float64).sum()) / s.shape[1]
    return loss, (cosines * s - t) / (s.shape[1] * lengths)


def unit(z: Array, axis: int) -> tuple[Array, Array]:
    """Divide by the norms along an axis, and give these; that of zeros is infinite."""
    lengths = np.sqrt((z**2).sum(axis=axis, keepdims=True))
    lengths = np.where(lengths == 0, z.dtype.type(np.inf), lengths)
    return z / lengths, lengths


def softened(
    caller: str, teacher_logits: Any, student_logits: Any, temperature: Any
) -> tuple[float, Array, Array]:
    """Check two arrays of logits; gives T and the logarithms of their softened probabilities."""
    check_pair(caller, "LOGITS", teacher_logits, student_logits)
    check(caller, "temperature", temperature, "number", (np.finfo(np.float64).tiny, np.inf))
    t = scalar(temperature)
    return t, log_softmax(teacher_logits, t), log_softmax(student_logits, t)


def log_softmax(logits: Any, temperature: Any) -> Array:
    """Logarithm of the softened probabilities of each column."""
    z = value_array(logits) / scalar(temperature)
    z = z - z.max(axis=0)
    return z - np.log(np.exp(z).sum(axis=0))


def kl(teacher_logits: Any, student_logits: Any, temperature: Any) -> Loss:
    """Kullback-Leibler divergence of softened outputs.

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

    References
    ----------
    .. [1] Hinton, Vinyals and Dean, Distilling the knowledge in a neural network, 2015,
       arXiv:1503.02531.
    """
    t, log_p, log_q = softened("kl", teacher_logits, student_logits, temperature)
    p, count = np.exp(log_p), log_p.shape[1]
    loss = t**2 / count * float((p * (log_p - log_q)).astype(np.float64).sum())
    return loss, (t / count) * (np.exp(log_q) - p)


def reverse_kl(teacher_logits: Any, student_logits: Any, temperature: Any) -> Loss:
    """Divergence of the teacher's softened outputs from the student's [1]_.

    References
    ----------
    .. [1] Gu et al., MiniLLM, ICLR 2024, arXiv:2306.08543.
    """
    t, log_p, log_q = softened("reverse_kl", teacher_logits, student_logits, temperature)
    q, count = np.exp(log_q), log_p.shape[1]
    each = q * (log_q - log_p)
    loss = t**2 / count * float(each.astype(np.float64).sum())
    return loss, (t / count) * (each - q * each.sum(axis=0))


def jensen_shannon(teacher_logits: Any, student_logits: Any, temperature: Any) -> Loss:
    """Divergence of both softened outputs from their mean [1]_.

    References
    ----------
    .. [1] Lin, Divergence measures based on the Shannon entropy, IEEE Trans. Inf. Theory 37, 1991.
    """
    t, log_p, log_q = softened("jensen_shannon", teacher_logits, student_logits, temperature)
    count = log_p.shape[1]
    larger = np.maximum(log_p, log_q)
    log_m = larger + np.log((np.exp(log_p - larger) + np.exp(log_q - larger)) / 2)
    q_part = np.exp(log_q) * (log_q - log_m)
    each = np.exp(log_p) * (log_p - log_m) + q_part
    loss = t**2 / (2 * count) * float(each.astype(np.float64).sum())
    return loss, (t / (2 * count)) * (q_part - np.exp(log_q) * q_part.sum(axis=0))


# On features of inner layers.


def hint(teacher_features: Any, student_features: Any) -> Loss:
    """Half the mean squared error of features (FitNets [1]_).

    References
    ----------
    .. [1] Romero et al., FitNets: hints for thin deep nets, ICLR 2015, arXiv:1412.6550.
    """
    check_pair("hint", "FEATURES", teacher_features, student_features)
    loss, gradient = squared_error(value_array(student_features), value_array(teacher_features))
    return loss / 2, gradient / 2


def attention(teacher_features: Any, student_features: Any) -> Loss:
    """Attention transfer: where in an image the features are large, C x P x N [1]_.

    References
    ----------
    .. [1] Zagoruyko and Komodakis, Paying more attention to attention, ICLR 2017, arXiv:1612.03928.
    """
    t, s = three_dims(teacher_features), three_dims(student_features)
    if t.shape[1:] != s.shape[1:]:
        fail(
            "attention",
            "badSize",
            "TEACHER_FEATURES and STUDENT_FEATURES must be C x P x N, with the same P and N, but "
            f"are {describe(teacher_features)} and {describe(student_features)}",
        )
    a, _ = unit((t**2).sum(axis=0, keepdims=True), 1)
    b, lengths = unit((s**2).sum(axis=0, keepdims=True), 1)
    difference = b - a
    loss = float((difference.astype(np.float64) ** 2).sum()) / s.shape[2]
    d = (2 / s.shape[2]) * difference
    d = (d - b * (d * b).sum(axis=1, keepdims=True)) / lengths
    return loss, (2 * s * d).reshape(size(student_features))


def three_dims(features: Any) -> Array:
    """Make features C x P x N, where N may be a trailing 1 that was dropped."""
    array = value_array(features)
    return array.reshape(array.shape + (1,) * (3 - array.ndim))


def similarity(teacher_features: Any, student_features: Any) -> Loss:
    """Similarity-preserving distillation: products of each two observations [1]_.

    References
    ----------
    .. [1] Tung and Mori, Similarity-preserving knowledge distillation, ICCV 2019, arXiv:1907.09682.
    """
    check_pair("similarity", "FEATURES", teacher_features, student_features, True)
    t, s = value_array(teacher_features), value_array(student_features)
    count = s.shape[1]
    a, _ = unit(t.T @ t, 1)
    b, lengths = unit(s.T @ s, 1)
    difference = b - a
    loss = float((difference.astype(np.float64) ** 2).sum()) / count**2
    d = (2 / count**2) * difference
    d = (d - b * (d * b).sum(axis=1, keepdims=True)) / lengths
    return loss, s @ (d + d.T)


def rkd_distance(teacher_features: Any, student_features: Any) -> Loss:
    """Relational distillation: distances of each two observations [1]_.

    References
    ----------
    .. [1] Park et al., Relational knowledge distillation, CVPR 2019, arXiv:1904.05068.
    """
    check_pair("rkd_distance", "FEATURES", teacher_features, student_features, True)
    t, s = value_array(teacher_features), value_array(student_features)
    count = s.shape[1]
    pairs = count * (count - 1)
    a, b = distances(t), distances(s)
    if pairs == 0 or not a.any() or not b.any():
        return 0.0, np.zeros_like(s)
    mean_a, mean_b = a.sum() / pairs, b.sum() / pairs
    loss, d = huber(b / mean_b, a / mean_a)
    loss, d = loss * count / (count - 1), d * (count / (count - 1))
    d = d / mean_b - (d * b).sum() / (mean_b**2 * pairs)
    # The distance of an observation to itself, and to its twin, has no derivative.
    w = np.divide(d, b, out=np.zeros_like(b), where=b > 0)
    return loss, 2 * (s * w.sum(axis=0) - s @ w)


def distances(z: Array) -> Array:
    """Find the Euclidean distances between columns."""
    squares = (z**2).sum(axis=0)
    d = squares + squares[:, np.newaxis] - 2 * (z.T @ z)
    np.fill_diagonal(d, 0)
    return np.sqrt(np.maximum(d, 0))


def rkd_angle(teacher_features: Any, student_features: Any) -> Loss:
    """Relational distillation: angles between each three observations [1]_.

    References
    ----------
    .. [1] Park et al., Relational knowledge distillation, CVPR 2019, arXiv:1904.05068.
    """
    check_pair("rkd_angle", "FEATURES", teacher_features, student_features, True)
    t, s = value_array(teacher_features), value_array(student_features)
    count = s.shape[1]
    triplets = count * (count - 1) * (count - 2)
    loss, gradient = 0.0, np.zeros_like(s)
    if triplets == 0:
        return loss, gradient
    for j in range(count):
        a, _ = unit(t - t[:, j : j + 1], 0)
        b, lengths = unit(s - s[:, j : j + 1], 0)
        e = b.T @ b - a.T @ a
        np.fill_diagonal(e, 0)
        value, clipped = huber(e, np.zeros_like(e))
        loss += value * count**2 / triplets
        d = b @ clipped * (2 * count**2 / triplets)
        d = (d - b * (d * b).sum(axis=0)) / lengths
        gradient += d
        gradient[:, j] -= d.sum(axis=1)
    return loss, gradient
