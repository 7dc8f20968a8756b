"""The version of the Python package, the command and the Octave package alike."""

__version__ = "0.1.0"
