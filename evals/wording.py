"""Invented customer wording: seeded sentences composed from the clause grammars in wording_*.yaml."""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

Mood = Literal["positive", "neutral", "negative"]
Part = str | tuple[str, bool]
Template = tuple[Part, ...]

_SLOT = re.compile(r"\{(\w+)(\??)\}")
_HERE = Path(__file__).parent
_REDRAWS = 8


def read_yaml(name: str) -> Any:
    """Read one YAML file of this folder."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with (_HERE / name).open(encoding="utf-8") as stream:
        return yaml.load(stream, Loader=loader)


@dataclass(frozen=True)
class Said:
    """A text with what its writer meant by it: the hidden truth a classifier can be held against."""

    text: str
    mood: Mood
    topics: tuple[str, ...]
    kind: str


@dataclass
class Wording:
    """One language's grammar. `seen` makes repeats as rare as they are among people."""

    language: str
    data: Mapping[str, Any]
    rng: random.Random
    seen: set[str] = field(default_factory=set)
    _compiled: dict[str, Template] = field(default_factory=dict)

    @classmethod
    def load(cls, language: str, rng: random.Random) -> "Wording":
        """Read wording_<language>.yaml."""
        data = read_yaml(f"wording_{language}.yaml")
        slots = {**data["slots"], **data["parts"], "staff": data["staff"], "agentname": data["agentnames"]}
        slots |= {"name": data["names"], "street": data["streets"], "brand": [data["brand"]]}
        return cls(language, {**data, "slots": slots}, rng)

    def fill(self, template: str, context: Mapping[str, str]) -> str:
        """Replace the slots of a template: from the context, else drawn from the grammar."""
        parts = self._compiled.get(template)
        if parts is None:
            parts = self._compiled[template] = _compile(template)
        out = []
        for part in parts:
            if isinstance(part, str):
                out.append(part)
            elif not part[1] or self.rng.random() < 0.5:
                out.append(self._slot(part[0], context))
        return "".join(out)

    def _slot(self, name: str, context: Mapping[str, str]) -> str:
        if name in context:
            return context[name]
        choices = self.data["slots"].get(name)
        if choices is None:
            return personal(name, self.rng, self.language, self.data["slots"])
        drawn: str = choices[int(self.rng.random() * len(choices))]
        return self.fill(drawn, context) if "{" in drawn else drawn

    def clause(self, topic: str, mood: Mood, context: Mapping[str, str]) -> str:
        """One clause about a topic, without opener or closer."""
        return self.fill(self.rng.choice(self.data["topics"][topic][mood]), context)

    def topics_with(self, weights: Mapping[str, float], mood: Mood) -> dict[str, float]:
        """Those topics this grammar can speak of in that mood."""
        topics = self.data["topics"]
        return {name: weight for name, weight in weights.items() if topics.get(name, {}).get(mood)}

    def remark(
        self, mood: Mood, weights: Mapping[str, float], context: Mapping[str, str], about: str = ""
    ) -> Said:
        """A whole text in a mood about `about`, or topics drawn by weight; redrawn while it is a repeat."""
        said = self._remark(mood, weights, context, about)
        for _ in range(_REDRAWS):
            if said.text not in self.seen or len(said.text) < 4:
                break
            said = self._remark(mood, weights, context, about)
        self.seen.add(said.text)
        return said

    def event(self, name: str, context: Mapping[str, str], topic: str) -> Said:
        """A complaint in the words of a planted event."""
        said = self._event(name, context, topic)
        for _ in range(_REDRAWS):
            if said.text not in self.seen:
                break
            said = self._event(name, context, topic)
        self.seen.add(said.text)
        return said

    def line(self, group: str, name: str, context: Mapping[str, str]) -> str:
        """One line of a conversation, of spam or the like, as it stands in the grammar."""
        choices: Sequence[str] = self.data[group][name] if name else self.data[group]
        text = self._line(choices, name, context)
        for _ in range(_REDRAWS):
            if text not in self.seen or len(text) < 4:
                break
            text = self._line(choices, name, context)
        self.seen.add(text)
        return text

    def _line(self, choices: Sequence[str], name: str, context: Mapping[str, str]) -> str:
        text = self.fill(self.rng.choice(choices), context)
        return text + self._tail(name, context) if name in self.data["tails"] else text

    def _tail(self, name: str, context: Mapping[str, str]) -> str:
        if self.rng.random() < 0.2:
            return ""
        tail = self.fill(self.rng.choice(self.data["tails"][name]), context)
        return f"{self.data['comma']}{tail}"

    def _event(self, name: str, context: Mapping[str, str], topic: str) -> Said:
        first, second = self.rng.sample(self.data["events"][name], 2)
        text = self.fill(first, context)
        if self.rng.random() < 0.2:
            text += self._link("same") + self.fill(second, context)
        return Said(self._dress(text, "negative", context), "negative", (topic,), name)

    def _remark(
        self, mood: Mood, weights: Mapping[str, float], context: Mapping[str, str], about: str
    ) -> Said:
        if about in self.data["topics"]:
            return self._clauses(mood, weights, context, about)
        draw = self.rng.random()
        if draw < 0.025:
            return Said(self.rng.choice(self.data["short"][mood]), mood, (), "short")
        if mood == "negative" and draw < 0.05:
            return Said(self.fill(self.rng.choice(self.data["irony"]), context), mood, (), "irony")
        if mood != "neutral" and draw < 0.10:
            text = self.fill(self.rng.choice(self.data["negated"][mood]), context)
            return Said(self._dress(text, mood, context), mood, (), "negated")
        if mood == "neutral" and draw < 0.40:
            text = self.fill(self.rng.choice(self.data["neutral"]), context) + self._tail(mood, context)
            return Said(self._finish(text), mood, (), "plain")
        return self._clauses(mood, weights, context, "")

    def _clauses(
        self, mood: Mood, weights: Mapping[str, float], context: Mapping[str, str], about: str
    ) -> Said:
        topic = about or self._topic(weights, mood)
        text, topics, kind = self.clause(topic, mood, context), [topic], "plain"
        draw = self.rng.random()
        if mood != "neutral" and draw < 0.12:
            other: Mood = "positive" if mood == "negative" else "negative"
            second = self._topic(weights, other, besides=topic)
            text = (
                self.clause(second, other, context)
                + self._link("but" if mood == "negative" else "but_good")
                + text
            )
            topics, kind = [topic, second], "mixed"
        elif mood == "neutral":
            text += self._tail(mood, context)
        elif draw < 0.42:
            second = self._topic(weights, mood, besides=topic)
            text += self._link("same") + self.clause(second, mood, context)
            topics, kind = [topic, second], "several"
        return Said(self._dress(text, mood, context, opened=kind != "mixed"), mood, tuple(topics), kind)

    def _topic(self, weights: Mapping[str, float], mood: Mood, besides: str = "") -> str:
        usable = self.topics_with(weights, mood)
        names = [name for name in usable if name != besides]
        return self.rng.choices(names, [usable[name] for name in names])[0]

    def _link(self, kind: str) -> str:
        link: str = self.rng.choice(self.data["links"][kind])
        return link

    def _dress(self, text: str, mood: Mood, context: Mapping[str, str], *, opened: bool = True) -> str:
        opener = self.fill(self.rng.choice(self.data["openers"][mood]), context) if opened else ""
        closer = self.fill(self.rng.choice(self.data["closers"][mood]), context)
        if self.language == "en" and (not opener or opener[-2:] in (". ", ": ", "! ")):
            text = _capital(text)
        return self._finish(opener + text + closer)

    def _finish(self, text: str) -> str:
        if self.language == "en" and self.rng.random() < 0.25:
            text = text.lower()
        elif self.language == "en":
            text = re.sub(r"(?<=[.?!] )[a-z]", lambda match: match.group().upper(), text)
        if self.rng.random() < 0.06:
            for right, wrong in self.rng.sample(self.data["typos"], len(self.data["typos"])):
                if right in text:
                    return text.replace(right, wrong, 1)
        return text


