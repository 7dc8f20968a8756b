"""`octcompress crosscheck` and `octcompress doctor`."""

from __future__ import annotations

import argparse

from pyoctcompress.cli.common import Commands, Result, add_data, command, data_of
from pyoctcompress.progress import Bar


def add(commands: Commands) -> None:
    """Add the commands of this module."""
    _add_crosscheck(commands)
    _add_doctor(commands)


def _add_crosscheck(commands: Commands) -> None:
    parser = command(
        commands,
        "crosscheck",
        _crosscheck,
        "compare Octave with NumPy on a model, step by step",
        "lenet300.mat --data mnist.mat",
    )
    parser.add_argument("model", metavar="MODEL.mat")
    add_data(parser, "test", required=False)


def _add_doctor(commands: Commands) -> None:
    command(
        commands,
        "doctor",
        _doctor,
        "check Octave, its matrix product, the packages, and both backends against each other",
    )


def _crosscheck(args: argparse.Namespace) -> Result:
    from pyoctcompress.agreement import crosscheck

    data = None if args.data is None else data_of(args, args.model)
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


def _doctor(args: argparse.Namespace) -> Result:
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
