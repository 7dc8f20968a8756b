"""`octcompress train`, `octcompress student` and `octcompress distill`."""

from __future__ import annotations

import argparse
from typing import Any

from pyoctcompress.cli.common import (
    Commands,
    Result,
    add_data,
    add_output,
    changed,
    command,
    data_of,
    options_of,
)

TRAINING = (
    "loss",
    "epochs",
    "batch_size",
    "optimizer",
    "learning_rate",
    "momentum",
    "weight_decay",
    "schedule",
    "seed",
    "validation",
    "patience",
    "checkpoint",
    "resume",
)


def add(commands: Commands) -> None:
    """Add the commands of this module."""
    _add_train(commands)
    _add_student(commands)
    _add_distill(commands)


def _add_train(commands: Commands) -> None:
    parser = command(
        commands,
        "train",
        _train,
        "train a model; pruned zeros and grids are kept",
        "small.mat --data mnist.mat -o tuned.mat --epochs 3 --optimizer adam",
    )
    parser.add_argument("model", metavar="MODEL.mat")
    add_output(parser, "train")
    parser.add_argument("--loss", metavar="LOSS", help="(crossentropy)")
    add_training(parser)
    add_data(parser, "train", required=True)


def _add_student(commands: Commands) -> None:
    parser = command(
        commands,
        "student",
        _student,
        "make a smaller network out of the most important units of a large one",
        "large.mat -o small.mat --width 0.5",
    )
    parser.add_argument("teacher", metavar="TEACHER.mat")
    add_output(parser, "student")
    parser.add_argument("--width", type=float, metavar="S", help="share of the units, 0 to 1")
    parser.add_argument("--depth", type=float, metavar="S", help="share of the layers, 0 to 1")
    parser.add_argument("--bytes", type=float, metavar="B", help="instead of width: of the weights")


def _add_distill(commands: Commands) -> None:
    parser = command(
        commands,
        "distill",
        _distill,
        "train a student to answer as its teacher does",
        "large.mat small.mat --data mnist.mat -o distilled.mat --loss kl --temperature 4",
    )
    parser.add_argument("teacher", metavar="TEACHER.mat")
    parser.add_argument("student", metavar="STUDENT.mat")
    add_output(parser, "distill")
    parser.add_argument(
        "--loss",
        help="on the logits: mse, mae, kl, reverse_kl, jensen_shannon, cosine or none (mse)",
    )
    parser.add_argument("--temperature", type=float, metavar="T", help="of kl and its like (4)")
    parser.add_argument("--alpha", type=float, metavar="A", help="share of the teacher (0.5)")
    parser.add_argument(
        "--teacher",
        action="append",
        default=[],
        metavar="TEACHER.mat",
        dest="more_teachers",
        help="one more teacher beside the first; may be repeated",
    )
    parser.add_argument("--cache", metavar="FILE.mat", help="where the teachers' outputs are kept")
    add_training(parser)
    add_data(parser, "train", required=False)


def add_training(parser: argparse.ArgumentParser) -> None:
    """Add what training and distillation share."""
    group = parser.add_argument_group("training")
    group.add_argument("--epochs", type=int, metavar="N", help="(10)")
    group.add_argument("--batch-size", type=int, metavar="N", help="(128)")
    group.add_argument("--optimizer", help="sgd, adam or adamw (sgd)")
    group.add_argument("--learning-rate", type=float, metavar="R", help="(0.01; adam 0.001)")
    group.add_argument("--momentum", type=float, metavar="M", help="of sgd (0.9)")
    group.add_argument("--weight-decay", type=float, metavar="D", help="(0)")
    group.add_argument(
        "--schedule",
        help="of the learning rate: constant, step, exponential, cosine, onecycle (constant)",
    )
    group.add_argument("--seed", type=int, metavar="N", help="of all random numbers (0)")
    group.add_argument("--validation", type=float, metavar="S", help="the share to hold back (0)")
    group.add_argument("--patience", type=int, metavar="N", help="epochs without a better one")
    group.add_argument("--checkpoint", metavar="FILE", help="where the state is kept")
    group.add_argument("--resume", metavar="FILE", help="go on from a checkpoint")


def _train(args: argparse.Namespace) -> Result:
    options = options_of(args, *TRAINING)
    inputs = [data_of(args, args.model)]
    return changed(args, args.model, "train", [args.model], inputs, options)


def _student(args: argparse.Namespace) -> Result:
    options = options_of(args, "width", "depth", "bytes")
    return changed(args, args.teacher, "student", [args.teacher], [], options)


def _distill(args: argparse.Namespace) -> Result:
    options = options_of(args, "temperature", "alpha", "cache", *TRAINING)
    teachers: Any = args.teacher
    if args.more_teachers:
        teachers = [args.teacher, *args.more_teachers]
    inputs = [None if args.data is None else data_of(args, args.student)]
    return changed(args, args.student, "distill", [teachers, args.student], inputs, options)
