"""The command `octcompress`. Only the standard library is imported until there is work to do."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from pyoctcompress._version import __version__
from pyoctcompress.errors import OctcompressError
from pyoctcompress.progress import Bar

# How many observations calibrate the activations' grids unless --limit says otherwise.
_CALIBRATION = 1000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : sequence of str, optional
        The command line without the program's name; that of the process unless given.

    Returns
    -------
    int
        0; 1 after an error, or where `doctor` or `crosscheck` found something wrong; 2 for a
        wrong command line; 130 after Ctrl-C.
    """
    args = _parser().parse_args(arguments)
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    try:
        result, text, status = args.run(args)
        print(json.dumps(_plain(result), allow_nan=False, indent=2) if args.json else text)
        sys.stdout.flush()
        return int(status)
    except KeyboardInterrupt:
        print("octcompress: interrupted; no file was changed", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (OctcompressError, OSError, MemoryError) as error:
        message = str(error) or type(error).__name__
        identifier = getattr(error, "identifier", "")
        if args.json:
            print(json.dumps({"error": {"message": message, "identifier": identifier}}, indent=2))
        print(f"octcompress: {message}", file=sys.stderr)
        return 1


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    print(f"octcompress: warning: {message}", file=sys.stderr)


# ------------------------------------------------------------------------------ the command line


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="octcompress",
        description="Prune, quantize and distil neural networks in .mat files.",
        epilog="`octcompress COMMAND --help` lists the options of a command; docs/cli.md is the "
        "guide. Where something does not work, run `octcompress doctor`.",
    )
    parser.add_argument("--version", action="version", version=f"octcompress {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (
        _add_info,
        _add_prune,
        _add_quantize,
        _add_train,
        _add_distill,
        _add_evaluate,
        _add_crosscheck,
        _add_doctor,
    ):
        add(commands)
    return parser


_Commands = Any  # argparse's type for them is private
_Result = tuple[Any, str, int]


def _command(
    commands: _Commands, name: str, run: Callable[[Any], _Result], help: str, example: str = ""
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=help,
        description=help[0].upper() + help[1:] + ".",
        epilog=f"Example: octcompress {name} {example}".rstrip(),
    )
    parser.set_defaults(run=run)
    general = parser.add_argument_group("general")
    if name not in ("crosscheck", "doctor"):
        general.add_argument(
            "--backend",
            choices=["octave", "numpy"],
            default="octave",
            help="where it is computed (octave)",
        )
    general.add_argument("--json", action="store_true", help="print the result as JSON")
    general.add_argument(
        "--timeout",
        type=_positive,
        metavar="SECONDS",
        help="stop Octave after so many seconds (no limit)",
    )
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"must be above 0, but is {text}")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, but is {text}")
    return value


def _setting(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE, but is {text!r}")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def _layer_names(text: str) -> list[Any]:
    names = [name for name in text.split(",") if name]
    return [int(name) for name in names] if all(n.isdigit() for n in names) else list(names)


def _add_output(parser: argparse.ArgumentParser, verb: str) -> None:
    parser.add_argument(
        "-o", "--output", required=True, metavar="OUT.mat", help="the file to write"
    )
    parser.add_argument("--compress", action="store_true", help="deflate the file (MATLAB -v7)")
    parser.add_argument(
        "--set",
        action="append",
        type=_setting,
        default=[],
        metavar="NAME=VALUE",
        dest="settings",
        help=f"any other option of nn_{verb}; VALUE is JSON or text",
    )


def _add_selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--layers", type=_layer_names, metavar="A,B", help="names or numbers of the layers (all)"
    )
    parser.add_argument(
        "--bias", action="store_true", default=None, help="biases and other vectors too"
    )


def _add_data(parser: argparse.ArgumentParser, part: str, required: bool) -> None:
    group = parser.add_argument_group("data")
    group.add_argument(
        "--data", required=required, metavar="D.mat", help="X and Y, or train_x ... test_y"
    )
    group.add_argument(
        "--part", choices=["train", "test"], default=part, help=f"which part of it ({part})"
    )
    group.add_argument("--limit", type=_count, metavar="N", help="the first N observations only")
    group.add_argument(
        "--pixel-order",
        choices=["row", "column"],
        default="row",
        help="order of the pixels of images that are stored as rows (row)",
    )


def _add_info(commands: _Commands) -> None:
    parser = _command(commands, "info", _info, "list the layers of a model", "lenet300.mat")
    parser.add_argument("model", metavar="MODEL.mat")


def _add_prune(commands: _Commands) -> None:
    parser = _command(
        commands,
        "prune",
        _prune,
        "set the least important weights to zero",
        "lenet300.mat -o small.mat --sparsity 0.9 --scope global",
    )
    parser.add_argument("model", metavar="MODEL.mat")
    _add_output(parser, "prune")
    rule = parser.add_mutually_exclusive_group()
    rule.add_argument("--sparsity", type=float, metavar="S", help="the share to zero, 0 to 1")
    rule.add_argument("--threshold", type=float, metavar="T", help="zero |w| below T times SCALE")
    parser.add_argument("--scale", help="what T is relative to: max, std or none (max)")
    parser.add_argument(
        "--scope", help="each layer by itself, or all as one: layer, global (layer)"
    )
    parser.add_argument("--criterion", help="what importance is (magnitude)")
    parser.add_argument("--structure", help="what is removed as a whole (weight)")
    _add_selection(parser)
    _add_data(parser, "train", required=False)


