"""The number lock on streamed text: a sentence is let through once it is complete and holds."""

from agent.figures import Figure
from agent.lock_reasons import FailedClaim
from agent.lock_sentences import sentence_end
from agent.number_lock import Bound, Checked, NumberLock


class StreamLock:
    """Takes an answer in pieces, gives back its checked sentences; the verdict is that of the whole text."""

    def __init__(self, lock: NumberLock) -> None:
        self._lock = lock
        self._text = ""
        self._at = 0
        self._bound: list[Bound] = []
        self._unbound: list[Figure] = []
        self._claims: list[FailedClaim] = []

    def feed(self, piece: str) -> str:
        """Take in more text; return the sentences that are now complete and hold (often nothing yet)."""
        self._text += piece
        return self._release(complete=False)

    def close(self) -> str:
        """The text has ended: return what is left of it and holds."""
        return self._release(complete=True)

    @property
    def checked(self) -> Checked:
        """The outcome for the sentences so far."""
        return Checked(tuple(self._bound), tuple(self._unbound), tuple(self._claims))

    def _release(self, *, complete: bool) -> str:
        released = []
        while self._at < len(self._text):
            end = sentence_end(self._text, self._at, complete=complete)
            if end < 0:
                break
            outcome = self._lock.check_sentence(self._text, self._at, end)
            if not outcome.claims:
                released.append(self._text[self._at : end])
            self._bound += outcome.bound
            self._unbound += outcome.unbound
            self._claims += outcome.claims
            self._at = end
        return "".join(released)
