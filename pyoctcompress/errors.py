"""The errors of octcompress: the same identifiers and messages from Octave and from NumPy.

An identifier reads ``octcompress:FUNCTION:TAG``. The tag chooses the Python class, so that
``except OptionError`` catches a misspelt option whichever backend found it.
"""

from __future__ import annotations


class OctcompressError(Exception):
    """Base of every error that octcompress raises on purpose.

    Parameters
    ----------
    message : str
        The sentence for the user, ``function: ARGUMENT must be ..., but is ...``.
    identifier : str
        ``octcompress:function:tag``, or Octave's own identifier, or empty.
    stack : str
        Where it happened, a line per frame; empty where that is not known.
    octave : bool
        Whether Octave raised it.
    """

    def __init__(
        self, message: str, identifier: str = "", stack: str = "", octave: bool = False
    ) -> None:
        super().__init__(message)
        self.message = message
        self.identifier = identifier
        self.stack = stack
        self.octave = octave

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.message, self.identifier, self.stack, self.octave)

    @property
    def tag(self) -> str:
        """The last part of the identifier: the kind of fault."""
        return self.identifier.rpartition(":")[2]


class OptionError(OctcompressError, ValueError):
    """An option or argument is unknown or has a value that is not allowed."""


class ModelError(OctcompressError, ValueError):
    """The model is not one, or is not fit for what was asked."""


class DataError(OctcompressError, ValueError):
    """Observations or labels do not fit the model or each other."""


class FileError(OctcompressError, OSError):
    """A file could not be read or written, or is not what it should be."""

    def __str__(self) -> str:
        return self.message


class SessionError(OctcompressError, RuntimeError):
    """Octave is missing, died, or ran out of its time."""


class OctaveError(OctcompressError, RuntimeError):
    """An error raised in Octave that has no octcompress identifier."""


_TAGS: tuple[tuple[type[OctcompressError], str], ...] = (
    (
        OptionError,
        "unknownOption badOption badValue badType badGrid badCall unknownOutput "
        "badRecipe noGoal budget",
    ),
    (
        ModelError,
        "notModel badModel badLayer badSize badInputs unknownType unknownLayer unknownInput "
        "duplicateName notFinite noTensors wrongResult unsupported notQuantized",
    ),
    (DataError, "badData badLabels badInput"),
    (
        FileError,
        "badFile noFile version version73 foreignHdf5 objects gitLfs truncated damaged notPacked "
        "notWritten tooLarge badName",
    ),
    (SessionError, "noOctave died timeout noLibrary"),
)
_CLASS_OF_TAG = {tag: kind for kind, tags in _TAGS for tag in tags.split()}


def error_from(
    identifier: str, message: str, stack: str = "", octave: bool = False
) -> OctcompressError:
    """Make the error whose class fits the identifier's tag.

    Parameters
    ----------
    identifier : str
        ``octcompress:function:tag``; anything else gives `OctaveError` where `octave` is true.
    message : str
        The sentence for the user.
    stack : str
        Where it happened.
    octave : bool
        Whether Octave raised it.

    Returns
    -------
    OctcompressError
        Not raised: ``raise error_from (...)``.

    Examples
    --------
    >>> type(error_from("octcompress:nn_prune:unknownOption", "nn_prune: no")).__name__
    'OptionError'
    """
    prefix, _, tag = identifier.rpartition(":")
    if prefix.partition(":")[0] == "octcompress":
        kind = _CLASS_OF_TAG.get(tag, OctcompressError)
    else:
        kind = OctaveError if octave else OctcompressError
    return kind(message, identifier, stack, octave)
