"""The public verbs on plain data, under the names of the Octave functions without ``nn_``.

Options and defaults are the same; no verb changes its arguments.
"""

from __future__ import annotations

from .nn_calibrate import calibrate
from .nn_check import check
from .nn_correct import correct
from .nn_distill import distill
from .nn_equalize import equalize
from .nn_evaluate import evaluate
from .nn_fold import fold
from .nn_info import info
from .nn_lowrank import lowrank
from .nn_mixed import mixed
from .nn_new import new
from .nn_pack import pack, unpack
from .nn_predict import predict
from .nn_prune import prune
from .nn_prune_train import prune_train
from .nn_quantize import quantize
from .nn_quantize_train import quantize_train
from .nn_rdoq import rdoq
from .nn_sensitivity import sensitivity
from .nn_shrink import shrink
from .nn_student import student
from .nn_train import train

__all__ = [
    "calibrate",
    "check",
    "correct",
    "distill",
    "equalize",
    "evaluate",
    "fold",
    "info",
    "lowrank",
    "mixed",
    "new",
    "pack",
    "predict",
    "prune",
    "prune_train",
    "quantize",
    "quantize_train",
    "rdoq",
    "sensitivity",
    "shrink",
    "student",
    "train",
    "unpack",
]
