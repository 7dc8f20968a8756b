"""`octcompress compress`, `octcompress sensitivity` and `octcompress recipes`."""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from typing import Any

from pyoctcompress.cli.common import (
    Commands,
    Result,
    add_data,
    add_settings,
    command,
    count,
    data_of,
    layer_names,
    options_of,
    plain,
    positive,
)
from pyoctcompress.progress import Bar


def add(commands: Commands) -> None:
    """Add the commands of this module."""
    _add_compress(commands)
    _add_sensitivity(commands)
    _add_recipes(commands)


def _size(text: str) -> float:
    """Read a number of bytes: 30000, 30KB (1000 bytes each), 30KiB, 1.5MB."""
    found = re.fullmatch(r"([\d.]+)\s*(|B|KB|KiB|MB|MiB)", text.strip(), re.IGNORECASE)
    if not found:
        raise argparse.ArgumentTypeError(f"must be a size as 30000, 30KB or 30KiB, but is {text!r}")
    unit = {"": 1, "b": 1, "kb": 1e3, "kib": 2**10, "mb": 1e6, "mib": 2**20}
    return positive(str(float(found[1]) * unit[found[2].lower()]))


def _duration(text: str) -> float:
    """Read a time: 90, 90s, 10m, 1.5h."""
    found = re.fullmatch(r"([\d.]+)\s*([smh]?)", text.strip())
    if not found:
        raise argparse.ArgumentTypeError(f"must be a time as 90s, 10m or 1h, but is {text!r}")
    return positive(str(float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]]))


def _add_compress(commands: Commands) -> None:
    parser = command(
        commands,
        "compress",
        _compress,
        "find what makes the file small and keeps the accuracy: you say how much may be lost",
        "lenet300.mat --data mnist.mat --max-drop 0.5 -o small.mat",
    )
    parser.add_argument("model", metavar="MODEL.mat")
    parser.add_argument(
        "-o", "--output", required=True, metavar="OUT.mat", help="the coded file to write"
    )
    goal = parser.add_argument_group("goal (one or more)")
    goal.add_argument(
        "--max-drop", type=float, metavar="P", help="points of accuracy that may be lost"
    )
    goal.add_argument("--max-bytes", type=_size, metavar="N", help="of the file: 30000, 30KB")
    goal.add_argument(
        "--recipe", metavar="R", help="no search: a ready recipe's name, a .yaml or .json file"
    )
    parser.add_argument(
        "--no-training", action="store_false", dest="training", default=None, help="only fit"
    )
    parser.add_argument("--epochs", type=count, metavar="N", help="of each training (12)")
    parser.add_argument(
        "--candidates", type=count, metavar="N", help="recipes to try, at the most (5)"
    )
    parser.add_argument(
        "--time", type=_duration, metavar="T", help="begin no recipe after 90s, 10m, 1h (no limit)"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="of all random numbers (0)")
    parser.add_argument(
        "--checkpoint", metavar="FILE", help="the search's state; the same command goes on there"
    )
    parser.add_argument(
        "--unseen",
        action="store_false",
        dest="seen",
        default=None,
        help="the model was not trained on these data",
    )
    add_settings(parser, "compress")
    add_data(parser, "train", required=True)


_COMPRESS = (
    "max_drop",
    "max_bytes",
    "recipe",
    "training",
    "epochs",
    "candidates",
    "time",
    "seed",
    "checkpoint",
    "seen",
)


def _compress(args: argparse.Namespace) -> Result:
    from pyoctcompress.compressing import compress

    if args.backend == "numpy":
        from pyoctcompress.errors import OptionError

        raise OptionError(
            "nn_compress: the search runs in Octave only; leave --backend out",
            "octcompress:nn_compress:badValue",
        )
    before = os.path.getsize(args.model)
    earlier = _stamp(args.output)
    start = time.monotonic()
    try:
        with Bar() as bar:
            _, info = compress(
                args.model,
                data_of(args, args.model),
                output=args.output,
                timeout=args.timeout,
                progress=bar,
                **options_of(args, *_COMPRESS),
            )
    except KeyboardInterrupt:
        if _stamp(args.output) == earlier:
            raise
        text = f"interrupted; the best file so far is {args.output}"
        print(f"octcompress: {text}", file=sys.stderr)
        result = {"output": args.output, "interrupted": True, "bytes": _stamp(args.output)[1]}
        return result, text, 130
    seconds = time.monotonic() - start
    result = {
        "model": args.model,
        "output": args.output,
        "seconds": seconds,
        "model_bytes": before,
        **info,
    }
    return result, _told(args, info, before, seconds), 0


