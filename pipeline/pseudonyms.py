"""Pseudonyms: the same person or number under the same numbered placeholder within one conversation.

`[NAME_1]`, `[NAME_2]`, `[PHONE_1]` ... say who is who inside a conversation and nothing across conversations.
What they stand for is forgotten with the run, unless they are reversible: then it is sealed with a key of the
user's (AES-SIV, RFC 5297, with the scope as associated data) and kept in the vault.
"""

import base64
import binascii
import json
import re
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from pipeline.mask import Grade, mask
from pipeline.mask_find import placeholder
from pipeline.writing import Scoped, conversation_scope, item_scope
from store.errors import ConfigError, StoreError, ToolInputError
from store.facts import FactStore, Find, Selection
from store.records import Feedback
from store.vault import Vault

_KEPT: Final = 20_000
_MOST_TURNS: Final = 100_000
_SEPARATORS: Final = re.compile(r"[\W_]+")
Names = dict[str, list[str]]


class Seal:
    """Seals and opens what pseudonyms stand for. Raises ConfigError for a key that is none."""

    def __init__(self, key: str) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV

        try:
            raw = base64.b64decode(key.strip().translate(str.maketrans("-_", "+/")), validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) != 64:
            raise ConfigError(
                "VOICELOOP_PSEUDONYM_KEY is not 64 bytes in base64",
                hint="make one: openssl rand -base64 64 | tr -d '\\n'",
            )
        self._cipher = AESSIV(raw)

    def close(self, scope: str, names: Names) -> str:
        """Return the names of a scope as text that only the key opens."""
        told = json.dumps(names, ensure_ascii=False, sort_keys=True).encode()
        return base64.b64encode(self._cipher.encrypt(told, [scope.encode()])).decode()

    def open(self, scope: str, sealed: str) -> Names:
        """Return the names of a scope. Raises StoreError where key, scope or text do not belong together."""
        from cryptography.exceptions import InvalidTag

        try:
            told = self._cipher.decrypt(base64.b64decode(sealed), [scope.encode()])
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise StoreError(
                "the sealed pseudonyms cannot be opened",
                hint="VOICELOOP_PSEUDONYM_KEY is not the key they were sealed with",
            ) from error
        names: Names = json.loads(told)
        return names


