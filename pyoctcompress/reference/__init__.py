"""The executable specification of octcompress in plain NumPy.

One module for each folder of the Octave package, with the same function names; the public verbs
are in `pyoctcompress.reference.verbs`. ``docs/numerics.md`` says where both implementations agree
to the bit, and where to a tolerance.
"""