def _add_quantize(commands: _Commands) -> None:
    parser = _command(
        commands,
        "quantize",
        _quantize,
        "put the weights, and with --data also the activations, on a grid of n bits",
        "lenet300.mat -o small.mat --bits 4 --granularity channel --data mnist.mat",
    )
    parser.add_argument("model", metavar="MODEL.mat")
    _add_output(parser, "quantize")
    parser.add_argument("--bits", type=int, metavar="B", help="1 to 16 (8)")
    parser.add_argument("--scheme", help="symmetric, affine, ... (symmetric)")
    parser.add_argument("--granularity", help="what shares a scale: tensor, channel, ... (tensor)")
    parser.add_argument("--activation-bits", type=int, metavar="B", help="1 to 16 (8)")
    parser.add_argument("--activation-scheme", help="affine or symmetric (affine)")
    _add_selection(parser)
    _add_data(parser, "train", required=False)


def _add_training(parser: argparse.ArgumentParser) -> None:
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


def _add_train(commands: _Commands) -> None:
    parser = _command(
        commands,
        "train",
        _train,
        "train a model; pruned zeros and grids are kept",
        "small.mat --data mnist.mat -o tuned.mat --epochs 3 --optimizer adam",
    )
    parser.add_argument("model", metavar="MODEL.mat")
    _add_output(parser, "train")
    parser.add_argument("--loss", metavar="LOSS", help="(crossentropy)")
    _add_training(parser)
    _add_data(parser, "train", required=True)


def _add_distill(commands: _Commands) -> None:
    parser = _command(
        commands,
        "distill",
        _distill,
        "train a student to answer as its teacher does",
        "large.mat small.mat --data mnist.mat -o distilled.mat --loss kl --temperature 4",
    )
    parser.add_argument("teacher", metavar="TEACHER.mat")
    parser.add_argument("student", metavar="STUDENT.mat")
    _add_output(parser, "distill")
    parser.add_argument("--loss", help="on the logits: mse or kl (mse)")
    parser.add_argument("--temperature", type=float, metavar="T", help="of kl (4)")
    parser.add_argument("--alpha", type=float, metavar="A", help="share of the teacher (0.5)")
    _add_training(parser)
    _add_data(parser, "train", required=True)


def _add_evaluate(commands: _Commands) -> None:
    parser = _command(
        commands,
        "evaluate",
        _evaluate,
        "count how many observations a model classifies rightly",
        "small.mat --data mnist.mat",
    )
    parser.add_argument("model", metavar="MODEL.mat")
    parser.add_argument("--batch-size", type=int, metavar="N", help="(256)")
    _add_data(parser, "test", required=True)


def _add_crosscheck(commands: _Commands) -> None:
    parser = _command(
        commands,
        "crosscheck",
        _crosscheck,
        "compare Octave with NumPy on a model, step by step",
        "lenet300.mat --data mnist.mat",
    )
    parser.add_argument("model", metavar="MODEL.mat")
    _add_data(parser, "test", required=False)


def _add_doctor(commands: _Commands) -> None:
    _command(
        commands,
        "doctor",
        _doctor,
        "check Octave, its matrix product, the packages, and both backends against each other",
    )


# --------------------------------------------------------------------------------- the commands


def _info(args: argparse.Namespace) -> _Result:
    from pyoctcompress import api

    found = api.info(args.model, backend=args.backend, timeout=args.timeout)
    size = os.path.getsize(args.model)
    text = f"{found['text'].rstrip()}\n{args.model}: {size:,} bytes"
    return {"model": args.model, "file_bytes": size, **found}, text, 0