class Pseudonyms:
    """Masks items with numbered placeholders, by scope.

    Numbers go on from the highest that a conversation uses already. With a vault the same person keeps the
    number in a later run; without one, a later run gives a new number: it may miss that two are the same, and
    never says that two are the same who are not.
    """

    def __init__(
        self,
        facts: FactStore,
        grades: Collection[Grade],
        vault: Vault | None = None,
        seal: Seal | None = None,
    ) -> None:
        self._facts = facts
        self._grades = grades
        self._vault = vault
        self._seal = seal
        self._known: OrderedDict[str, Names] = OrderedDict()

    def __call__(self, items: Sequence[Scoped]) -> list[dict[str, str]]:
        """Return, for each item, its values and their masked form."""
        self._recall(items)
        before = {item.scope: _size(self._known[item.scope]) for item in items}
        masked = [
            {value: self._masked(value, self._known[item.scope]) for value in dict.fromkeys(item.values)}
            for item in items
        ]
        if self._vault is not None and self._seal is not None:
            changed = [scope for scope, size in before.items() if _size(self._known[scope]) > size]
            self._vault.save({scope: self._seal.close(scope, self._known[scope]) for scope in changed})
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return masked

    def revealed(self, feedback: Feedback) -> dict[str, str]:
        """Return what each placeholder of an item stands for.

        Raises ToolInputError where pseudonyms are not reversible or nothing is sealed for the item, and
        StoreError where the key is not the right one.
        """
        if self._vault is None or self._seal is None:
            raise ToolInputError("nothing to open: VOICELOOP_PSEUDONYMS is not reversible")
        scope = (
            item_scope(feedback.feedback_id)
            if feedback.conversation_id is None
            else conversation_scope(feedback.source, feedback.conversation_id)
        )
        sealed = self._vault.read([scope]).get(scope)
        if sealed is None:
            raise ToolInputError(f"nothing is sealed for {feedback.feedback_id!r}: it was masked for good")
        names = self._seal.open(scope, sealed)
        told: dict[str, str] = {}
        for text in (feedback.text, *feedback.attributes.values()):
            for found in placeholder().finditer(text):
                number = int(found[2] or 0)
                values = names.get(found[1], [])
                if 1 <= number <= len(values) and values[number - 1]:
                    told[found.group()] = values[number - 1]
        return told

    def _recall(self, items: Sequence[Scoped]) -> None:
        """Make sure that what is known of each scope is at hand."""
        missing = dict.fromkeys(item.scope for item in items if item.scope not in self._known)
        if missing and self._vault is not None and self._seal is not None:
            for scope, sealed in self._vault.read(list(missing)).items():
                self._known[scope] = self._seal.open(scope, sealed)
        used = self._numbers_used([item for item in items if item.scope not in self._known])
        for item in items:
            if item.scope not in self._known:
                # Numbers of an earlier run are taken: whom they stood for is not known any more.
                self._known[item.scope] = {kind: [""] * top for kind, top in used.get(item.scope, {}).items()}
            self._known.move_to_end(item.scope)

    def _numbers_used(self, items: Sequence[Scoped]) -> Mapping[str, dict[str, int]]:
        ids = tuple(dict.fromkeys(item.conversation[1] for item in items if item.conversation is not None))
        if not ids:
            return {}
        selection = Selection(filters={"conversation_id": ids, "speaker": (None, "customer", "agent")})
        used: dict[str, dict[str, int]] = {}
        for stored in self._facts.find(Find(selection=selection, order="id", limit=_MOST_TURNS)):
            feedback = stored.feedback
            tops = used.setdefault(conversation_scope(feedback.source, feedback.conversation_id or ""), {})
            for text in (feedback.text, *feedback.attributes.values()):
                for found in placeholder().finditer(text):
                    tops[found[1]] = max(tops.get(found[1], 0), int(found[2] or 0))
        return used

    def _masked(self, text: str, names: Names) -> str:
        pieces: list[str] = []
        at = 0
        spans = [(span.start, span.end, span.type) for span in mask(text, self._grades).spans]
        for start, end, kind in sorted((*spans, *_repeated(text, names.get("NAME", []), spans))):
            number = _number_of(text[start:end], kind, names.setdefault(kind, []))
            pieces += (text[at:start], f"[{kind}_{number}]")
            at = end
        return "".join((*pieces, text[at:]))


def _repeated(
    text: str, names: Sequence[str], spans: Sequence[tuple[int, int, str]]
) -> Iterator[tuple[int, int, str]]:
    """Names told earlier in the conversation, where the text repeats them with nothing to give them away."""
    taken = list(spans)
    for name in names:
        if len(name) < (4 if name.isascii() else 2):
            continue
        bounds = r"\b" if name.isascii() else ""
        for match in re.finditer(f"{bounds}{re.escape(name)}{bounds}", text):
            if all(match.end() <= start or end <= match.start() for start, end, _ in taken):
                taken.append((match.start(), match.end(), "NAME"))
                yield taken[-1]


def _size(names: Names) -> int:
    return sum(map(len, names.values()))


def _number_of(value: str, kind: str, values: list[str]) -> int:
    """The number of a value among those known; a new one is added."""
    own = _bare(value)
    for at, known in enumerate(values):
        if known and (_bare(known) == own or (kind == "NAME" and _part_of(value, known))):
            return at + 1
    if kind == "NAME":
        longer = [at for at, known in enumerate(values) if known and _part_of(known, value)]
        if len(longer) == 1:
            # First only "Smith", now "John Smith": one person, better known.
            values[longer[0]] = value
            return longer[0] + 1
    values.append(value)
    return len(values)


def _part_of(short: str, whole: str) -> bool:
    """Whether a name is a part of another: John of John Smith, 张 (先生) of 张伟."""
    if short.isascii():
        return set(short.lower().split()) <= set(whole.lower().split())
    return len(short) == 1 and whole.startswith(short)


def _bare(value: str) -> str:
    return _SEPARATORS.sub("", value).lower()
