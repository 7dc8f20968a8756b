"""The budget verb: `compress`, and the recipes that it finds and runs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyoctcompress.calling import (
    Backend,
    Model,
    argument,
    data_arguments,
    is_octave,
    option_pairs,
)
from pyoctcompress.errors import OptionError
from pyoctcompress.files import File
from pyoctcompress.octave import Progress, call
from pyoctcompress.progress import Bar


def compress(
    model: Model,
    X: Any,
    Y: Any = None,
    *,
    max_drop: float | None = None,
    max_bytes: float | None = None,
    recipe: Any = None,
    output: File | None = None,
    timeout: float | None = None,
    progress: Progress | bool | None = None,
    **options: Any,
) -> tuple[Any, dict[str, Any]]:
    """Find and run the recipe that keeps a budget of accuracy or bytes.

    Parameters
    ----------
    model : dict or path
        A network that classifies.
    X : array, DataFile or path
        Observations as for `train`; a `DataFile` brings its labels. Of a path the part ``train``
        is read. The test part is never needed.
    Y : array, optional
        Labels; without them the answers of `model` stand for them.
    max_drop : float, optional
        Points of accuracy (percent) that may be lost; the smallest file is sought.
    max_bytes : float, optional
        Bytes of the file on disk; without `max_drop` the least drop is sought.
    recipe : list of dict, str or path, optional
        No search: the steps to run, a ready recipe's name (`recipes`), or a .yaml or .json file.
    output : path, optional
        The coded file to write, there from the first result on; the path is returned in the
        model's place.
    timeout : float, optional
        Seconds after which Octave is stopped; ``time`` ends the search in good order.
    progress : callable or bool, optional
        As for `train`.
    **options
        Those of ``nn_compress``: ``training``, ``epochs``, ``candidates``, ``time``, ``seed``,
        ``checkpoint``, ``seen`` and more, which its help lists.

    Returns
    -------
    model : dict or pathlib.Path
        The compressed network, with its recipe in ``model["recipe"]``.
    info : dict
        bytes, drop, accuracy (before, after), recipe, steps, tried, curves, front, stopped,
        options.

    Raises
    ------
    OctcompressError
        ``octcompress:nn_compress:budget`` (cannot be met; the best file is written all the same),
        ``badRecipe`` (every fault with its place), ``noGoal``, and those of ``nn_compress``.
    """
    if progress is True:
        with Bar() as bar:
            return compress(
                model,
                X,
                Y,
                max_drop=max_drop,
                max_bytes=max_bytes,
                recipe=recipe,
                output=output,
                timeout=timeout,
                progress=bar,
                **options,
            )
    goals = {"max_drop": max_drop, "max_bytes": max_bytes}
    options.update({name: value for name, value in goals.items() if value is not None})
    if recipe is not None:
        options["recipe"] = _text_of(read_recipe(recipe))
    if output is not None:
        options["output"] = os.path.abspath(output)
    is_path = isinstance(X, (str, os.PathLike))
    small, info = call(
        "nn_compress",
        argument(model),
        *([os.path.abspath(X)] if is_path else data_arguments(X, Y, 2)),
        *option_pairs(options),
        nargout=2,
        timeout=timeout,
        progress=progress or None,
    )
    return (small if output is None else Path(output)), dict(info)


def recipes(backend: Backend = "octave") -> dict[str, list[dict[str, Any]]]:
    """Give the recipes that come with the toolbox.

    Parameters
    ----------
    backend : {'octave', 'numpy'}
        Where they are read.

    Returns
    -------
    dict
        By name, each a list of steps.
    """
    if not is_octave(backend):
        from pyoctcompress.reference.search import ready_recipes

        return ready_recipes()
    names = call("octcompress.search.ready_recipe")
    return {name: list(call("octcompress.search.ready_recipe", name)) for name in names}


def read_recipe(recipe: Any) -> Any:
    """Read a recipe from a .yaml, .yml or .json file; anything else stays as it is.

    Parameters
    ----------
    recipe : list of dict, str or path
        Steps, a ready recipe's name, or a file.

    Returns
    -------
    list of dict or str
        Steps, or the name.

    Raises
    ------
    OptionError
        ``octcompress:nn_compress:badRecipe``: there is no such file, or it is not YAML or JSON.
    """
    if not isinstance(recipe, (str, os.PathLike)):
        return recipe
    path = Path(recipe)
    if path.suffix.lower() not in (".yaml", ".yml", ".json"):
        return os.fspath(recipe)
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise OptionError(
            f"nn_compress: RECIPE: '{path}' cannot be read as YAML or JSON ({error})",
            "octcompress:nn_compress:badRecipe",
        ) from None


def _text_of(recipe: Any) -> str:
    """Give a recipe as JSON, in which it travels; names of layers need not be names of fields."""
    if isinstance(recipe, str):
        return recipe
    if isinstance(recipe, Mapping):
        recipe = [recipe]

    def pairs(value: Any) -> Any:
        if isinstance(value, Mapping):
            return [[name, inner] for name, inner in value.items()]
        return value.tolist() if hasattr(value, "tolist") else value

    steps = [
        {name: pairs(value) for name, value in step.items()} if isinstance(step, Mapping) else step
        for step in (recipe if isinstance(recipe, (list, tuple)) else [recipe])
    ]
    return json.dumps(steps, default=str)
