"""What the documentation names is there: files, functions, commands and their options."""

import argparse
import inspect
import re
import shlex
from pathlib import Path

import pytest

import pyoctcompress as oc
from pyoctcompress.cli import _parser

ROOT = Path(__file__).resolve().parent.parent
INST = ROOT / "octave_pkg" / "inst"
DOCS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/**/*.md")])
SHELL = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
PATH = re.compile(r"\b(?:docs|benchmarks|examples|tests|tools|pyoctcompress)/[\w./-]*\w\.\w+\b")


def commands():
    """The parser of each command."""
    actions = _parser()._actions
    return next(a.choices for a in actions if isinstance(a, argparse._SubParsersAction))


def command_lines(text):
    """The command lines in code for the shell, or indented by four spaces."""
    code = "\n".join(SHELL.findall(text))
    code += "\n".join(re.findall(r"^ {4}(octcompress .*)", text, re.MULTILINE))
    return re.findall(r"^octcompress (.+)", code.replace("\\\n", " "), re.MULTILINE)


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_page_names(path):
    text = path.read_text(encoding="utf-8")
    missing = {name for name in PATH.findall(text) if not (ROOT / name).exists()}
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)\)", text)
    missing |= {link for link in links if not (path.parent / link).exists()}
    missing |= {
        name for name in re.findall(r"\bnn_[a-z]\w*", text) if not (INST / f"{name}.m").is_file()
    }
    for name in re.findall(r"\boctcompress((?:\.[a-z]\w+){2})(?= |`|\b)", text):
        *folders, last = name[1:].split(".")
        folder = INST.joinpath("+octcompress", *(f"+{one}" for one in folders))
        if folder.is_dir() and not (folder / f"{last}.m").is_file():
            missing.add(f"octcompress{name}")
    assert not missing


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_and_option_of_a_page(path):
    known = commands()
    for line in command_lines(path.read_text(encoding="utf-8")):
        words = shlex.split(re.sub(r"[\[\]]", " ", line), comments=True)
        assert words[0] in known, line
        options = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert options <= set(known[words[0]]._option_string_actions), line


def test_every_option_that_the_page_on_the_command_names():
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    known = {option for one in commands().values() for option in one._option_string_actions}
    named = set(re.findall(r"(?<=`)--[a-z][\w-]*", text))
    assert named and named <= known
    assert {line.split()[0] for line in command_lines(text)} == set(commands())


def test_every_function_and_keyword_that_the_page_on_python_names():
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    named = [one for row in rows for one in re.findall(r"`(\w+) \(([^`]*)\)`", row)]
    assert len(named) > 20
    for name, arguments in named:
        parameters = inspect.signature(getattr(oc, name)).parameters
        octave = INST / f"nn_{name}.m"
        help = octave.read_text(encoding="utf-8") if octave.is_file() else ""
        help += inspect.getdoc(getattr(oc, name)) or ""
        for keyword in re.findall(r"(\w+)=", arguments):
            option = re.search(rf"(^%   |^ *|``|, ){keyword}\b", help, re.MULTILINE)
            assert keyword in parameters or option, f"{name} ({keyword}=)"
    public = {name for name in oc.__all__ if inspect.isfunction(getattr(oc, name))}
    assert {
        name for name in public if f"`{name} (" not in text and f"oc.{name}(" not in text
    } == set()
