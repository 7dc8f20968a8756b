"""The public verbs on plain data, under the names of the Octave functions without ``nn_``.

Options and defaults are the same; no verb changes its arguments.
"""

from __future__ import annotations

from .nn_distill import distill
from .nn_info import info
from .nn_predict import evaluate, predict
from .nn_prune import prune
from .nn_quantize import quantize
from .nn_train import train

__all__ = ["distill", "evaluate", "info", "predict", "prune", "quantize", "train"]