def _stamp(path: str) -> tuple[int, int]:
    """Give time and size of a file; zeros where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


def _told(args: argparse.Namespace, info: dict[str, Any], before: int, seconds: float) -> str:
    """Tell what was tried and what came out."""
    accuracy = [100 * float(a) for a in info["accuracy"].ravel()]
    lines = [f"{'tried':>5}  {'bytes':>9}  {'expected':>9}  {'drop':>6}  recipe"]
    for k, row in enumerate(info["tried"]):
        steps = " ".join(step["step"] for step in row["recipe"])
        expected = f"{row['predicted']['bytes']:,.0f}".replace("nan", "")
        lines.append(
            f"{k + 1:5d}  {row['bytes']:9,.0f}  {expected:>9}  {row['drop']:6.2f}  {steps}"
        )
    bytes = float(info["bytes"])
    lines += [
        "",
        _yaml_of(info["recipe"]).rstrip(),
        "",
        f"bytes on disk  {before:,} -> {bytes:,.0f}  ({before / bytes:.1f} times less)",
        f"accuracy       {accuracy[0]:.2f}% -> {accuracy[1]:.2f}%  (on data that it was judged by)",
        f"{args.output} written in {seconds:.0f} s",
    ]
    return "\n".join(lines)


def _yaml_of(recipe: Any) -> str:
    import yaml

    return str(yaml.safe_dump(plain(recipe), sort_keys=False, width=90, default_flow_style=None))


def _add_sensitivity(commands: Commands) -> None:
    parser = command(
        commands,
        "sensitivity",
        _sensitivity,
        "show what each layer loses when it alone is compressed",
        "lenet300.mat --data mnist.mat -o curves.png",
    )
    parser.add_argument("model", metavar="MODEL.mat")
    parser.add_argument("--bits", type=layer_names, metavar="A,B", help="(2,3,...,8)")
    parser.add_argument(
        "--sparsity", type=_numbers, metavar="A,B", help="shares of zeros, with each of the bits"
    )
    parser.add_argument(
        "--rank", type=_numbers, metavar="A,B", help="ranks, in shares of the full one"
    )
    parser.add_argument("--layers", type=layer_names, metavar="A,B", help="(all)")
    parser.add_argument(
        "-o", "--output", metavar="OUT", help="also write the curves: .mat, .csv, .png or .svg"
    )
    add_data(parser, "train", required=True)


def _numbers(text: str) -> list[float]:
    try:
        return [float(number) for number in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be numbers as 0,0.5, but is {text!r}") from None


def _sensitivity(args: argparse.Namespace) -> Result:
    from pyoctcompress.curves import write_curves
    from pyoctcompress.methods import sensitivity

    args.limit = args.limit or 4000
    options = options_of(args, "bits", "sparsity", "rank", "layers", settings=False)
    report = sensitivity(args.model, data_of(args, args.model), backend=args.backend, **options)
    text = str(report["text"]).rstrip()
    if args.output is not None:
        write_curves(report, args.output)
        text += f"\n{args.output} written"
    return report, text, 0


def _add_recipes(commands: Commands) -> None:
    parser = command(
        commands, "recipes", _recipes, "list the ready recipes, or print one as YAML", "tiny"
    )
    parser.add_argument("name", nargs="?", metavar="NAME")


def _recipes(args: argparse.Namespace) -> Result:
    from pyoctcompress.reference.search import ready_recipe, ready_recipes

    if args.name is not None:
        recipe = ready_recipe(args.name)
        return recipe, _yaml_of(recipe).rstrip(), 0
    known = ready_recipes()
    width = max(len(name) for name in known)
    lines = [
        f"{name:{width}}  {', '.join(step['step'] for step in recipe)}"
        for name, recipe in known.items()
    ]
    return known, "\n".join(lines), 0
