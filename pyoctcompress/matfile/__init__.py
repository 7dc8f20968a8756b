"""Read all kinds of .mat files, and write MATLAB's, with exact classes and shapes.

Read are MATLAB's -v4, -v6, -v7 and -v7.3 and Octave's -text, -binary and -hdf5; written are
MATLAB's -v6, -v7 and -v7.3. Version 4 has no classes but double and char.

===================  =====================================================
MATLAB               Python
===================  =====================================================
double 1 x 1         float (complex where it has an imaginary part)
logical 1 x 1        bool
other arrays         ndarray of MATLAB's own shape, at least 2-D
char row, empty      str (UTF-16 in the file)
char M x N           ndarray of dtype ``<U1``, M x N
scalar struct        dict
other struct arrays  `StructArray`
cell 1 x N, N x 1    list (N x 1 is written back as 1 x N)
cell M x N, N-D      ndarray of dtype object, M x N
sparse               scipy.sparse.csc_array
===================  =====================================================

Going out, a Python int becomes a double, a 1-D array a column, a tuple a cell; a list is always a
cell, so numbers belong in arrays. What no MATLAB class can hold is refused with its place in the
model (``layers[2].weights``).

The readers are this package's own: SciPy's turns logical into uint8, drops imaginary parts, and
crashes the process on damaged files. These check each length against the bytes that are there
before they use it, so a damaged file gives a `FileError` or a value, and never more memory than a
small multiple of what the file holds. HDF5 (-v7.3, -hdf5) is read through the library h5py.
"""

from __future__ import annotations

from pyoctcompress.matfile.reading import check, load
from pyoctcompress.matfile.types import StructArray
from pyoctcompress.matfile.writing import nbytes, save, save_packed
from pyoctcompress.matfile.writing73 import save73

__all__ = ["StructArray", "check", "load", "nbytes", "save", "save73", "save_packed"]
