"""What `voiceloop doctor` found of one thing."""

from typing import NamedTuple


class Finding(NamedTuple):
    """One thing looked at. `mend` says what to do where it is not ok."""

    name: str
    ok: bool
    detail: str
    mend: str = ""
