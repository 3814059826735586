"""An alert as it is told outside the server: the customer by an alias, words masked, who acts and by when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Final

from retention.alert_words import alert_reasons
from retention.settings_file import read_as
from retention.wording import Language, name_of, shortened
from store.alerts import Alert, NoticeKind
from store.errors import ConfigError
from store.records import Task

_FILE: Final = Path(__file__).with_name("notices.yaml")
_PARTS: Final = 3


@dataclass(frozen=True)
class Telling:
    """An alert in words, part by part, so that each channel can set them in its own way."""

    title: str
    causes: str
    score: str
    parts: tuple[str, ...]
    topics: str
    quotes: tuple[str, ...]
    owner: str
    advice: str
    reference: str

    def text(self) -> str:
        """All but the title, a line each."""
        lines = [self.causes, self.topics, self.score, *self.parts, *self.quotes]
        return "\n".join(line for line in [*lines, self.owner, self.advice, self.reference] if line)


def telling(
    alert: Alert,
    kind: NoticeKind,
    language: Language,
    *,
    task: Task | None,
    alias: str,
    quotes: Sequence[str],
    zone: tzinfo,
    topic_names: Mapping[str, str],
) -> Telling:
    """Put an alert into words. `quotes` are masked texts, the weightiest first; `topic_names` by path."""
    between = said("listed", "between", language)
    reasons = [one for one in alert_reasons(alert, language, zone) if one["points"] > 0 and one["text"]]
    topics = between.join(topic_names.get(topic, topic) for topic in alert.topics)
    owner = task.owner if task else name_of("roles", alert.owner_role, language)
    due = (task.due_at if task and task.due_at else alert.due_at).astimezone(zone)
    causes = between.join(name_of("signals", cause, language) for cause in alert.causes)
    return Telling(
        title=said("alert", kind, language, tier=name_of("tiers", alert.tier.value, language), alias=alias),
        causes=said("alert", "causes", language, causes=causes),
        score=said("alert", "score", language, score=f"{alert.score:.0f}"),
        parts=tuple(
            said("alert", "part", language, text=one["text"], points=round(one["points"], 1))
            for one in reasons[:_PARTS]
        ),
        topics=said("alert", "topics", language, topics=topics) if topics else "",
        quotes=tuple(
            said("alert", "quote", language, quote=shortened(quote)) for quote in quotes if quote.strip()
        ),
        owner=said("alert", "owner", language, owner=owner, due=f"{due:%Y-%m-%d %H:%M}"),
        advice=said("alert", "advice", language, advice=task.advice) if task and task.advice else "",
        reference=said("alert", "reference", language, alert_id=alert.alert_id),
    )


@lru_cache(maxsize=1)
def _sentences() -> dict[str, dict[str, dict[str, str]]]:
    return read_as(dict[str, dict[str, dict[str, str]]], _FILE)


def said(group: str, key: str, language: Language, **values: object) -> str:
    """A sentence of `notices.yaml`, filled in; ConfigError where it or a value is missing."""
    try:
        return _sentences()[group][key][language].format_map(values)
    except KeyError as error:
        raise ConfigError(f"{_FILE.name}: {group}.{key}.{language}: {error} is missing") from error
