"""The report: its facts, and the page as a browser shows it."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import pyoctcompress as oc
from pyoctcompress import errors, matfile, sweeps
from pyoctcompress.cli import main
from pyoctcompress.datafile import DataFile
from pyoctcompress.reference import verbs
from pyoctcompress.reporting import report
from pyoctcompress.reporting.page import _spent

NAME = "layer <b> & $x$"


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A network of images, before and after, data, and a sweep."""
    folder = tmp_path_factory.mktemp("report")
    generator = np.random.default_rng(3)
    y = generator.integers(1, 4, 300)
    x = generator.normal(0, 0.4, (8, 8, 1, 300)).astype(np.float32)
    for k, label in enumerate(y):
        x[2 * label - 2 : 2 * label, :, 0, k] += 1
    matfile.save(folder / "data.mat", {"X": x, "Y": y.reshape(1, -1).astype(float)})
    model = verbs.new("input", [8, 8, 1], "conv2d", [4, 3], "relu", "flatten", "dense", 3)
    model["layers"][0]["name"] = NAME
    model, _ = verbs.train(model, x, y.reshape(1, -1).astype(float), epochs=3, optimizer="adam")
    small, _ = verbs.prune(model, sparsity=0.5)
    small, _ = verbs.quantize(small, bits=2)
    small["recipe"] = [{"step": "prune", "sparsity": 0.5}, {"step": "quantize", "bits": 2}]
    small["recipe_bytes"] = np.array([[987.0, 123.0]])
    matfile.save(folder / "model.mat", model)
    oc.save(folder / "small.mat", small, coding="auto")
    data = DataFile(folder / "data.mat")
    grid = {"quantize.bits": [2, 3, 4]}
    sweeps.sweep(
        folder / "model.mat",
        grid,
        folder / "sweep.jsonl",
        learn=data,
        judge=data,
        workers=1,
        backend="numpy",
    )
    facts = report(
        folder / "small.mat",
        folder / "model.mat",
        data,
        folder / "report.html",
        sweep=folder / "sweep.jsonl",
        backend="numpy",
    )
    return folder, facts, model, small


def test_facts_are_those_of_the_verbs(case):
    folder, facts, model, small = case
    data = matfile.load(folder / "data.mat")
    after = verbs.evaluate(small, data["X"], data["Y"])
    before = verbs.evaluate(model, data["X"], data["Y"])
    assert facts["small"]["error"] == after["error"]
    assert facts["against"]["error"] == before["error"]
    assert facts["small"]["bytes"] == (folder / "small.mat").stat().st_size
    assert facts["steps"] == [("prune", 987), ("quantize", 123)]
    spent = _spent(facts["small"])[1]
    assert sum(map(sum, spent.values())) == facts["small"]["bytes"]
    differ = np.flatnonzero(np.ravel(before["predicted"]) != np.ravel(after["predicted"])) + 1
    assert differ.size > 3
    assert sorted(c["place"] for c in facts["changed"]) == list(differ)
    first = facts["changed"][0]
    assert first["label"] == data["Y"].ravel()[first["place"] - 1]
    np.testing.assert_array_equal(facts["pictures"][0], data["X"][..., first["place"] - 1])
    told = [(row["name"], row["runtime"].split(" ")[0], row["batch"]) for row in facts["speed"]]
    runtimes = [("numpy", 256), ("ONNX", 256), ("LiteRT", 1)]
    assert told == [(name, *r) for name in ("model.mat", "small.mat") for r in runtimes]
    assert all(row["seconds"] > 0 for row in facts["speed"])
    weights = facts["weights"][0]
    assert set(np.unique(weights["after"])) <= set(weights["levels"].astype(np.float32))
    assert [row["bits"].size for row in facts["sensitivity"]] == [7, 7]


class _Outline(HTMLParser):
    """The tags of a page, and whatever it would fetch."""

    def __init__(self):
        super().__init__()
        self.tags, self.fetched, self.ids = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for name, value in attributes:
            if name in ("src", "href", "xlink:href") and not value.startswith(("data:", "#")):
                self.fetched.append(value)
            if name == "id":
                self.ids.append(value)


