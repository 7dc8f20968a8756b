"""Read everything in an HDF5 file, in a process of its own: ``python -P hdf5_probe.py FILE ...``.

The HDF5 library crashes on some damaged files. What this process survives, `hdf5` reads.
Nothing but h5py is imported.
"""

from __future__ import annotations

import resource
import sys
from typing import Any

_LARGEST = 1 << 20  # of a dataset that has hardly a byte in the file, as in `hdf5`
_LARGEST_INFLATION = 1040
_DEEPEST = 100


def main(path: str, seconds: str, memory: str) -> None:
    """Open a file and touch all there is in it."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import h5py

    def touch(item: Any, depth: int) -> None:
        for name in item.attrs:
            item.attrs.get(name)
        if isinstance(item, h5py.Dataset):
            bytes_read = item.dtype.itemsize * (item.size or 0)
            most = max(_LARGEST_INFLATION * item.id.get_storage_size(), _LARGEST)
            if not item.is_virtual and not item.external and bytes_read <= most:
                item[()]
        elif isinstance(item, h5py.Group) and depth < _DEEPEST:
            for name in item:
                if isinstance(item.get(name, getlink=True), h5py.HardLink):
                    key = h5py.h5o.get_info(item[name].id).addr
                    if key not in passed:
                        passed.add(key)
                        touch(item[name], depth + 1)

    passed: set[Any] = set()
    with h5py.File(path, "r") as file:
        touch(file, 0)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}".split("\n")[0])
