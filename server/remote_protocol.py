"""What goes between the command line and the server that it sends a command to."""

import base64
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from agent.settings import Settings
from server.terminal import Look

PATH: Final = "/local/commands"
MCP_PATH: Final = "/mcp"
# With the local token: who sits at the command line, as JSON of SentAsker.
ASKER_HEADER: Final = "X-VoiceLoop-Asker"
# What a command may be sent on standard input.
STDIN_BYTES: Final = 1_000_000


class SentAsker(BaseModel):
    """Who sits at the command line, by its own settings."""

    user: str
    role: Literal["viewer", "analyst", "manager", "admin", "service"]
    scope: tuple[str, ...]
    language: Literal["zh", "en"]


def asker_sent(settings: Settings) -> SentAsker:
    """Whom the settings of this process name."""
    return SentAsker(user=settings.user, role=settings.role, scope=settings.scope, language=settings.language)


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
