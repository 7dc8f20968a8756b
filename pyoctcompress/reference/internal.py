"""Options, checks and error messages: the reference of ``+octcompress/+internal``.

Values are those of the Python API: a Python float stands for a 1 x 1 double, a bool for a 1 x 1
logical, a str for a row of characters, a list for a cell, a dict for a scalar struct, None and an
empty list for ``[]``, and an array for an array of its own size and class.
"""

# Arithmetic on arrays has the type Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ..errors import error_from
from ..matfile import StructArray

Array = NDArray[Any]
Progress = Callable[[str, float, float, str], None]

_CLASS_NAMES = {"float64": "double", "float32": "single", "bool": "logical"}


def fail(caller: str, tag: str, message: str) -> NoReturn:
    """Raise the error ``octcompress:CALLER:TAG`` with the message ``CALLER: MESSAGE``."""
    raise error_from(f"octcompress:{caller}:{tag}", f"{caller}: {message}")


def is_number(value: Any) -> bool:
    """Whether `value` is a Python or NumPy number or flag (a 1 x 1 array in MATLAB)."""
    return isinstance(value, (bool, int, float, complex, np.bool_, np.number))


def size(value: Any) -> tuple[int, ...]:
    """MATLAB's size of a value: at least two dimensions, no trailing ones beyond the second."""
    if value is None:
        return (0, 0)
    if isinstance(value, str):
        return (1 if value else 0, len(value))
    if isinstance(value, (list, tuple)):
        return (1, len(value)) if value else (0, 0)
    if hasattr(value, "shape") and not is_number(value):
        dims = list(value.shape)
        if len(dims) < 2:
            dims = [*dims, 1, 1][:2]
        while len(dims) > 2 and dims[-1] == 1:
            dims.pop()
        return tuple(dims)
    return (1, 1)


def is_empty(value: Any) -> bool:
    """MATLAB's isempty: None, '', [] and arrays without entries."""
    return 0 in size(value)


def is_numeric(value: Any) -> bool:
    """MATLAB's isnumeric: numbers of any class, no flags and no text."""
    return class_name(value) not in ("char", "cell", "struct", "logical")


def class_name(value: Any) -> str:
    """MATLAB's class of a value: 'double', 'single', 'logical', 'int8', 'char', 'cell', ..."""
    if value is None:
        return "double"
    if isinstance(value, str):
        return "char"
    if isinstance(value, (list, tuple)):
        return "cell"
    if isinstance(value, (Mapping, StructArray)):
        return "struct"
    if isinstance(value, (bool, np.bool_)):
        return "logical"
    if isinstance(value, (int, float, complex)):
        return "double"
    kind = np.dtype(value.dtype)
    if kind.kind in "OU":
        return "cell" if kind.kind == "O" else "char"
    if kind.kind == "c":
        return "double" if kind.itemsize == 16 else "single"
    return _CLASS_NAMES.get(kind.name, kind.name)


def number(value: float, template: str = "%g") -> str:
    """Print a number as MATLAB does: NaN, Inf and -Inf have capitals."""
    text = template % value
    return text.replace("nan", "NaN").replace("inf", "Inf")


def vector_text(values: Sequence[float]) -> str:
    """Whole numbers as ``num2str`` prints a row: two spaces, columns of one width."""
    texts = ["NaN" if np.isnan(v) else f"{int(v)}" for v in values]
    width = max((len(t) for t in texts), default=0) + 2
    return "".join(t.rjust(width) for t in texts).strip()


def describe(value: Any) -> str:
    """Say a few words on a value, for error messages."""
    dims = "x".join(str(d) for d in size(value))
    kind = class_name(value)
    if isinstance(value, str) and len(value) <= 60:
        return f"'{value}'"
    if is_empty(value):
        return f"empty ({dims} {kind})"
    is_array = isinstance(value, np.ndarray) and value.dtype.kind in "fiub"
    real = is_array or (is_number(value) and not np.iscomplexobj(value))
    if real and math.prod(size(value)) == 1:
        return number(scalar(value), "%.6g")
    if real and kind == "double" and size(value)[0] == 1 and math.prod(size(value)) <= 6:
        return "[" + " ".join(number(v, "%.6g") for v in np.ravel(value)) + "]"
    return f"{dims} {kind}"


def parse_options(
    caller: str, defaults: Mapping[str, Any], options: Mapping[str, Any]
) -> dict[str, Any]:
    """Merge the user's options into the defaults; an unknown name is an error.

    Raises
    ------
    OptionError
        ``octcompress:CALLER:unknownOption``.
    """
    merged = dict(defaults)
    for name, value in options.items():
        if name not in merged:
            fail(
                caller,
                "unknownOption",
                f"there is no option '{name}'; the options are {', '.join(defaults)}",
            )
        merged[name] = row_of_numbers(value)
    return merged


