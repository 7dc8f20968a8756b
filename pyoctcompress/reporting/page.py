"""The page: the facts of `collecting`, drawn and laid out."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pyoctcompress.datafile import DataFile
from pyoctcompress.errors import FileError, OptionError
from pyoctcompress.reporting.collecting import Facts, collect


def report(
    small: str | os.PathLike[str],
    against: str | os.PathLike[str] | None = None,
    data: DataFile | None = None,
    output: str | os.PathLike[str] = "report.html",
    **options: Any,
) -> Facts:
    """Write a report on a compressed model: one HTML file that needs no network.

    Parameters
    ----------
    small, against : path
        The compressed model and the original, which may be left out.
    data : DataFile, optional
        Labelled data that the errors are counted on.
    output : path
        The HTML file; it is replaced once the new one is complete.
    **options
        ``sweep``, ``sensitivity``, ``backend``, ``timeout``, as for `collect`.

    Returns
    -------
    dict
        The facts that the page shows, as `collect` gives them.

    Raises
    ------
    OptionError
        ``octcompress:report:noMatplotlib``.
    FileError
        ``octcompress:report:notWritten``, and those of reading.
    """
    try:
        import jinja2
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise OptionError(
            f"report: {error.name} is missing; run `pip install octcompress[report]`",
            "octcompress:report:noMatplotlib",
        ) from None
    facts = collect(small, against, data, **options)
    template = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template.filters.update(bytes="{:,.0f}".format, percent=lambda x: f"{100 * x:.2f}%")
    page = template.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    _write(output, page.render(facts=facts, figures=list(figures(facts)), **_shown(facts)))
    return facts


_TEMPLATE = Path(__file__).with_name("page.html")


def _write(output: str | os.PathLike[str], text: str) -> None:
    """Write the page under another name first."""
    path = Path(output)
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, suffix=".html", delete=False
        ) as file:
            try:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
                os.replace(file.name, path)
            except BaseException:
                os.unlink(file.name)
                raise
    except OSError as error:
        raise FileError(
            f"report: {os.fspath(output)!r} could not be written ({error.strerror})",
            "octcompress:report:notWritten",
        ) from None


def _shown(facts: Facts) -> Facts:
    """Make what the template writes as text and tables."""
    import yaml
    from markupsafe import Markup

    from pyoctcompress.cli.common import plain
    from pyoctcompress.reporting import drawing

    recipe = facts.get("recipe")
    changed = facts.get("changed", [])
    pictures = [
        {"source": Markup(drawing.picture(pixels)), **told}
        for pixels, told in zip(facts.get("pictures", []), changed, strict=False)
    ]
    return {
        "pictures": pictures,
        "worse": sum(c["before"] == c["label"] for c in changed),
        "better": sum(c["after"] == c["label"] for c in changed),
        "recipe": recipe and yaml.safe_dump(plain(recipe), sort_keys=False, width=90),
    }


def figures(facts: Facts) -> Iterator[Facts]:
    """Draw the figures of a report.

    Parameters
    ----------
    facts : dict
        Of `collect`.

    Yields
    ------
    dict
        section, caption, svg.
    """
    from markupsafe import Markup

    from pyoctcompress.reporting import drawing

    count = 0

    def drawn(section: str, caption: str, draw: Any, height: float = 2.6) -> Facts:
        nonlocal count
        count += 1
        svg = drawing.figure(draw, caption, f"f{count}", height)
        return {"section": section, "caption": caption, "svg": Markup(svg)}

    small, against = facts["small"], facts.get("against")
    stages = [*([("original", against["bytes"])] if against else []), *facts.get("steps", [])]
    stages.append(("this file", small["bytes"]))
    sizes = [float(stage[1]) for stage in stages]
    yield drawn(
        "sizes",
        "Bytes of the file on disk"
        + (", and what the weights would take after each step" if facts.get("steps") else ""),
        lambda axes: drawing.steps(axes, [stage[0] for stage in stages], sizes),
        0.9 + 0.4 * len(stages),
    )
    names, parts = _spent(small)
    yield drawn(
        "sizes",
        "What the bytes are spent on",
        lambda axes: drawing.kinds(axes, names, parts),
        0.9 + 0.35 * len(names),
    )
    for tensor in facts["weights"]:
        yield drawn(
            "weights",
            f"{tensor['name']}: {np.count_nonzero(tensor['after']):,} of "
            f"{tensor['after'].size:,} weights are not zero",
            lambda axes, t=tensor: drawing.weights(axes, t["before"], t["after"], t["levels"]),
        )
    yield from _sensitivity(facts, drawn)
    if facts.get("sweep"):
        own = (small["bytes"], small["error"]) if "error" in small else None
        yield drawn(
            "front",
            "Error against bytes of every configuration that was tried",
            lambda axes: drawing.front(axes, facts["sweep"]["rows"], facts["sweep"]["front"], own),
            3.2,
        )


def _spent(small: Facts) -> tuple[list[str], dict[str, list[float]]]:
    """Say what a file's bytes are spent on: the arrays' names, and the sizes of each kind."""
    if not small["coding"]:
        layers = [row for row in small["rows"] if row["parameters"]]
        sizes = [float(row["bytes"]) for row in layers]
        return [str(row["name"]) for row in layers], {"codes of fixed length": sizes}
    rows, totals = small["coding"]["rows"], small["coding"]["totals"]
    kinds = [kind for kind in ("codes", "codebooks", "indices", "values") if totals[kind]]
    rest = [float(totals["header"]), float(totals["file"])]
    parts = {kind: [*(float(row[kind]) for row in rows), 0.0, 0.0] for kind in kinds}
    parts["all else"] = [0.0] * len(rows) + rest
    return [*(str(row["name"]) for row in rows), "header", "file"], parts


def _sensitivity(facts: Facts, drawn: Any) -> Iterator[Facts]:
    from pyoctcompress.reporting import drawing

    rows = facts.get("sensitivity")
    if not rows:
        return
    judged = all("accuracy" in row for row in rows)
    lines = {
        str(row["tensor"]): (
            np.ravel(row["bits"]),
            100 * (1 - np.ravel(row["accuracy"])) if judged else np.ravel(row["output_error"]),
        )
        for row in rows
    }
    up = "error, %" if judged else "error of the outputs"
    yield drawn(
        "sensitivity",
        "What the network loses when one layer alone is put on a grid of so many bits",
        lambda axes: drawing.curves(axes, lines, "bits", up),
        3.2,
    )
