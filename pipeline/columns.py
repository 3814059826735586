"""Which column is which: guessed from headers and contents, overridable, and shown with the reasons."""

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pipeline.numbers import Scale, fit_scale, guess_scale
from pipeline.profiles import LONG_VALUE, ColumnProfile
from pipeline.vocabulary import names, normal
from store.errors import InputError

Kind = Literal["feedback", "customers", "events", "outcomes", "rates"]

SCORE_SCALES: MappingOf[str, Scale] = {
    "nps": Scale(0, 10),
    "csat": Scale(1, 5),
    "ces": Scale(1, 7),
    "rating": Scale(1, 5),
}
FIELDS: MappingOf[str, tuple[str, ...]] = {
    "feedback": (
        *("text", "occurred_at", "occurred_time", "feedback_id", "customer_id", "conversation_id"),
        *("turn", "speaker", "channel", "nps", "csat", "ces", "rating", "region", "city", "product"),
        *("version", "org_unit", "customer_type", "tier", "media"),
    ),
    "customers": (
        *("customer_id", "name", "customer_type", "tier", "region", "city", "org_unit", "owner"),
        *("lifetime_value", "since", "renewal_on"),
    ),
    "events": ("event_id", "customer_id", "occurred_at", "kind", "detail", "value"),
    "outcomes": ("customer_id", "occurred_at", "outcome", "value"),
    "rates": ("theme", "rate", "n", "source"),
}
_DIMENSIONS = ("region", "city", "product", "version", "org_unit", "customer_type", "tier", "media")


@dataclass(frozen=True)
class Choice:
    """What one column becomes: a field, `metric:NAME`, `dim:NAME` or `-` (left out), and why.

    `scale` bounds a score; a value outside is impossible. `words` says that scores are given in words.
    `free` says that values may hold anything, personal data too, and are masked. `prefixed` says that an
    id is only unique within its source.
    """

    column: str
    target: str
    reason: str
    scale: Scale | None = None
    words: bool = False
    free: bool = False
    prefixed: bool = False


@dataclass(frozen=True)
class Mapping:
    """How a table is read. `sparse_text` allows rows with neither text nor score: see `guess_mapping`."""

    kind: Kind
    choices: tuple[Choice, ...]
    sparse_text: bool = False

    def shown(self) -> dict[str, str]:
        """Return {field: column} without the columns left out, fields first."""
        taken = [choice for choice in self.choices if choice.target != "-"]
        taken.sort(key=lambda choice: ":" in choice.target)
        return {choice.target: choice.column for choice in taken}

    def ignored(self) -> dict[str, str]:
        """Return {column: reason} of the columns left out."""
        return {choice.column: choice.reason for choice in self.choices if choice.target == "-"}

    def reasons(self) -> dict[str, str]:
        """Return {column: reason} of the columns taken."""
        return {choice.column: choice.reason for choice in self.choices if choice.target != "-"}

    def scales(self) -> dict[str, str]:
        """Return {metric or score: scale}, such as {"overall_rating": "1-10"}."""
        return {
            choice.target.removeprefix("metric:"): str(choice.scale)
            for choice in self.choices
            if choice.scale is not None
        }

    def choice(self, target: str) -> Choice | None:
        """Return the choice for a target."""
        return next((choice for choice in self.choices if choice.target == target), None)


@dataclass
class Guess:
    """A mapping in the making: the columns, and the choices made so far."""

    kind: Kind
    profiles: dict[str, ColumnProfile]
    context: str
    choices: dict[str, Choice] = field(default_factory=dict)
    targets: set[str] = field(default_factory=set)

    def open(self) -> list[ColumnProfile]:
        """Return the columns not yet chosen, in order."""
        return [profile for name, profile in self.profiles.items() if name not in self.choices]

    def take(self, choice: Choice) -> None:
        """Settle one column."""
        self.choices[choice.column] = choice
        self.targets.add(choice.target)

    def wants(self, target: str) -> bool:
        """Whether no column has this target yet."""
        return target not in self.targets


def guess_mapping(
    profiles: dict[str, ColumnProfile],
    *,
    kind: Kind = "feedback",
    overrides: MappingOf[str, str] | None = None,
    context: str = "",
) -> Mapping:
    """Decide what each column is.

    `overrides` maps columns to targets and wins. `context` (the file's name) may say that a 0-10 score is
    a recommendation. Where a fifth of the rows have no text although other columns are filled, the table
    is a register whose rows count without words (`sparse_text`). Raises InputError, listing the columns,
    for an unknown column or target and where neither text nor score (or a required field) is found.
    """
    guess = Guess(kind, {name: p for name, p in profiles.items() if name}, context)
    _apply_overrides(guess, overrides or {})
    if kind == "feedback":
        from pipeline.guesses import guess_feedback

        guess_feedback(guess)
    else:
        _guess_records(guess)
    choices = tuple(guess.choices[name] for name in guess.profiles)
    mapping = Mapping(kind, choices, sparse_text=_text_is_sparse(guess))
    _require(mapping, guess)
    return mapping