def row_of_numbers(value: Any) -> Any:
    """Make a list of nothing but numbers the row that it stands for."""
    if isinstance(value, (list, tuple)) and value and all(is_number(v) for v in value):
        return np.array([value], float)
    return value


def check(caller: str, name: str, value: Any, kind: str, limits: Any = None) -> None:
    """Refuse a value that is not of the kind an argument needs.

    Parameters
    ----------
    kind : str
        ``number`` or ``integer`` in ``limits = (low, high)``, ``flag``, ``choice`` of `limits`,
        ``text``, or ``finite``: a real single or double array without NaN and Inf; `limits` may
        then say where it stands, for the message.

    Raises
    ------
    OctcompressError
        ``octcompress:CALLER:badValue``; for ``finite`` ``badType`` and ``notFinite``.
    """
    shown = name.upper()
    if kind in ("number", "integer"):
        low, high = limits
        fine = is_real_scalar(value)
        if fine:
            x = scalar(value)
            fine = math.isfinite(x) and low <= x <= high and (kind == "number" or x == int(x))
        if not fine:
            what = "a whole number" if kind == "integer" else "a number"
            between = f"from {number(low)} to {number(high)}"
            fail(caller, "badValue", f"{shown} must be {what} {between}, but is {describe(value)}")
    elif kind == "flag":
        if not is_real_scalar(value) or scalar(value) not in (0, 1):
            fail(caller, "badValue", f"{shown} must be true or false, but is {describe(value)}")
    elif kind == "choice":
        if not isinstance(value, str) or value not in limits:
            known = "', '".join(limits)
            fail(caller, "badValue", f"{shown} must be one of '{known}', but is {describe(value)}")
    elif kind == "text":
        if not isinstance(value, str) or not value:
            fail(caller, "badValue", f"{shown} must be text, but is {describe(value)}")
    elif kind == "finite":
        where = f" of {limits}" if limits else ""
        if class_name(value) not in ("single", "double") or np.iscomplexobj(value):
            fail(
                caller,
                "badType",
                f"{shown}{where} must be a real single or double array, but is {describe(value)}",
            )
        entries = np.ravel(value_array(value), order="F")
        wrong = np.flatnonzero(~np.isfinite(entries))
        if wrong.size:
            k = int(wrong[0])
            fail(
                caller,
                "notFinite",
                f"{shown}{where} must be finite, but element {k + 1} of {entries.size} is "
                f"{number(float(entries[k]))}; repair or retrain the model first",
            )
    else:
        raise AssertionError(kind)


def is_real_scalar(value: Any) -> bool:
    """Whether a value is one real number or flag, as a Python scalar or an array of one entry."""
    if isinstance(value, np.ndarray):
        return value.size == 1 and value.dtype.kind in "fiub"
    return is_number(value) and not np.iscomplexobj(value)


def scalar(value: Any) -> float:
    """Return the number in a Python scalar or an array of one entry, as a float."""
    return float(np.asarray(value).item())


def value_array(value: Any) -> Array:
    """Make a value an array of at least two dimensions; a vector is a column, None is 0 x 0."""
    if value is None:
        return np.zeros((0, 0))
    array = np.asarray(value)
    if array.dtype.kind in "iu" and not isinstance(value, (np.ndarray, np.generic)):
        array = array.astype(float)
    return array.reshape(size(array)) if array.ndim < 2 else array


def plain(array: Any) -> Any:
    """Give an array as the Python API does.

    Trailing dimensions of 1 go, a 1 x 1 double is a float and a 1 x 1 logical a bool.
    """
    array = value_array(array)
    array = array.reshape(size(array))
    if array.shape == (1, 1) and array.dtype == np.float64:
        return float(array[0, 0])
    if array.shape == (1, 1) and array.dtype == np.bool_:
        return bool(array[0, 0])
    return array


def one_class(*arrays: Array) -> list[Array]:
    """Bring arrays to one class as MATLAB does: single where any of them is, else double."""
    kind = np.float32 if any(a.dtype == np.float32 for a in arrays) else np.float64
    return [a.astype(kind, copy=False) for a in arrays]


def round_half_away(x: Array) -> Array:
    """Round to whole numbers, halves away from zero, as MATLAB does (NumPy rounds to even)."""
    whole = np.trunc(x)
    with np.errstate(invalid="ignore"):  # Inf - Inf
        up = np.abs(x - whole) >= 0.5
    return whole + np.copysign(up, x).astype(x.dtype)


def sequential_sum(x: Array) -> float:
    """Sum in double, one entry after the other in linear order, as Octave adds.

    NumPy's own sum adds pairwise and may differ in the last bits.
    """
    entries = np.ravel(x, order="F").astype(np.float64)
    return float(np.cumsum(entries)[-1]) if entries.size else 0.0


def share(part: float, whole: float) -> float:
    """Divide a part by the whole; 0 of nothing."""
    return part / max(whole, 1)
