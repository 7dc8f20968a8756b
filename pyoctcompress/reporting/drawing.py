"""Figures as SVG that takes its colours from the page, so that they suit light, dark and paper."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Rows = Sequence[Mapping[str, Any]]

# Matplotlib draws with these; the page's own colours then take their places.
_COLOURS = {
    "#010101": "currentColor",
    "#020202": "var(--line)",
    "#030303": "var(--before)",
    "#040404": "var(--after)",
    "#050505": "var(--third)",
    "#060606": "var(--fourth)",
    "#070707": "var(--fifth)",
    "#080808": "var(--sixth)",
}
_INK, _LINE, _BEFORE, _AFTER = list(_COLOURS)[:4]
_SERIES = list(_COLOURS)[3:]

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": _LINE,
    "axes.labelcolor": _INK,
    "axes.titlesize": 9,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _LINE,
    "grid.linewidth": 0.6,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "text.color": _INK,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.frameon": False,
}


def figure(draw: Callable[[Any], None], label: str, name: str, height: float = 2.6) -> str:
    """Draw one figure.

    Parameters
    ----------
    draw : callable
        Given the axes to draw in.
    label : str
        What the figure shows, for those who cannot see it.
    name : str
        A word that no other figure of the page has.
    height : float
        In inches; the width is 4.4.

    Returns
    -------
    str
        An ``svg`` element.
    """
    import html

    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": name}):
        sheet = Figure(figsize=(4.4, height), layout="constrained")
        draw(sheet.add_subplot())
        file = io.StringIO()
        sheet.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    for drawn, own in _COLOURS.items():
        text = text.replace(drawn, own)
    for place in (' id="', "url(#", 'xlink:href="#'):
        text = text.replace(place, f"{place}{name}-")
    heading = f'<svg role="img" aria-label="{html.escape(label)}"'
    return re.sub(r'<svg(.*?) width="[^"]*"', rf"{heading}\1", text, count=1, flags=re.S).replace(
        f' height="{_height_of(text)}"', "", 1
    )


def _height_of(text: str) -> str:
    found = re.search(r'height="([^"]*)"', text)
    return found.group(1) if found else ""


def _plain_ticks(axis: Any) -> None:
    """Write plain numbers at the ticks of a logarithmic axis."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(numticks=5))
    axis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    axis.set_minor_formatter(NullFormatter())


def steps(axes: Any, names: Sequence[str], sizes: Sequence[float]) -> None:
    """Draw the size of the file after each step, on a logarithmic scale."""
    places = np.arange(len(names))[::-1]
    axes.barh(places, sizes, color=[_BEFORE, *[_AFTER] * (len(names) - 1)], height=0.6)
    axes.set_xscale("log")
    _plain_ticks(axes.xaxis)
    axes.set_xlim(min(sizes) / 3, max(sizes) * 6)
    axes.set_yticks(places, names)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("bytes")
    for place, size in zip(places, sizes, strict=True):
        axes.text(size * 1.1, place, f"{size:,.0f}", va="center")


def kinds(axes: Any, layers: Sequence[str], parts: Mapping[str, Sequence[float]]) -> None:
    """Draw what each layer's bytes are spent on."""
    places = np.arange(len(layers))[::-1]
    start = np.zeros(len(layers))
    for k, (kind, sizes) in enumerate(parts.items()):
        colour = _SERIES[k % len(_SERIES)]
        axes.barh(places, sizes, left=start, height=0.6, label=kind, color=colour)
        start += np.asarray(sizes)
    axes.set_yticks(places, layers)
    axes.grid(axis="y", visible=False)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    axes.locator_params(axis="x", nbins=5)
    axes.set_xlabel("bytes")
    if len(parts) > 1:
        axes.legend(fontsize=8)


def weights(axes: Any, before: Array | None, after: Array, levels: Array | None) -> None:
    """Draw the weights' histogram before and after, with the grid's levels where there is one."""
    finite = [a.ravel() for a in (before, after) if a is not None and a.size]
    if not finite:
        return
    reach = max(float(np.max(np.abs(a))) for a in finite) or 1.0
    edges = np.linspace(-reach, reach, 82)
    if before is not None:
        share = np.histogram(before, edges)[0] / max(before.size, 1)
        axes.stairs(100 * share, edges, fill=True, color=_BEFORE, alpha=0.45, label="before")
    if levels is not None and levels.size <= 130:
        values, counts = np.unique(after, return_counts=True)
        height = 100 * counts / after.size
        axes.vlines(values, 1e-3, height, color=_AFTER, linewidth=2, label="after")
        axes.plot(levels, np.full(levels.shape, 1.2e-3), "|", color=_AFTER, markersize=6)
    else:
        share = np.histogram(after, edges)[0] / after.size
        axes.stairs(100 * share, edges, color=_AFTER, linewidth=1.5, label="after")
    axes.set_yscale("log")
    _plain_ticks(axes.yaxis)
    axes.set_ylim(1e-3, 150)
    axes.set_xlabel("weight")
    axes.set_ylabel("share, %")
    axes.legend(fontsize=8)


def curves(axes: Any, lines: Mapping[str, tuple[Any, Any]], across: str, up: str) -> None:
    """Draw a line for each name: places, and heights."""
    marks = "osD^vP"
    for k, (name, (x, y)) in enumerate(lines.items()):
        axes.plot(
            x,
            y,
            marker=marks[k % len(marks)],
            markersize=3.5,
            linewidth=1.4,
            linestyle=["-", "--", ":"][k // len(_SERIES) % 3],
            color=_SERIES[k % len(_SERIES)],
            label=name,
        )
    if all(np.all(np.asarray(y) > 0) for _, y in lines.values()):
        axes.set_yscale("log")
        _plain_ticks(axes.yaxis)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    if lines:
        axes.legend(fontsize=8)


def front(axes: Any, rows: Rows, places: Sequence[int], own: tuple[float, float] | None) -> None:
    """Draw error against bytes of a sweep, the front as a line, and this model."""
    axes.plot(
        [row["bytes"] for row in rows],
        [100 * row["error"] for row in rows],
        "o",
        color=_BEFORE,
        markersize=4,
        label="tried",
    )
    axes.plot(
        [rows[k]["bytes"] for k in places],
        [100 * rows[k]["error"] for k in places],
        "o-",
        color=_AFTER,
        markersize=4.5,
        linewidth=1.4,
        label="not beaten",
    )
    if own is not None:
        axes.plot(own[0], 100 * own[1], "*", color=_SERIES[1], markersize=11, label="this model")
    axes.set_xscale("log")
    axes.set_yscale("log")
    _plain_ticks(axes.xaxis)
    _plain_ticks(axes.yaxis)
    axes.set_xlabel("bytes")
    axes.set_ylabel("error, %")
    axes.legend(fontsize=8)


def picture(pixels: Array) -> str:
    """Make an image of an observation.

    Parameters
    ----------
    pixels : ndarray
        H x W, H x W x 1 or H x W x 3; stretched to the range of its own values.

    Returns
    -------
    str
        A ``data:`` address of a PNG.
    """
    from matplotlib.image import imsave

    pixels = pixels.astype(float)
    low, high = float(pixels.min()), float(pixels.max())
    shown = (pixels - low) / ((high - low) or 1.0)
    shown = shown[:, :, 0] if shown.ndim == 3 and shown.shape[2] != 3 else shown
    file = io.BytesIO()
    imsave(file, shown, cmap="gray", vmin=0, vmax=1, format="png")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
