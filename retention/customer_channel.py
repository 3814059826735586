"""Reaching customers: one Protocol for every way, and what may come of it."""

from typing import Protocol

from store.errors import VoiceLoopError
from store.record import Record


class Letter(Record):
    """What a customer is sent. `letter_id` is the message's, the same at a repetition: the idempotency key.

    `address` is what the channel knows the customer by; it is neither stored nor logged. `kind`: playbook or
    survey.
    """

    letter_id: str
    kind: str
    customer_id: str
    address: str
    language: str
    title: str
    text: str


class NotReached(VoiceLoopError):
    """A letter has certainly not arrived. `lasting`: nor will it, if it is sent again.

    Its message never holds an address.
    """

    def __init__(self, message: str, *, lasting: bool = False) -> None:
        super().__init__(message)
        self.lasting = lasting


class PerhapsReached(VoiceLoopError):
    """Nobody knows whether a letter has arrived: the connection ended after it had been handed over."""


class CustomerChannel(Protocol):
    """A way to customers. `name` is what the policy, opt-outs and records call it."""

    @property
    def name(self) -> str:
        """The channel's name."""
        ...

    @property
    def repeatable(self) -> bool:
        """Whether the same letter may be handed over again without being delivered again."""
        ...

    def address(self, customer_id: str) -> str | None:
        """What the channel knows a customer by; None where it cannot reach them."""
        ...

    def send(self, letter: Letter) -> None:
        """Hand one letter over. Raises NotReached, or PerhapsReached where that cannot be told."""
        ...