def _prune(args: argparse.Namespace) -> _Result:
    options = _options(
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
    if args.data is not None:
        args.limit = args.limit or _CALIBRATION
        options["data"] = options["labels"] = _data(args, args.model)
    return _changed(args, args.model, "prune", [args.model], [], options)


def _quantize(args: argparse.Namespace) -> _Result:
    options = _options(
        args,
        "bits",
        "scheme",
        "granularity",
        "activation_bits",
        "activation_scheme",
        "layers",
        "bias",
    )
    if args.data is not None:
        args.limit = args.limit or _CALIBRATION
        options["data"] = _data(args, args.model)
    return _changed(args, args.model, "quantize", [args.model], [], options)


_TRAINING = (
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


def _train(args: argparse.Namespace) -> _Result:
    options = _options(args, *_TRAINING)
    inputs = [_data(args, args.model)]
    return _changed(args, args.model, "train", [args.model], inputs, options)


def _distill(args: argparse.Namespace) -> _Result:
    options = _options(args, "temperature", "alpha", *_TRAINING)
    models = [args.teacher, args.student]
    inputs = [_data(args, args.student)]
    return _changed(args, args.student, "distill", models, inputs, options)


def _evaluate(args: argparse.Namespace) -> _Result:
    from pyoctcompress import api

    options = _options(args, "batch_size", settings=False)
    found = api.evaluate(
        args.model,
        _data(args, args.model),
        backend=args.backend,
        timeout=args.timeout,
        **options,
    )
    text = (
        f"accuracy  {100 * found['accuracy']:.2f}%  ({found['correct']:.0f} of "
        f"{found['count']:.0f})\nerror     {100 * found['error']:.2f}%\n"
        f"loss      {found['loss']:.6g}"
    )
    return {"model": args.model, "data": args.data, **found}, text, 0


def _crosscheck(args: argparse.Namespace) -> _Result:
    from pyoctcompress.agreement import crosscheck

    data = None if args.data is None else _data(args, args.model)
    with Bar() as bar:
        report = crosscheck(
            args.model, data, limit=args.limit or 256, timeout=args.timeout, progress=bar
        )
    width = max(len(step["step"]) for step in report["steps"])
    lines = [f"{'step':{width}}  {'largest difference':>18}  {'allowed':>9}"]
    for step in report["steps"]:
        verdict = "identical" if step["identical"] else "agrees" if step["ok"] else "DIFFERS"
        where = f"  {step['where']}" if not step["ok"] else ""
        lines.append(
            f"{step['step']:{width}}  {step['difference']:18.3g}  {step['allowed']:9.2g}  "
            f"{verdict}{where}"
        )
    lines.append("Octave and NumPy agree" if report["ok"] else "Octave and NumPy DIFFER")
    return {"model": args.model, **report}, "\n".join(lines), 0 if report["ok"] else 1


def _doctor(args: argparse.Namespace) -> _Result:
    from pyoctcompress.health import doctor

    report = doctor(args.timeout or 120.0)
    width = max(len(check["name"]) for check in report["checks"])
    lines = []
    for check in report["checks"]:
        mark = "ok   " if check["ok"] else "WRONG"
        lines.append(f"{mark}  {check['name']:{width}}  {check['found']}")
        if check["advice"]:
            lines.append(f"{'':{width + 7}}  -> {check['advice']}")
    lines.append("all is well" if report["ok"] else "something is wrong; see the lines with ->")
    return report, "\n".join(lines), 0 if report["ok"] else 1


def _changed(
    args: argparse.Namespace,
    model: str,
    verb: str,
    models: list[str],
    inputs: list[Any],
    options: dict[str, Any],
) -> _Result:
    """Run a verb from file to file, and tell what became of the model."""
    from pyoctcompress import api

    settings = {"backend": args.backend, "timeout": args.timeout}
    before = api.info(model, **settings)
    size = os.path.getsize(model)
    start = time.monotonic()
    extra: dict[str, Any] = {}
    with Bar() as bar:
        if inputs:
            extra["progress"] = bar
        function = getattr(api, verb)
        _, figures = function(
            *models,
            *inputs,
            output=args.output,
            compress=args.compress,
            **settings,
            **extra,
            **options,
        )
    seconds = time.monotonic() - start
    after = api.info(args.output, **settings)
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
        values = _plain(row)
        values = values[-1] if isinstance(values, list) and values else values
        values = values[-1] if isinstance(values, list) and values else values
        if isinstance(values, int | float):
            shown.append(f"{name} {values:.4g}")
    return "last epoch: " + ", ".join(shown)


def _options(args: argparse.Namespace, *names: str, settings: bool = True) -> dict[str, Any]:
    """Collect the options that the user gave; the verb has the defaults and checks the values."""
    found = {name: getattr(args, name) for name in names if getattr(args, name, None) is not None}
    return {**found, **dict(args.settings)} if settings else found


def _data(args: argparse.Namespace, model: str) -> Any:
    """Make the data file an argument; rows of pixels become images where the model takes images."""
    import math

    from pyoctcompress import matfile
    from pyoctcompress.datafile import DataFile

    size: Any = ()
    with contextlib.suppress(OctcompressError):  # the verb says what is wrong with the file
        size = matfile.load(model, ["input_size"]).get("input_size", ())
    image = getattr(size, "size", 0) == 3
    return DataFile(
        args.data,
        args.part,
        limit=args.limit or math.inf,
        input_size=[int(n) for n in size.ravel()] if image else (),
        pixel_order=args.pixel_order,
    )


def _plain(value: Any) -> Any:
    """Turn a result into what JSON can hold; large arrays become a word on their size."""
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if hasattr(value, "tolist"):
        if getattr(value, "size", 1) > 20000:
            return f"{' x '.join(map(str, value.shape))} {value.dtype}"
        return _plain(value.tolist())
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            return str(value)
        return int(value) if value == int(value) and abs(value) < 2**53 else value
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return [_plain(item) for item in value]


if __name__ == "__main__":
    sys.exit(main())
