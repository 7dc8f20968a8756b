"""`octcompress info`, `evaluate`, `pack` and `unpack`."""

from __future__ import annotations

import argparse
import os

from pyoctcompress.cli.common import (
    Commands,
    Result,
    add_coding,
    add_data,
    command,
    data_of,
    options_of,
)


def add(commands: Commands) -> None:
    """Add the commands of this module."""
    _add_info(commands)
    _add_evaluate(commands)
    _add_packing(commands)


def _add_info(commands: Commands) -> None:
    parser = command(commands, "info", _info, "list the layers of a model", "lenet300.mat")
    parser.add_argument("model", metavar="MODEL.mat")


def _add_evaluate(commands: Commands) -> None:
    parser = command(
        commands,
        "evaluate",
        _evaluate,
        "tell how well a model classifies: accuracy, top k, AUC",
        "small.mat --data mnist.mat",
    )
    parser.add_argument("model", metavar="MODEL.mat")
    parser.add_argument("--top-k", type=int, metavar="K", help="of the figure top_k (5)")
    parser.add_argument(
        "--auc", action="store_true", default=None, help="the area under the curve of each class"
    )
    parser.add_argument("--batch-size", type=int, metavar="N", help="(256)")
    add_data(parser, "test", required=True)


def _add_packing(commands: Commands) -> None:
    for name, run, help, example in (
        ("pack", _pack, "write a model, or any .mat file, as a packed file", "a.mat -o small.mat"),
        ("unpack", _unpack, "write a packed file as an ordinary one", "small.mat -o a.mat"),
    ):
        parser = command(commands, name, run, help, example)
        parser.add_argument("model", metavar="IN.mat")
        parser.add_argument(
            "-o", "--output", required=True, metavar="OUT.mat", help="the file to write"
        )
        if name == "pack":
            add_coding(parser, "auto")


def _info(args: argparse.Namespace) -> Result:
    from pyoctcompress import api

    found = api.info(args.model, backend=args.backend, timeout=args.timeout)
    text = f"{found['text'].rstrip()}\n{args.model}: {found['file_bytes']:,.0f} bytes"
    return {"model": args.model, **found}, text, 0


def _evaluate(args: argparse.Namespace) -> Result:
    from pyoctcompress import api

    options = options_of(args, "batch_size", "top_k", "auc", settings=False)
    found = api.evaluate(
        args.model,
        data_of(args, args.model),
        backend=args.backend,
        timeout=args.timeout,
        **options,
    )
    text = (
        f"accuracy  {100 * found['accuracy']:.2f}%  ({found['correct']:.0f} of "
        f"{found['count']:.0f})\nerror     {100 * found['error']:.2f}%\n"
        f"top {options.get('top_k', 5)}     {100 * found['top_k']:.2f}%\n"
        f"loss      {found['loss']:.6g}"
    )
    if "auc" in found:
        text += f"\nAUC       {found['auc']:.6g}"
    return {"model": args.model, "data": args.data, **found}, text, 0


def _pack(args: argparse.Namespace) -> Result:
    return _rewritten(args, args.coding)


def _unpack(args: argparse.Namespace) -> Result:
    return _rewritten(args, "none")


def _rewritten(args: argparse.Namespace, coding: str) -> Result:
    """Write a model again in another coding."""
    before = os.path.getsize(args.model)
    from pyoctcompress import api, files
    from pyoctcompress.octave import Keep, lend

    if args.backend == "octave":
        path = os.path.abspath(args.model)
        with lend() as session:
            keep = [Keep(args.output, coding=coding)]
            session.call("nn_load", path, timeout=args.timeout, keep=keep)
    else:
        files.save(args.output, files.load(args.model), coding=coding)
    found = api.info(args.output, backend=args.backend, timeout=args.timeout)
    text = f"{args.output}: {found['file_bytes']:,.0f} bytes, before {before:,}"
    return {"model": args.model, "before": before, "output": args.output, **found}, text, 0
