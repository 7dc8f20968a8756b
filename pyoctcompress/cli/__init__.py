"""The command `octcompress`. Only the standard library is imported until there is work to do.

Each module adds its commands with `add`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from collections.abc import Sequence

from pyoctcompress._version import __version__
from pyoctcompress.cli import (
    budget,
    checks,
    compression,
    importing,
    models,
    shipping,
    sweeps,
    training,
)
from pyoctcompress.cli.common import plain
from pyoctcompress.errors import OctcompressError


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
        print(json.dumps(plain(result), allow_nan=False, indent=2) if args.json else text)
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="octcompress",
        description="Prune, quantize and distil neural networks in .mat files.",
        epilog="`octcompress COMMAND --help` lists the options of a command; docs/cli.md is the "
        "guide. Where something does not work, run `octcompress doctor`.",
    )
    parser.add_argument("--version", action="version", version=f"octcompress {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (
        models,
        budget,
        compression,
        training,
        sweeps,
        importing,
        shipping,
        checks,
    ):
        module.add(commands)
    return parser
