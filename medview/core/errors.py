"""The error tree.

Every message is one sentence for a person: what happened, to which file, what to do. Technical details travel in ``detail``
and go to the log only. Messages and details never carry patient identity.

::

    MedViewError
    ├── ReadError            a file could not be read
    │   └── RefusedError     a file was refused before parsing (budget, nesting, declared lengths)
    ├── WriteError           a file could not be written
    │   └── DiskFullError    the disk has no room
    ├── GeometryError        two grids do not belong together, or a grid has no millimetres
    ├── LabelError           a label change cannot be applied
    │   └── StalePatchError  the labels under a patch have moved on
    ├── ModelError           a model could not run
    │   ├── DeviceError      the computer was to blame, not the model or the series
    │   │   └── GraphicsError  the graphics card was: the processor would do the same work
    │   └── PackError        a model pack is damaged or not understood
    ├── StoreError           a project could not be opened or written
    │   ├── NewerVersionError
    │   ├── LockedError
    │   └── DamagedError     its database is damaged, and can be recovered
    ├── AmbiguousError       the input names more than one thing; the command line exits with 2
    └── CancelledError       the person pressed Cancel; not a failure
"""

from __future__ import annotations


class MedViewError(Exception):
    """Base of all errors MedView reports to a person.

    Parameters
    ----------
    sentence : str
        What happened, to which file, what to do. Shown as it is.
    detail : str
        For the log.
    """

    def __init__(self, sentence: str, *, detail: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.detail = detail

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only state has to survive the trip between processes.
        return (_rebuild, (type(self), self.sentence, self.detail))


def _rebuild(kind: type[MedViewError], sentence: str, detail: str) -> MedViewError:
    return kind(sentence, detail=detail)


class ReadError(MedViewError):
    """A file could not be read."""


class RefusedError(ReadError):
    """A file was refused before parsing because it asks for more than the budget allows."""


class WriteError(MedViewError):
    """A file could not be written."""


class DiskFullError(WriteError):
    """The disk has no room for what was to be written."""


class GeometryError(MedViewError):
    """Two grids do not belong together, or a grid lacks the millimetres an operation needs."""


class OtherGridError(GeometryError):
    """Labels were made on a grid that is not the images'; somebody may look at where they would come down."""


class LabelError(MedViewError):
    """A label change cannot be applied."""


class StalePatchError(LabelError):
    """The labels under a patch have changed since the patch was computed."""


class ModelError(MedViewError):
    """A model could not run on this input or this computer."""


class DeviceError(ModelError):
    """The computer could not run a model: memory, driver, graphics card, processor or torch itself."""


class GraphicsError(DeviceError):
    """The graphics card could not run a model; the processor would do the same work, slower."""


class PackError(ModelError):
    """A model pack is damaged, incomplete or not understood."""


class StoreError(MedViewError):
    """A project could not be opened or written."""


class NewerVersionError(StoreError):
    """The project was written by a newer MedView."""


class LockedError(StoreError):
    """Another window or person is writing this project."""


class DamagedError(StoreError):
    """The database of a project is damaged; what is left of it can be read and recovered."""


class AmbiguousError(MedViewError):
    """The input names more than one candidate; the person has to choose."""


class CancelledError(MedViewError):
    """The job was cancelled by the person."""

    def __init__(self, sentence: str = "Cancelled.", *, detail: str = "") -> None:
        super().__init__(sentence, detail=detail)
