"""The Octave package as a user gets it: `pkg install`, then calls from a folder of his own."""

import datetime
import json
import re
from pathlib import Path

import pytest

from pyoctcompress._version import __version__
from tests.octave.collector import octave_text, read_blocks
from tools.make_index import index_text, public_functions

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "octave_pkg"


@pytest.fixture(scope="module")
def installed(octave, tmp_path_factory):
    """The package in a temporary place: what `pkg` printed, and the facts of each function."""
    prefix = tmp_path_factory.mktemp("prefix")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    settings = "".join(
        f"pkg ({', '.join(map(octave_text, arguments))}); "
        for arguments in (
            ("prefix", prefix, prefix / "arch"),
            ("local_list", prefix / "local"),
            ("global_list", prefix / "global"),
        )
    )
    install = octave(f"{settings} pkg ('install', {octave_text(PACKAGE)});", elsewhere)
    load = octave(f"{settings} pkg load octcompress", elsewhere)
    names = "{" + ", ".join(map(octave_text, public_functions())) + "}"
    facts = elsewhere / "facts.json"
    check = octave(
        f"{settings} pkg load octcompress; addpath ({octave_text(Path(__file__).parent)}); "
        f"check_functions ({names}, {octave_text(facts)});",
        elsewhere,
    )
    assert facts.exists(), check.stdout
    return {
        "prefix": prefix,
        "install": install,
        "load": load,
        "functions": json.loads(facts.read_text(encoding="utf-8")),
    }


def without_exit_noise(text: str) -> str:
    """What Octave printed, less its harmless complaint about leaving (Octave 7) and a hint."""
    return "\n".join(
        line
        for line in text.splitlines()
        if "ignoring const execution_exception" not in line and "run 'news octcompress'" not in line
    ).strip()


def test_installs_without_a_word(installed):
    assert installed["install"].returncode == 0, installed["install"].stdout
    assert without_exit_noise(installed["install"].stdout) == ""


def test_loads_without_a_word(installed):
    assert installed["load"].returncode == 0, installed["load"].stdout
    assert without_exit_noise(installed["load"].stdout) == ""


def test_every_public_function_is_found_from_elsewhere(installed):
    prefix = str(installed["prefix"])
    lost = [f["name"] for f in installed["functions"] if not f["place"].startswith(prefix)]
    assert not lost


def test_every_public_function_can_be_called_from_elsewhere(installed):
    """Without arguments it may well complain, but not that it, or its package, is unknown."""
    unknown = re.compile(r"'(octcompress|nn_\w+)' undefined|in package '\S+' does not exist")
    assert not [f["message"] for f in installed["functions"] if unknown.search(f["message"])]


def test_help_shows_the_call_form(installed):
    missing = [
        f["name"]
        for f in installed["functions"]
        if not re.search(rf"{re.escape(f['name'])}(\s*\(|$)", f["help"], flags=re.MULTILINE)
    ]
    assert not missing, "the help of these functions does not show a call by the full name"


def test_every_public_function_is_called_in_a_block():
    code = "\n".join(
        re.sub(r"<[^>]*>", "", block.code)
        for path in (PACKAGE / "inst").rglob("*.m")
        for block in read_blocks(path)
    )
    name = r"\b(?:octcompress(?:\.\w+)+|nn_\w+)\b"
    called = set(re.findall(rf"{name}(?=\s*\()|(?<=@){name}", code))
    never = [function for function in public_functions() if function not in called]
    assert not never, "these functions are in no %! block by their full name"


def test_index_lists_exactly_the_public_functions():
    assert (PACKAGE / "INDEX").read_text(encoding="utf-8") == index_text(), "run: make index"


def test_description():
    text = (PACKAGE / "DESCRIPTION").read_text(encoding="utf-8")
    fields = dict(re.findall(r"^(\w+): (.+(?:\n .+)*)", text, flags=re.MULTILINE))
    assert fields["Name"] == "octcompress"
    assert fields["Version"] == __version__
    assert datetime.date.fromisoformat(fields["Date"])
    assert {"Author", "Maintainer", "Title", "Description", "License"} <= fields.keys()


def test_changes_name_the_version():
    assert f"octcompress {__version__}\n" in (PACKAGE / "NEWS").read_text(encoding="utf-8")
    assert f"\n## {__version__} " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_licence_is_the_same():
    assert (PACKAGE / "COPYING").read_text() == (ROOT / "LICENSE").read_text()


def test_no_private_folder_in_a_namespace():
    """Octave finds such a folder only while it is the current one."""
    assert not list((PACKAGE / "inst").rglob("+*/**/private"))
