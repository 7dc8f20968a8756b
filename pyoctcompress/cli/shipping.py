"""`octcompress export`."""

from __future__ import annotations

import argparse

from pyoctcompress.cli.common import Commands, Result, add_data, command, data_of, options_of


def add(commands: Commands) -> None:
    """Add the command of this module."""
    parser = command(
        commands,
        "export",
        _export,
        "write a network for another runtime, or back into its source's layout, and compare",
        "small.mat small.tflite --data mnist.mat",
    )
    parser.add_argument("model", metavar="MODEL.mat")
    parser.add_argument("output", metavar="OUT", help=".onnx, .tflite, .c, .safetensors, .h5, .mat")
    parser.add_argument(
        "--target", help="onnx, tflite, c, source, safetensors or mat73 (by the ending of OUT)"
    )
    parser.add_argument(
        "--source", metavar="FILE", help="what the model was made of, where it has moved"
    )
    parser.add_argument(
        "--precision", help="float, weights or integer (the most that the model's grids allow)"
    )
    parser.add_argument("--opset", type=int, metavar="N", help="of ONNX (17; int4 from 21)")
    parser.add_argument("--storage", help="of weights in C: dense, sparse, packed or auto (auto)")
    parser.add_argument("--name", help="what the C functions begin with (the file's name)")
    parser.add_argument("--requantization", help="in C: double or single rounding (double)")
    parser.add_argument("--no-check", action="store_true", help="do not run the file")
    add_data(parser, "test", required=False)


def _export(args: argparse.Namespace) -> Result:
    from pyoctcompress.exporters import export
    from pyoctcompress.exporters.compare import report

    names = ("target", "precision", "opset", "storage", "name", "requantization", "source")
    result = export(
        args.model,
        args.output,
        data=None if args.data is None else data_of(args, args.model),
        check=not args.no_check,
        backend=args.backend,
        timeout=args.timeout,
        **options_of(args, *names, settings=False),
    )
    return result, report(result), 0