def _apply_overrides(guess: Guess, overrides: MappingOf[str, str]) -> None:
    for column, target in overrides.items():
        if column not in guess.profiles:
            raise InputError(
                f"there is no column {column!r}; the columns are: {', '.join(guess.profiles)}",
                hint="write --map field=column",
            )
        prefix, _, name = target.partition(":")
        if prefix in ("metric", "dim") and name and guess.kind in ("feedback", "customers"):
            known = SCORE_SCALES if prefix == "metric" else _DIMENSIONS
            target = name if name in known else target
        elif target not in FIELDS[guess.kind] and target != "-":
            raise InputError(
                f"there is no field {target!r}; fields are: {', '.join(FIELDS[guess.kind])}, "
                "metric:NAME, dim:NAME and - (leave out)"
            )
        if target != "-" and not guess.wants(target):
            raise InputError(f"two columns are mapped to {target!r}")
        guess.take(_given(guess.profiles[column], target))


def _given(profile: ColumnProfile, target: str) -> Choice:
    scale = SCORE_SCALES.get(target)
    if scale is None and target.startswith("metric:") and profile.numbers:
        scale = score_scale(profile)
    words = profile.numeric_share < 0.5 and profile.likert > 0
    free = target.startswith("dim:") and not profile.is_category
    return Choice(profile.name, target, "given by the user", scale=scale, words=words, free=free)


def score_scale(profile: ColumnProfile) -> Scale | None:
    """Return the scale to hold a metric to: only columns named like scores have one that can be broken."""
    header = normal(profile.name)
    if not any(word in header for word in names("score_like")):
        return None
    return guess_scale(profile.numbers)


def on_scale(profile: ColumnProfile, scale: Scale) -> bool:
    """Whether a column's numbers are on a scale, a few impossible ones aside."""
    return profile.numeric_share >= 0.6 and fit_scale(profile.numbers, scale.low, scale.high)


def _guess_records(guess: Guess) -> None:
    for target in FIELDS[guess.kind]:
        if not guess.wants(target):
            continue
        for name in names(guess.kind, target, "names"):
            found = next((p for p in guess.open() if normal(p.name) == name), None)
            if found is not None:
                guess.take(Choice(found.name, target, f"the header says {target}"))
                break
    for profile in guess.open():
        if guess.kind != "customers":
            guess.take(Choice(profile.name, "-", f"{guess.kind} have no such field"))
        else:
            guess.take(attribute(profile))


def attribute(profile: ColumnProfile) -> Choice:
    """Return the choice for a column that is none of the fields: an attribute, or nothing."""
    if not profile.filled:
        return Choice(profile.name, "-", "empty in every row")
    if is_personal(profile):
        return Choice(profile.name, "-", "personal data, not kept")
    if profile.long_values > 0.05 * profile.filled:
        return Choice(profile.name, "-", f"a further text of more than {LONG_VALUE} characters")
    target = f"dim:{free_name(profile.name)}"
    return Choice(profile.name, target, "any other column", free=not profile.is_category)


def is_personal(profile: ColumnProfile) -> bool:
    """Whether a header says personal data; one that may name things too is judged by repetition."""
    header = normal(profile.name)
    if header in names("personal_or_not"):
        return not profile.is_category
    return header in names("personal") or header.endswith(names("personal_endings"))


def free_name(column: str) -> str:
    """Return the name of a column's metric or attribute: its own, unless one of ours has it."""
    return f"given_{column}" if normal(column) in names("reserved") else column


def _text_is_sparse(guess: Guess) -> bool:
    text = next((c for c in guess.choices.values() if c.target == "text"), None)
    if text is None:
        return False
    others = any(c.target.startswith("dim:") or c.target in _DIMENSIONS for c in guess.choices.values())
    return others and guess.profiles[text.column].fill_share < 0.8


def _require(mapping: Mapping, guess: Guess) -> None:
    columns = ", ".join(guess.profiles) or "none"
    if mapping.kind != "feedback":
        missing = [name for name in names("required", mapping.kind) if name]
        absent = [f for f in FIELDS[mapping.kind] if normal(f) in missing and guess.wants(f)]
        if absent:
            raise InputError(
                f"no column found for {', '.join(absent)}; the columns are: {columns}",
                hint=f"name it: --map {absent[0]}=COLUMN",
            )
        return
    scored = any(c.target in SCORE_SCALES or c.target.startswith("metric:") for c in mapping.choices)
    if guess.wants("text") and not scored:
        raise InputError(
            f"neither a text nor a score column found; the columns are: {columns}",
            hint="name it: --map text=COLUMN or --map rating=COLUMN",
        )


def parse_overrides(
    maps: Sequence[str], mapping_file: MappingOf[str, object] | None = None
) -> dict[str, str]:
    """Return {column: target} of `field=column` items and of a mapping file's {field: column or columns}.

    The items win over the file. Raises InputError for anything else.
    """
    overrides: dict[str, str] = {}
    for target, columns in (mapping_file or {}).items():
        listed = columns if isinstance(columns, list) else [columns]
        for column in listed:
            if not isinstance(column, str):
                raise InputError(f"the mapping file must give a column name for {target!r}, not {column!r}")
            overrides[column] = str(target)
    for item in maps:
        target, separator, column = item.partition("=")
        if not separator or not target.strip() or not column.strip():
            raise InputError(f"--map {item!r}: write field=column, such as --map text=评价")
        target, column = target.strip(), column.strip()
        overrides = {c: t for c, t in overrides.items() if t != target or target == "-"}
        overrides[column] = target
    return overrides
