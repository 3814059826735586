"""Cases for masking: invented personal data in sentences as customers write them, and look-alikes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from evals.masking_values import Values

_TEMPLATES: Final = Path(__file__).with_name("masking_templates.yaml")
SEED: Final = 20261122
# Kinds that need context by their nature; all others are structured.
FREE_KINDS: Final = frozenset(
    ("name_zh", "nickname_zh", "name_minority", "name_en", "given_en", "address_zh", "address_en")
)
# Kinds whose shape speaks without any word beside it.
_SPEAKING: Final = frozenset(
    (
        "resident_id",
        "mobile",
        "bank_card",
        "plate",
        "email",
        "ip",
        "mac",
        "iban",
        "ssn",
        "url",
        "wallet",
        "gps",
    )
)


class MaskingCase(NamedTuple):
    """`text[start:end]` is personal data of `kind`; a look-alike has `kind` empty and hides nothing."""

    text: str
    kind: str
    language: str
    start: int = 0
    end: int = 0


def masking_cases(seed: int = SEED, per_kind: int = 75, look_alikes: int = 800) -> list[MaskingCase]:
    """Return the suite: `per_kind` cases of each kind and `look_alikes` without personal data."""
    templates: dict[str, Any] = yaml.safe_load(_TEMPLATES.read_text(encoding="utf-8"))
    values = Values(seed)
    cases = [case for kind in templates["kinds"] for case in _of_kind(kind, templates, values, per_kind)]
    return cases + list(_look_alikes(templates["look_alikes"], values, look_alikes))


def _of_kind(kind: str, templates: dict[str, Any], values: Values, count: int) -> Iterator[MaskingCase]:
    own = [(language, text) for language in ("zh", "en") for text in templates["kinds"][kind][language]]
    if kind in _SPEAKING:
        own += [(language, text) for language in ("zh", "en") for text in templates["any"][language]]
    for at in range(count):
        language, template = own[at % len(own)]
        if "{s}" in template:
            value, slot = values.make("nickname_surnames_zh"), "{s}"
        else:
            value = values.make("birth_date_en" if (kind, language) == ("birth_date", "en") else kind)
            slot = "{v}"
        start = template.index(slot)
        yield MaskingCase(template.replace(slot, value), kind, language, start, start + len(value))


def _look_alikes(templates: dict[str, list[str]], values: Values, count: int) -> Iterator[MaskingCase]:
    listed = [(language, text) for language, texts in templates.items() for text in texts]
    for at in range(count):
        language, template = listed[at % len(listed)]
        text = template
        while "{" in text:
            name = text[text.index("{") + 1 : text.index("}")]
            text = text.replace(f"{{{name}}}", _harmless(name, values), 1)
        yield MaskingCase(text, "", language)


def _harmless(name: str, values: Values) -> str:
    """A price, a date, a version ...; `n3` is a number of three digits."""
    if (digits := re.fullmatch(r"n(\d)", name)) is not None:
        return values.make("digits_" + digits[1])
    return values.make(name)
