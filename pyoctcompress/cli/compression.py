"""`octcompress prune`, `octcompress quantize` and `octcompress rdoq`."""

from __future__ import annotations

import argparse

from pyoctcompress.cli.common import (
    Commands,
    Result,
    add_data,
    add_layers,
    add_output,
    add_selection,
    calibration_of,
    changed,
    command,
    options_of,
)


def add(commands: Commands) -> None:
    """Add the commands of this module."""
    _add_prune(commands)
    _add_quantize(commands)
    _add_rdoq(commands)


def _add_prune(commands: Commands) -> None:
    parser = command(
        commands,
        "prune",
        _prune,
        "set the least important weights to zero",
        "lenet300.mat -o small.mat --sparsity 0.9 --scope global",
    )
    parser.add_argument("model", metavar="MODEL.mat")
    add_output(parser, "prune")
    rule = parser.add_mutually_exclusive_group()
    rule.add_argument("--sparsity", type=float, metavar="S", help="the share to zero, 0 to 1")
    rule.add_argument("--threshold", type=float, metavar="T", help="zero |w| below T times SCALE")
    parser.add_argument("--scale", help="what T is relative to: max, std or none (max)")
    parser.add_argument(
        "--scope", help="each layer by itself, or all as one: layer, global (layer)"
    )
    parser.add_argument("--criterion", help="what importance is (magnitude)")
    parser.add_argument("--structure", help="what is removed as a whole (weight)")
    add_selection(parser)
    add_data(parser, "train", required=False)


def _add_quantize(commands: Commands) -> None:
    parser = command(
        commands,
        "quantize",
        _quantize,
        "put the weights, and with --data also the activations, on a grid of n bits",
        "lenet300.mat -o small.mat --bits 4 --granularity channel --data mnist.mat",
    )
    parser.add_argument("model", metavar="MODEL.mat")
    add_output(parser, "quantize")
    parser.add_argument("--bits", type=int, metavar="B", help="1 to 16 (8)")
    parser.add_argument("--scheme", help="symmetric, affine, ... (symmetric)")
    parser.add_argument("--granularity", help="what shares a scale: tensor, channel, ... (tensor)")
    parser.add_argument("--activation-bits", type=int, metavar="B", help="1 to 16 (8)")
    parser.add_argument("--activation-scheme", help="affine or symmetric (affine)")
    add_selection(parser)
    add_data(parser, "train", required=False)


def _add_rdoq(commands: Commands) -> None:
    parser = command(
        commands,
        "rdoq",
        _rdoq,
        "put all weights on grids so that coded bytes and error are least together",
        "lenet300.mat -o small.mat --data mnist.mat --bytes 20000 --coding auto",
    )
    parser.add_argument("model", metavar="MODEL.mat")
    add_output(parser, "rdoq")
    rule = parser.add_mutually_exclusive_group()
    rule.add_argument(
        "--tradeoff",
        type=float,
        metavar="T",
        help="the share of the outputs' power that one bit a weight is worth (0.02)",
    )
    rule.add_argument("--bytes", type=int, metavar="N", help="at most N bytes when packed")
    rule.add_argument(
        "--max-drop",
        type=float,
        metavar="D",
        help="the share of held-out observations that may get another class",
    )
    add_layers(parser)
    add_data(parser, "train", required=False)


def _prune(args: argparse.Namespace) -> Result:
    options = options_of(
        args,
        "sparsity",
        "threshold",
        "scale",
        "scope",
        "criterion",
        "structure",
        "layers",
        "bias",
    )
    options.update(calibration_of(args, "data", "labels"))
    return changed(args, args.model, "prune", [args.model], [], options)


def _quantize(args: argparse.Namespace) -> Result:
    options = options_of(
        args,
        "bits",
        "scheme",
        "granularity",
        "activation_bits",
        "activation_scheme",
        "layers",
        "bias",
    )
    options.update(calibration_of(args, "data"))
    return changed(args, args.model, "quantize", [args.model], [], options)


def _rdoq(args: argparse.Namespace) -> Result:
    options = options_of(args, "tradeoff", "bytes", "max_drop", "layers")
    options.update(calibration_of(args, "data"))
    return changed(args, args.model, "rdoq", [args.model], [], options)