def test_the_page_needs_nothing_else_and_quotes_what_it_shows(case):
    page = (case[0] / "report.html").read_text()
    outline = _Outline()
    outline.feed(page)
    assert not outline.fetched
    assert len(outline.ids) == len(set(outline.ids))
    assert "script" not in outline.tags
    assert "<b> &" not in page
    assert "layer &lt;b&gt; &amp; $x$" in page
    assert outline.tags.count("svg") == 6  # two of size, two of weights, sensitivity, front
    assert not re.search(r"#0[1-8]0[1-8]0[1-8]", page)


@pytest.mark.skipif(not shutil.which("chromedriver"), reason="no chromedriver (make browser)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_in_a_browser(case, tmp_path, scheme):
    """No error, every figure has a size, nothing is wider than a phone; ink differs from paper."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage"):
        options.add_argument(f"--{argument}")
    for argument in ("disable-background-networking", "disable-sync", "no-first-run"):
        options.add_argument(f"--{argument}")
    options.add_argument(f"--user-data-dir={tmp_path}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    browser = webdriver.Chrome(options, service)
    try:
        browser.set_window_size(500, 900)
        browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
        )
        browser.get((case[0] / "report.html").as_uri())
        assert browser.get_log("browser") == []
        look = """
            const box = e => e.getBoundingClientRect();
            const style = getComputedStyle(document.body);
            return {
              sections: [...document.querySelectorAll('section')].map(e => e.id),
              figures: [...document.querySelectorAll('figure svg')].map(e => box(e).height),
              pictures: [...document.images].map(e => e.naturalWidth),
              sizes: [...document.querySelectorAll('#sizes svg')[0].querySelectorAll('text')]
                .map(e => e.textContent),
              wide: document.documentElement.scrollWidth - innerWidth,
              ink: style.color, paper: style.backgroundColor,
              text: getComputedStyle(document.querySelector('svg text')).fill,
            }"""
        seen = browser.execute_script(look)
    finally:
        browser.quit()
    assert seen["sections"] == [
        "sizes",
        "errors",
        "layers",
        "weights",
        "sensitivity",
        "front",
        "speed",
        "recipe",
    ]
    assert {"original", "prune", "987", "quantize", "123", "this file"} <= set(seen["sizes"])
    assert len(seen["figures"]) == 6
    assert min(seen["figures"]) > 60
    assert seen["pictures"]
    assert set(seen["pictures"]) == {8}
    assert seen["wide"] <= 0
    light = {"light": seen["paper"], "dark": seen["ink"]}[scheme]
    assert min(map(int, re.findall(r"\d+", light)[:3])) > 200
    assert seen["text"] == seen["ink"]


def test_a_model_alone(case, tmp_path, capsys):
    small = str(case[0] / "small.mat")
    output = tmp_path / "r.html"
    assert main(["report", small, "-o", str(output), "--json", "--backend", "numpy"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["small"]["bytes"] == Path(small).stat().st_size
    assert told["changed"] is None
    assert '<section id="errors"' not in output.read_text()
    data = ["--data", str(case[0] / "data.mat"), "--against", str(case[0] / "model.mat")]
    assert main(["report", small, "-o", str(output), "--backend", "numpy", *data]) == 0
    assert f"{len(case[1]['changed'])} changed class" in capsys.readouterr().out


def test_nothing_is_lost(case, tmp_path):
    output = tmp_path / "r.html"
    output.write_text("old")
    with pytest.raises(errors.FileError, match="there is no file"):
        oc.report(tmp_path / "none.mat", output=output, backend="numpy")
    assert output.read_text() == "old"
    with pytest.raises(errors.FileError, match="could not be written"):
        oc.report(case[0] / "small.mat", output=tmp_path / "no" / "r.html", backend="numpy")


@pytest.mark.parametrize("backend", ["octave", "numpy"])
def test_latency(case, backend):
    x = matfile.load(case[0] / "data.mat")["X"]
    found = oc.latency(case[2], x, batch_size=200, repeats=2, backend=backend)
    assert found["seconds"] > 0
    assert found["batch"] == 200
    least = 200 * 6 * 6 * 4 * 4 if backend == "numpy" else 0  # Octave may hold it already
    assert found["bytes"] >= least
    with pytest.raises(errors.DataError, match="X must hold at least one observation"):
        oc.latency(case[2], x[..., :0], backend=backend)
