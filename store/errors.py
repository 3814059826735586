"""Every error VoiceLoop raises on purpose.

VoiceLoopError
 ├─ ToolInputError      the model or caller asked for something a tool cannot do; its words go to the model
 │   └─ Outdated        somebody else has changed the record since it was read; read it again
 ├─ InputError          a file or row from outside is not usable; its words go to the person
 ├─ NotPermitted        the asker's role or scope does not allow it (never phrased as "does not exist")
 ├─ ConfigError         a setting, policy or taxonomy file is wrong
 ├─ ModelUnavailable    the model endpoint cannot be reached or answers uselessly
 │   └─ NotLabelled     a label server gave no labels for a text; `reason` is that of the label queue
 └─ StoreError          facts or operations cannot be read or written
     ├─ StoreLocked     another process owns the data folder
     └─ StoreFull       the disk is full; nothing of the batch was written
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from store.label_cache import QueueReason


class VoiceLoopError(Exception):
    """Base of the tree. `hint` says what the person can do about it."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def kind(self) -> str:
        """Its name in the tree above: a class made elsewhere counts as the one it refines."""
        return next(one.__name__ for one in type(self).__mro__ if one.__module__ == __name__)


class ToolInputError(VoiceLoopError):
    """Arguments a tool cannot serve; the message tells the model how to ask instead."""


class Outdated(ToolInputError):
    """The record has changed since the caller read it; nothing was written."""


class InputError(VoiceLoopError):
    """Input from outside that cannot be read at all (as opposed to a rejected row)."""


class NotPermitted(VoiceLoopError):
    """The asker may not do or see this."""


class ConfigError(VoiceLoopError):
    """A setting or a data file of ours is wrong."""


class ModelUnavailable(VoiceLoopError):
    """The model endpoint is down, refuses, or answers uselessly."""


class NotLabelled(ModelUnavailable):
    """A label server gave no labels. `reason` is one of the label queue's; `requests` were spent on it."""

    def __init__(self, reason: "QueueReason", message: str, *, hint: str = "", requests: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.reason: QueueReason = reason
        self.requests = requests


class StoreError(VoiceLoopError):
    """The facts or the operations cannot be read or written."""


class StoreLocked(StoreError):
    """Another process owns the data folder."""


class StoreFull(StoreError):
    """The disk is full; nothing of the current batch was written."""