def personal(kind: str, rng: random.Random, language: str, slots: Mapping[str, Any]) -> str:
    """Invented personal data of one kind, in the shape the real thing has.

    Raises KeyError for a slot no grammar knows.
    """
    digits = "".join(str(rng.randrange(10)) for _ in range(16))
    if kind == "phone":
        return f"1{rng.choice('3578')}{digits[:9]}"
    if kind == "order":
        return f"QH2026{digits[:8]}"
    if kind == "tail":
        return digits[:4]
    if kind == "agentno":
        return f"{rng.randrange(1001, 1060)}"
    if kind == "wechat":
        return f"vx_{rng.choice(('xiaoyu', 'haohao', 'dada', 'momo'))}{digits[:4]}"
    if kind == "email":
        return f"{rng.choice(('lin', 'wang', 'amy', 'tomc', 'zhou'))}{digits[:4]}@example.com"
    if kind == "idcard":
        return f"31010419{rng.randrange(70, 99)}0{rng.randrange(1, 9)}1{digits[:5]}"
    if kind == "card":
        return f"62220{digits[:14]}"
    if kind == "address":
        street = rng.choice(slots["street"])
        number = rng.randrange(1, 400)
        return f"{street}{number}号{rng.randrange(1, 20)}栋" if language == "zh" else f"{number} {street}"
    raise KeyError(f"no slot {kind!r} in wording_{language}.yaml")


def _compile(template: str) -> Template:
    parts: list[Part] = []
    at = 0
    for match in _SLOT.finditer(template):
        if match.start() > at:
            parts.append(template[at : match.start()])
        parts.append((match.group(1), bool(match.group(2))))
        at = match.end()
    if at < len(template):
        parts.append(template[at:])
    return tuple(parts)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
