"""What the commands share: their options, their data, and how a change is told."""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from pyoctcompress.errors import OctcompressError
from pyoctcompress.progress import Bar

Commands = Any  # argparse's type for them is private
Result = tuple[Any, str, int]

# How many observations calibrate the activations' grids unless --limit says otherwise.
CALIBRATION = 1000


def command(
    commands: Commands, name: str, run: Callable[[Any], Result], help: str, example: str = ""
) -> argparse.ArgumentParser:
    """Add a command with the options that all commands have."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=help,
        description=help[0].upper() + help[1:] + ".",
        epilog=f"Example: octcompress {name} {example}".rstrip(),
    )
    parser.set_defaults(run=run)
    general = parser.add_argument_group("general")
    if name not in ("convert", "crosscheck", "doctor"):
        general.add_argument(
            "--backend",
            choices=["octave", "numpy"],
            default="octave",
            help="where it is computed (octave)",
        )
    general.add_argument("--json", action="store_true", help="print the result as JSON")
    if name != "convert":  # it needs no Octave
        general.add_argument(
            "--timeout",
            type=positive,
            metavar="SECONDS",
            help="stop Octave after so many seconds (no limit)",
        )
    return parser


def positive(text: str) -> float:
    """Read a number above 0."""
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"must be above 0, but is {text}")
    return value


def count(text: str) -> int:
    """Read a whole number of 1 or more."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, but is {text}")
    return value


def setting(text: str) -> tuple[str, Any]:
    """Read NAME=VALUE; the value is JSON, or else text."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE, but is {text!r}")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def layer_names(text: str) -> list[Any]:
    """Read names or numbers of layers."""
    names = [name for name in text.split(",") if name]
    return [int(name) for name in names] if all(n.isdigit() for n in names) else list(names)


def add_output(parser: argparse.ArgumentParser, verb: str) -> None:
    """Add what the commands that write a model have."""
    parser.add_argument(
        "-o", "--output", required=True, metavar="OUT.mat", help="the file to write"
    )
    parser.add_argument("--compress", action="store_true", help="deflate the file (MATLAB -v7)")
    add_coding(parser, "none")
    add_settings(parser, verb)


def add_settings(parser: argparse.ArgumentParser, verb: str) -> None:
    """Add what reaches the options that have no argument of their own."""
    parser.add_argument(
        "--set",
        action="append",
        type=setting,
        default=[],
        metavar="NAME=VALUE",
        dest="settings",
        help=f"any other option of nn_{verb}; VALUE is JSON or text",
    )


def add_coding(parser: argparse.ArgumentParser, default: str) -> None:
    """Add how a file is coded."""
    parser.add_argument(
        "--coding",
        choices=["none", "auto", "huffman", "rans"],
        default=default,
        help=f"none: an ordinary .mat file; the others: a packed one, far smaller ({default})",
    )


def add_layers(parser: argparse.ArgumentParser) -> None:
    """Add the choice of layers."""
    parser.add_argument(
        "--layers", type=layer_names, metavar="A,B", help="names or numbers of the layers (all)"
    )


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Add the choice of layers and of vectors."""
    add_layers(parser)
    parser.add_argument(
        "--bias", action="store_true", default=None, help="biases and other vectors too"
    )


def add_data(parser: argparse.ArgumentParser, part: str, required: bool) -> None:
    """Add the options of a data file."""
    group = parser.add_argument_group("data")
    group.add_argument(
        "--data", required=required, metavar="D.mat", help="X and Y, or train_x ... test_y"
    )
    group.add_argument(
        "--part", choices=["train", "test"], default=part, help=f"which part of it ({part})"
    )
    group.add_argument("--limit", type=count, metavar="N", help="the first N observations only")
    group.add_argument(
        "--pixel-order",
        choices=["row", "column"],
        default="row",
        help="order of the pixels of images that are stored as rows (row)",
    )


def options_of(args: argparse.Namespace, *names: str, settings: bool = True) -> dict[str, Any]:
    """Collect the options that the user gave; the verb has the defaults and checks the values."""
    found = {name: getattr(args, name) for name in names if getattr(args, name, None) is not None}
    return {**found, **dict(args.settings)} if settings else found


