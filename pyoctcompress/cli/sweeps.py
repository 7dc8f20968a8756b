"""`octcompress sweep` and `octcompress report`."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from typing import Any

from pyoctcompress.cli.common import Commands, Result, add_data, command, count, data_of
from pyoctcompress.progress import Bar


def add(commands: Commands) -> None:
    """Add the commands of this module."""
    _add_sweep(commands)
    _add_report(commands)


def _add_sweep(commands: Commands) -> None:
    parser = command(
        commands,
        "sweep",
        _sweep,
        "try many configurations, and list those that no other beats",
        "lenet300.mat --data mnist.mat --grid prune.sparsity=0.8,0.9 --grid quantize.bits=3,4 "
        "-o sweep.jsonl",
    )
    parser.add_argument("model", metavar="MODEL.mat")
    parser.add_argument(
        "--grid",
        action="append",
        type=_values,
        required=True,
        metavar="VERB.OPTION=A,B,C",
        help="values to try, as JSON or text; null leaves the option out; data=true stands for the "
        "data; give it again for each option: all combinations are tried, the verbs in this order",
    )
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="OUT.jsonl",
        help="the results, line by line; an existing file is continued",
    )
    parser.add_argument(
        "--workers", type=count, default=2, metavar="N", help="processes on this machine (2)"
    )
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="a Dask cluster instead, such as tcp://host:8786"
    )
    add_data(parser, "train", required=True)
    parser.add_argument(
        "--judge",
        choices=["train", "test"],
        default="test",
        help="the part of the data that the error is counted on (test)",
    )
    parser.add_argument(
        "--calibration",
        type=count,
        default=1000,
        metavar="N",
        help="how many observations stand for data=true (1000)",
    )


def _add_report(commands: Commands) -> None:
    parser = command(
        commands,
        "report",
        _report,
        "write what became of a model as one HTML file",
        "small.mat --against lenet300.mat --data mnist.mat -o report.html",
    )
    parser.add_argument("model", metavar="SMALL.mat")
    parser.add_argument("--against", metavar="MODEL.mat", help="the model that it was made from")
    parser.add_argument("-o", "--output", required=True, metavar="OUT.html")
    parser.add_argument("--sweep", metavar="OUT.jsonl", help="results of `octcompress sweep`")
    parser.add_argument(
        "--sensitivity",
        type=int,
        default=500,
        metavar="N",
        help="measure how sensitive the layers are on N observations; 0: do not (500)",
    )
    add_data(parser, "test", required=False)


def _values(text: str) -> tuple[str, list[Any]]:
    """Read NAME=A,B,C: each is JSON, or else text; a JSON list may hold lists."""
    name, equals, values = text.partition("=")
    if not equals or not values:
        raise argparse.ArgumentTypeError(f"must be VERB.OPTION=A,B,C, but is {text!r}")
    try:
        return name, json.loads(f"[{values}]")
    except json.JSONDecodeError:
        return name, [_value(value) for value in values.split(",")]


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _sweep(args: argparse.Namespace) -> Result:
    from pyoctcompress.sweeps import sweep

    learn = data_of(args, args.model)
    judge = replace(learn, part=args.judge, limit=float("inf"))
    with Bar() as bar:
        result = sweep(
            args.model,
            dict(args.grid),
            args.output,
            learn=learn,
            judge=judge,
            calibration=args.calibration,
            workers=args.workers,
            scheduler=args.scheduler,
            backend=args.backend,
            timeout=args.timeout,
            progress=bar,
        )
    return result, _table(result), 0


def _table(result: dict[str, Any]) -> str:
    """Show the front, and what failed."""
    rows = [("error", "bytes", "nonzeros", "ms", "configuration")]
    for place in result["front"]:
        row = result["rows"][place]
        latency = f"{1e3 * row['latency']:.3f}" if "latency" in row else ""
        rows.append(
            (
                f"{100 * row['error']:.2f}%",
                f"{row['bytes']:,}",
                f"{row['nonzeros']:,}",
                latency,
                _told(row["configuration"]),
            )
        )
    widths = [max(len(row[k]) for row in rows) for k in range(4)]
    lines = [
        "  ".join([*(f"{cell:>{w}}" for cell, w in zip(row[:4], widths, strict=True)), row[4]])
        for row in rows
    ]
    failed = [row for row in result["rows"] if "failed" in row]
    lines += [f"failed: {_told(row['configuration'])}: {row['failed']}" for row in failed]
    count = len(result["rows"])
    lines.append(
        f"{len(result['front'])} of {count} configurations are not beaten; {result['new']} ran "
        f"now, all are in {result['file']}"
    )
    return "\n".join(lines)


def _told(configuration: dict[str, Any]) -> str:
    return " ".join(
        f"{name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in configuration.items()
        if value is not None
    )


def _report(args: argparse.Namespace) -> Result:
    from pyoctcompress.reporting import report

    facts = report(
        args.model,
        args.against,
        None if args.data is None else data_of(args, args.model),
        args.output,
        sweep=args.sweep,
        sensitivity=args.sensitivity,
        backend=args.backend,
        timeout=args.timeout,
    )
    small, against = facts["small"], facts.get("against")
    lines = [f"{small['name']}: {small['bytes']:,} bytes"]
    if against:
        lines[0] += f" of {against['bytes']:,}, {against['bytes'] / small['bytes']:.1f} times less"
    if "error" in small:
        lines.append(f"error {100 * small['error']:.2f}%")
        if against:
            changed = len(facts["changed"])
            lines[1] += f", from {100 * against['error']:.2f}%; {changed} changed class"
    lines.append(f"{args.output} written")
    shown = {name: facts.get(name) for name in ("small", "against", "changed", "recipe")}
    return {"output": args.output, **shown}, "\n".join(lines), 0
