"""Read MATLAB's own objects in a process of its own: ``python -m ... IN OUT SECONDS BYTES``.

mat-io wraps SciPy's reader, which may crash on a damaged file, hang, or take all memory; so it runs
here under limits, and its objects become plain structs with their class's name in ``class``.
"""

from __future__ import annotations

import re
import resource
import sys
import warnings
from typing import Any

import numpy as np

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}\Z")
_DEEPEST = 60


def main(source: str, target: str, seconds: str, memory: str) -> int:
    """Write what `source` holds to `target`, a .mat file of structs, cells and arrays."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    import matio
    from matio.subsystem import MatSubsystem

    from pyoctcompress import matfile

    properties = MatSubsystem.get_properties

    def with_class(self: Any, object_id: Any) -> Any:
        # An array of layers of different classes has the name of what they have in common.
        found = properties(self, object_id)
        found["class"] = self.get_classname(self.get_object_metadata(object_id)[0])
        return found

    MatSubsystem.get_properties = with_class
    found = matio.load_from_mat(source, raw_data=True)
    plain = {name: _plain(value, 0) for name, value in found.items() if _NAME.match(name)}
    matfile.save(target, {"variables": plain}, durable=False)
    return 0


def _plain(value: Any, depth: int) -> Any:
    """Turn what mat-io gives into what a .mat file of ours holds."""
    if depth > _DEEPEST:
        return "(nested too deep)"
    kind = type(value).__name__
    if kind == "MatlabOpaque":
        properties = value.properties
        if not isinstance(properties, dict):
            return {"class": str(value.classname)}
        return {"class": str(value.classname), **_fields(properties, depth)}
    if kind.startswith("Matlab") and isinstance(value, np.ndarray):
        value = np.asarray(value)
    if isinstance(value, dict):
        return _fields(value, depth)
    if isinstance(value, np.ndarray):
        return _array(value, depth)
    if isinstance(value, str | bool | int | float | np.generic):
        return value
    return np.zeros((0, 0))


def _fields(value: Any, depth: int) -> dict[str, Any]:
    return {
        str(name): _plain(inner, depth + 1)
        for name, inner in value.items()
        if _NAME.match(str(name))
    }


def _array(value: Any, depth: int) -> Any:
    if value.dtype.names:
        items = [
            _fields({name: one[name] for name in value.dtype.names}, depth)
            for one in value.ravel(order="F")
        ]
        return items[0] if len(items) == 1 else items
    if value.dtype == object:
        return [_plain(one, depth + 1) for one in value.ravel(order="F")]
    if value.dtype.kind == "U":
        texts = [str(one) for one in value.ravel(order="F")]
        return texts[0] if len(texts) == 1 else texts
    if value.dtype.kind in "fiub" or value.dtype.kind == "c":
        return value
    return np.zeros((0, 0))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