def data_of(args: argparse.Namespace, model: str) -> Any:
    """Make the data file an argument; rows of pixels become images where the model takes images."""
    from pyoctcompress import modelfile
    from pyoctcompress.datafile import DataFile

    size: Any = ()
    with contextlib.suppress(OctcompressError):  # the verb says what is wrong with the file
        size = modelfile.read(model, ["input_size"])[0].get("input_size", ())
    image = getattr(size, "size", 0) == 3
    return DataFile(
        args.data,
        args.part,
        limit=args.limit or math.inf,
        input_size=[int(n) for n in size.ravel()] if image else (),
        pixel_order=args.pixel_order,
    )


def calibration_of(args: argparse.Namespace, *names: str) -> dict[str, Any]:
    """Make the data file, where there is one, the calibration data of some options."""
    if args.data is None:
        return {}
    args.limit = args.limit or CALIBRATION
    return dict.fromkeys(names, data_of(args, args.model))


def changed(
    args: argparse.Namespace,
    model: str,
    verb: str,
    models: list[Any],
    inputs: list[Any],
    options: dict[str, Any],
) -> Result:
    """Run a verb from file to file, and tell what became of the model."""
    import pyoctcompress as oc

    settings = {"backend": args.backend, "timeout": args.timeout}
    before = oc.info(model, **settings)
    size = os.path.getsize(model)
    start = time.monotonic()
    extra: dict[str, Any] = {}
    with Bar() as bar:
        if inputs:
            extra["progress"] = bar
        function = getattr(oc, verb)
        _, figures = function(
            *models,
            *inputs,
            output=args.output,
            compress=args.compress,
            coding=args.coding,
            **settings,
            **extra,
            **options,
        )
    seconds = time.monotonic() - start
    after = oc.info(args.output, **settings)
    interrupted = figures.get("stopped") == "interrupted"
    new_size = os.path.getsize(args.output)
    result = {
        "command": verb,
        "model": model,
        "output": args.output,
        "backend": args.backend,
        "seconds": seconds,
        "interrupted": interrupted,
        "before": {**before["totals"], "file_bytes": size},
        "after": {**after["totals"], "file_bytes": new_size},
        "info": figures,
    }
    lines = [after["text"].rstrip(), "", _totals(result["before"], result["after"])]
    if "history" in figures:
        lines.append(_last_epoch(figures["history"]))
    lines.append(f"{args.output} written in {seconds:.1f} s")
    if interrupted:
        print("octcompress: interrupted; what there was is saved", file=sys.stderr)
    return result, "\n".join(line for line in lines if line is not None), 130 * interrupted


def _totals(before: dict[str, Any], after: dict[str, Any]) -> str:
    """Set the sizes of two models side by side."""
    rows = [("", "before", "after")]
    for key, label in (
        ("parameters", "parameters"),
        ("nonzeros", "nonzeros"),
        ("bits", "bits per weight"),
        ("bytes", "bytes of codes"),
        ("file_bytes", "bytes on disk"),
    ):
        form = "{:,.1f}" if key == "bits" else "{:,.0f}"
        rows.append((label, form.format(before[key]), form.format(after[key])))
    widths = [max(len(row[k]) for row in rows) for k in range(3)]
    return "\n".join(f"{a:{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}" for a, b, c in rows)


def _last_epoch(history: dict[str, Any]) -> str:
    """Show the last row of a training's history."""
    shown = []
    for name, row in history.items():
        values = plain(row)
        values = values[-1] if isinstance(values, list) and values else values
        values = values[-1] if isinstance(values, list) and values else values
        if isinstance(values, int | float):
            shown.append(f"{name} {values:.4g}")
    return "last epoch: " + ", ".join(shown)


def plain(value: Any) -> Any:
    """Turn a result into what JSON can hold; large arrays become a word on their size."""
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    if hasattr(value, "tolist"):
        if getattr(value, "size", 1) > 20000:
            return f"{' x '.join(map(str, value.shape))} {value.dtype}"
        return plain(value.tolist())
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            return str(value)
        return int(value) if value == int(value) and abs(value) < 2**53 else value
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return [plain(item) for item in value]
