"""`octcompress convert`."""

from __future__ import annotations

import argparse
import json
import os
from typing import Any

from pyoctcompress.cli.common import Commands, Result, command


def add(commands: Commands) -> None:
    """Add the command of this module."""
    parser = command(
        commands,
        "convert",
        _convert,
        "make a .mat file of a model of another framework or layout, and compare",
        "lenet.onnx lenet.mat --mean 0.1307 --std 0.3081",
    )
    parser.add_argument(
        "input",
        metavar="IN",
        help="ONNX, TFLite, Keras, PyTorch's state_dict, safetensors, any .mat file",
    )
    parser.add_argument("output", metavar="OUT.mat", help="the file to write")
    parser.add_argument("--compress", action="store_true", help="deflate the file (MATLAB -v7)")
    parser.add_argument(
        "--layers",
        type=_layers,
        metavar="A,B",
        help="the order of the layers, where the source does not tell it, as "
        "conv1,relu,maxpool,2,flatten,fc1; or a YAML or JSON file",
    )
    parser.add_argument(
        "--activation", metavar="TYPE", help="between the layers of a chain of dense layers"
    )
    parser.add_argument(
        "--input-size", type=_numbers, metavar="H,W,C", help="where the source does not tell it"
    )
    for name, help in (
        ("mean", "of the input; the first layer is then (x - mean) / std"),
        ("std", "of the input"),
        ("scale", "the first layer is scale * x + offset"),
        ("offset", "of that layer"),
    ):
        parser.add_argument(f"--{name}", type=_numbers, metavar="N[,N]", help=help)
    parser.add_argument(
        "--no-check", action="store_true", help="do not run the source's own runtime"
    )


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be numbers, but is {text!r}") from None


def _layers(text: str) -> Any:
    if os.path.exists(text):
        return text
    items: list[Any] = []
    for part in text.split(","):
        try:
            items.append(json.loads(part))
        except json.JSONDecodeError:
            items.append(part)
    return items


def _convert(args: argparse.Namespace) -> Result:
    from pyoctcompress.importers import convert

    names = ("layers", "activation", "input_size", "mean", "std", "scale", "offset")
    options = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    output, info = convert(
        args.input, args.output, compress=args.compress, verify=not args.no_check, **options
    )
    size = os.path.getsize(output)
    what = info["layout"] or info["source"]
    lines = [f"{args.input}: {what}, {info['bytes']:,} bytes"]
    if info["kind"] == "tensors":
        lines.append("no network, but named tensors, which can be pruned, quantized and packed")
        if info["reason"]:
            lines.append(f"why: {info['reason']}")
    else:
        lines.append(f"{info['layers']} layers, {info['parameters']:,} parameters")
        lines.append(info["check"]["text"])
    lines += [f"left out: {one}" for one in info["left_out"]]
    lines.append(f"{args.output} written, {size:,} bytes")
    return {"output": args.output, "file_bytes": size, **info}, "\n".join(lines), 0
