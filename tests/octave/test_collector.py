"""The collector of %! blocks, held to its promises on small packages made for the purpose."""

import os
import re
from pathlib import Path

import pytest

from tests.octave.collector import BlockError, read_blocks

ROOT = Path(__file__).resolve().parents[2]
PASSING = "function y = twice (x)\n  y = 2 * x;\nend\n\n%!assert (twice (2), 4)\n"


@pytest.fixture
def run(pytester, monkeypatch):
    """Run pytest in a project that has these files below octave_pkg/inst, or at a path given."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in paths if path))
    pytester.makeini("[pytest]\noctave_timeout = 30\ntestpaths = octave_pkg examples tests\n")

    def run_pytest(files, *arguments):
        for name, text in files.items():
            place = pytester.path / ("" if "/" in name else "octave_pkg/inst") / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        plugins = ("-p", "tests.octave.collector", "-p", "no:cacheprovider")
        return pytester.runpytest_subprocess(*plugins, *arguments)

    return run_pytest


def test_every_kind_of_block_is_an_item(run):
    text = PASSING + "\n".join(
        [
            "%!shared x, y",
            "%! x = 1;",
            "%!test % a title",
            "%! assert (twice (x), 2);",
            "%!function z = thrice (x)",
            "%! z = 3 * x;",
            "%!endfunction",
            "%!assert (thrice (x), 3)",
            "%!error <nonconformant> ones (2, 3) + ones (3, 2)",
            "%!error id=Octave:undefined-function no_such_thing ()",
            "%!warning <look out> warning ('look out')",
            "%!fail ('error (''no'')', 'no')",
            "%!testif ; false",
            "%! error ('must not run');",
            "%!# a remark",
            "%!demo",
            "%! error ('a demo is no test');",
        ]
    )
    result = run({"twice.m": text}, "-v")
    result.assert_outcomes(passed=7, skipped=1)
    items = re.findall(r"twice\.m::(\S+) (\w+)", result.stdout.str())
    assert items[0] == ("assert:5", "PASSED")
    assert ("test:8", "PASSED") in items
    assert ("testif:18", "SKIPPED") in items


def test_a_failure_shows_block_message_and_line(run):
    text = PASSING + "%!test\n%! x = 3;\n%! assert (twice (x), 7);\n%!assert (twice (1), 2)\n"
    result = run({"twice.m": text})
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "octave_pkg/inst/twice.m:8: ASSERT errors for:*",
            "*   6 | %!test",
            "*   7 | %! x = 3;",
            "*> *8 | %! assert (twice (x), 7);",
            "ASSERT errors for:*",
            "FAILED octave_pkg/inst/twice.m::test:6 - *",
        ]
    )


def test_an_error_shows_where_it_arose(run):
    text = "function f ()\n  error ('f: it broke');\nend\n\n%!test\n%! f ();\n"
    result = run({"f.m": text})
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*:5: f: it broke", "*in f, line 2 of *inst/f.m"])


FAILING = [
    "%!error <other text> error ('some text')",
    "%!error <some text> twice (1);",
    "%!error id=a:c error ('a:b', 'text')",
    "%!warning <look out> twice (1);",
    "%!fail ('twice (1)')",
    "%!test\n%! this is no Octave",
    "%!tset\n%! assert (true);",
    "%!function broken (\n%!endfunction\n%!assert (true)",
    "%!shared a\n%! error ('no a');\n%!assert (true)",
    "%!test\n%! global left_behind\n%! left_behind = 1;",
    "%!test\n%! fopen (tempname (), 'w');",
]


def test_what_octave_reports_or_only_mentions_fails(run):
    files = {f"f{i:02d}.m": f"{block}\n%!assert (true)\n" for i, block in enumerate(FAILING)}
    result = run({"twice.m": PASSING, **files})
    failed = set(re.findall(r"FAILED octave_pkg/inst/(\w+\.m)", result.stdout.str()))
    assert failed == files.keys()
    # What precedes all tests spoils all tests of its file.
    result.assert_outcomes(passed=1 + len(files) - 2, failed=len(files) + 2)


@pytest.mark.parametrize(
    "block",
    [
        "%!test <12345>\n%! assert (false);",
        "%!test <a title>\n%! assert (false);",
        "%!test\n%! <*12345>\n%! assert (false);",
        "%!assert <12345> (false)",
        "%!fail <12345> ('1')",
        "%!testif ; true <12345>\n%! assert (false);",
        "%!xtest assert (false)",
        "  %!assert (false)",
        "% !test\n% ! assert (false);",
    ],
)
def test_what_octave_would_hide_is_refused(tmp_path, block):
    path = tmp_path / "twice.m"
    path.write_text(f"{PASSING}{block}\n", encoding="utf-8")
    with pytest.raises(BlockError, match=r"twice\.m:6: .*(hides|Octave runs only)"):
        read_blocks(path)


def test_a_refused_file_fails_the_run(run):
    result = run({"twice.m": PASSING + "%!test <a title>\n%! assert (false);\n"})
    assert result.ret != 0
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*twice.m:6: %!test <a title> marks a known bug*"])


def test_a_crash_fails_its_item_only(run):
    text = PASSING + "%!test\n%! kill (getpid (), 9);\n%!test\n%! exit (3);\n"
    text += "%!assert (twice (1), 2)\n"
    result = run({"twice.m": text})
    result.assert_outcomes(passed=2, failed=2)
    ended = "Octave ended in the middle of this block"
    result.stdout.fnmatch_lines([f"*:6: {ended}, by signal 9", f"*:8: {ended}, with exit status 3"])


def test_an_endless_block_fails_its_item_only(run):
    text = PASSING + "%!test\n%! while true, end\n%!assert (twice (1), 2)\n"
    result = run({"twice.m": text}, "-o", "octave_timeout=3")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*:6: Octave was stopped: it took longer than 3 seconds"])


def test_blocks_do_not_see_what_others_did(run):
    text = PASSING + "\n".join(
        [
            "%!shared x",
            "%! x = 1;",
            "%!test",
            "%! x = 2; cd (tempdir ());",
            "%! rmpath (fileparts (which ('twice'))); more ('on'); rand ('twister', 7);",
            "%!assert (x, 1)",
            "%!assert (twice (1), 2)",
            "%!assert (isempty (dir ('*.m')))",
            "%!shared first",
            "%! first = rand ();",
            "%!test % the same numbers in every block",
            "%! rand ('twister', 1);",
            "%! assert (rand (), first);",
        ]
    )
    run({"twice.m": text}).assert_outcomes(passed=6)


def test_a_function_without_tests_fails(run):
    result = run({"bare.m": "function bare ()\nend\n", "examples/show.m": "x = 1;\n"})
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["bare.m has no %! block*"])


def test_examples_are_found_beside_the_package(run):
    files = {"twice.m": PASSING, "examples/four.m": "function y = four ()\n  y = twice (2);\nend\n"}
    files["examples/four.m"] += "%!assert (four (), 4)\n"
    run(files).assert_outcomes(passed=2)


def test_a_full_run_without_blocks_fails(run):
    files = {"tests/test_it.py": "def test_it():\n    pass\n"}
    result = run(files)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["ERROR: not one %! block of an .m file ran"])
    assert run(files, "-k", "test_it").ret == pytest.ExitCode.OK
    assert run(files, "tests").ret == pytest.ExitCode.OK


def test_side_by_side(run):
    text = PASSING + "%!assert (twice (1), 2)\n" * 6 + "%!assert (twice (1), 3)\n"
    result = run({"twice.m": text, "thrice.m": "%!assert (true)\n"}, "-n", "2")
    result.assert_outcomes(passed=8, failed=1)
    assert "not one %! block" not in result.stdout.str()


def test_without_octave_the_items_fail(run, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("OCTAVE_EXECUTABLE", raising=False)
    result = run({"twice.m": PASSING})
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*GNU Octave was not found; run: *"])
