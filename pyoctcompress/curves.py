"""Sensitivity curves as a file: .mat, .csv, or a picture."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pyoctcompress import matfile
from pyoctcompress.errors import OptionError

PICTURES = (".png", ".svg", ".pdf")


def write_curves(report: Mapping[str, Any], file: str | os.PathLike[str]) -> None:
    """Write what `sensitivity` found.

    Parameters
    ----------
    report : dict
        Of `pyoctcompress.sensitivity`.
    file : path
        Its ending says what is written: ``.mat`` the report itself, ``.csv`` a line for each layer
        and choice, ``.png``, ``.svg`` or ``.pdf`` the curves.

    Raises
    ------
    OptionError
        ``octcompress:nn_sensitivity:badValue``: another ending.
    """
    path = Path(file)
    ending = path.suffix.lower()
    if ending == ".mat":
        matfile.save(path, dict(report))
    elif ending == ".csv":
        rows = rows_of(report)
        with path.open("w", newline="", encoding="utf-8") as handle:
            writer = csv.DictWriter(handle, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    elif ending in PICTURES:
        _draw(report, path)
    else:
        known = ", ".join((".mat", ".csv", *PICTURES))
        raise OptionError(
            f"nn_sensitivity: OUTPUT must end in one of {known}, but is '{path}'",
            "octcompress:nn_sensitivity:badValue",
        )


def rows_of(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give one dict for each layer and choice: the lines of the table."""
    layers = report.get("curves", report["layers"])
    if "curves" in report:
        names = ["sparsity", "bits", "rank", "bytes", "loss", "changed"]
    else:
        names = ["bits", "output_error", "agreement", "sqnr"]
        names += ["accuracy"] * ("accuracy" in layers[0])
    rows = []
    for layer in layers:
        columns = [np.ravel(np.asarray(layer[name], float)).tolist() for name in names]
        rows += [
            {"tensor": layer["tensor"], **dict(zip(names, values, strict=True))}
            for values in zip(*columns, strict=True)
        ]
    return rows


def _draw(report: Mapping[str, Any], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    rows = rows_of(report)
    with_bytes = "bytes" in rows[0]
    across, up = ("bytes", "loss") if with_bytes else ("bits", "output_error")
    for tensor in dict.fromkeys(row["tensor"] for row in rows):
        points = sorted((row[across], row[up]) for row in rows if row["tensor"] == tensor)
        if with_bytes:  # what no other choice for the layer beats
            least = np.minimum.accumulate([y for _, y in points])
            points = [p for p, y in zip(points, least, strict=True) if p[1] <= y]
        x, y = zip(*points, strict=True)
        axes.plot(x, np.maximum(y, 1e-12), marker="o", markersize=4, label=tensor)
    axes.set_yscale("log")
    if with_bytes:
        axes.set_xscale("log")
    axes.set_xlabel("bytes of the tensor" if with_bytes else "bits of the tensor")
    axes.set_ylabel("change of the network's outputs, squared")
    axes.set_title("One layer compressed, the others as they are")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)
