"""What goes between the command line and the server that it sends a command to."""

import base64
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from server.terminal import Look

PATH: Final = "/local/commands"
# What a command may be sent on standard input.
STDIN_BYTES: Final = 1_000_000


class SentAsker(BaseModel):
    """Who sits at the command line, by its own settings."""

    user: str
    role: Literal["viewer", "analyst", "manager", "admin", "service"]
    scope: tuple[str, ...]
    language: Literal["zh", "en"]


class SentCommand(BaseModel):
    """A command as it was typed, in which folder and at what terminal. `stdin` is base64."""

    model_config = ConfigDict(extra="forbid")

    version: str
    args: list[str]
    folder: str
    stdin: str
    out: Look
    err: Look
    asker: SentAsker


class Frame(BaseModel):
    """A piece of output (base64), or the end with its exit status; one JSON line each."""

    stream: Literal["out", "err", "exit"]
    data: str = ""
    status: int = 0

    @classmethod
    def of(cls, stream: Literal["out", "err"], data: bytes) -> "Frame":
        """A piece of output."""
        return cls(stream=stream, data=base64.b64encode(data).decode())

    @property
    def bytes(self) -> bytes:
        """The output."""
        return base64.b64decode(self.data)
