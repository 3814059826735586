"""Labels from a fine-tuned multi-label encoder behind vLLM's `/classify`."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.vllm_labeller import Answered, Cost, Outcome
from store.errors import ConfigError, NotLabelled
from store.records import Emotion, Intent, Labels, Priority, Sentiment, TopicLabel

if TYPE_CHECKING:
    from pipeline.vllm_client import Answer, VllmClient

_VERSION: Final = "vllm-classify-1"
LABELS_FILE: Final = "labels.json"
BATCH: Final = 16
_PLAIN_THRESHOLD: Final = 0.5
# Under this share of the three probabilities a sentiment is no better than a guess.
ABSTAIN_BELOW: Final = 0.5
# Name of the group of outputs -> the field of Labels it decides.
_FIELDS: Final[Mapping[str, str]] = {
    "sentiment": "sentiment",
    "emotion": "emotion",
    "intent": "intent",
    "priority": "priority",
    "topic": "topics",
    "risk": "risk_signals",
    "compliance": "compliance_flags",
}
_CHOICES: Final[Mapping[str, type[Sentiment | Emotion | Intent | Priority]]] = {
    "sentiment": Sentiment,
    "emotion": Emotion,
    "intent": Intent,
    "priority": Priority,
}


class EncoderLabels(BaseModel):
    """What the outputs of a checkpoint mean (`labels.json` beside it, written by the training).

    `outputs[i]` is the checkpoint's id2label[i]: `sentiment:negative`, `intent:churn`, `risk:refund`,
    `compliance:privacy`, or `topic:service/attitude=negative`. `thresholds` are probabilities from which a
    risk, a flag or a topic (by its name without the polarity) counts; 0.5 where none is given. `max_tokens`
    is how much of a text the checkpoint reads, `checkpoint` the hash of its weights.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    outputs: tuple[str, ...] = Field(min_length=1)
    thresholds: dict[str, float] = Field(default_factory=dict)
    max_tokens: int = Field(default=512, gt=2)
    checkpoint: str = ""


def read_encoder_labels(path: Path) -> EncoderLabels:
    """Read a labels file, or that of a checkpoint folder; ConfigError where it is not usable."""
    file = path / LABELS_FILE if path.is_dir() else path
    try:
        labels = EncoderLabels.model_validate_json(file.read_bytes())
    except OSError as error:
        raise ConfigError(
            f"the labels of the checkpoint cannot be read: {file}: {error.strerror}",
            hint="set VOICELOOP_LABEL_OUTPUTS to the labels.json that python -m evals.train_encoder wrote",
        ) from error
    except ValidationError as error:
        raise ConfigError(f"{file}: not a labels file: {error.errors()[0]['msg']}") from error
    unknown = [name for name in labels.outputs if not _is_known(name)]
    if unknown:
        raise ConfigError(f"{file}: not the name of an output: {', '.join(unknown[:5])}")
    return labels


def _is_known(name: str) -> bool:
    group, _, value = name.partition(":")
    if group in _CHOICES:
        return value in set(_CHOICES[group])
    if group == "topic":
        return value.partition("=")[2] in set(Sentiment)
    return group in _FIELDS and bool(value)


class EncoderLabeller:
    """Asks `model` for the probabilities of all outputs and applies our own thresholds.

    The server's own `label` is only its largest output; it serves here to check that the labels file belongs
    to the checkpoint served, which no endpoint of the server would tell.
    """

    def __init__(self, model: str, labels: EncoderLabels, topics: Sequence[str]) -> None:
        """`topics` are those of the taxonomy in use; ConfigError where the checkpoint knows others."""
        outputs = (name.partition(":") for name in labels.outputs)
        spoken = {value.partition("=")[0] for group, _, value in outputs if group == "topic"}
        if not spoken <= set(topics):
            raise ConfigError(
                f"{model}: no such topics in the taxonomy: {', '.join(sorted(spoken - set(topics))[:5])}",
                hint="train it again with the taxonomy in use: python -m evals.train_encoder",
            )
        self._model = model
        self._labels = labels
        self._groups: dict[str, list[tuple[str, int]]] = {}
        for index, name in enumerate(labels.outputs):
            group, _, value = name.partition(":")
            self._groups.setdefault(group, []).append((value, index))
        told = hashlib.sha256(labels.model_dump_json().encode()).hexdigest()[:12]
        self._name = f"{_VERSION}+{model}+{told}"
        found = {_FIELDS[group] for group in self._groups}
        if "sentiment" in found:
            found |= {"sentiment_confidence", "abstained", "implied_sentiment"}
        self._fields = frozenset(found)

    @property
    def name(self) -> str:
        """Kind, model and fingerprint of outputs, thresholds and weights."""
        return self._name

    @property
    def fields(self) -> frozenset[str]:
        """The fields that the checkpoint has outputs for."""
        return self._fields

    @property
    def batch(self) -> int:
        """Texts a request."""
        return BATCH

    async def label(self, client: "VllmClient", texts: Sequence[str]) -> Answered:
        """Label texts; see RemoteLabeller. Texts that may be too long are asked alone, to see whether."""
        short = [at for at, text in enumerate(texts) if not self._may_be_cut(text)]
        groups = [short] if short else []
        groups += [[at] for at, text in enumerate(texts) if self._may_be_cut(text)]
        outcomes: dict[int, Outcome] = {}
        cost = Cost()
        while groups:
            group = groups.pop()
            found, spent = await self._ask(client, [texts[at] for at in group])
            cost = cost.plus(spent)
            refused = found[0].failure is not None and found[0].failure.reason == "refused"
            if refused and len(group) > 1:
                # One text that the server will not take must not cost the others their labels.
                groups += [[at] for at in group]
            else:
                outcomes.update(zip(group, found, strict=True))
        return Answered([outcomes[at] for at in range(len(texts))], cost)

    def _may_be_cut(self, text: str) -> bool:
        # A token is at least one byte.
        return len(text.encode("utf-8", "replace")) > self._labels.max_tokens - 2

    async def _ask(self, client: "VllmClient", texts: list[str]) -> tuple[list[Outcome], Cost]:
        body = {
            "model": self._model,
            "input": [text.encode("utf-8", "replace").decode() for text in texts],
            # Without a side the tokenizer cuts as it did in training, its closing token kept; with one,
            # vLLM 0.32 cuts the finished tokens and loses it.
            "truncate_prompt_tokens": self._labels.max_tokens,
        }
        try:
            answer = await client.post("/classify", body)
        except NotLabelled as failure:
            return [Outcome(failure=failure)] * len(texts), Cost(failure.requests)
        used = (answer.body.get("usage") or {}).get("prompt_tokens") or 0
        cost = Cost(answer.requests, used)
        try:
            rows = self._rows(answer, len(texts))
        except NotLabelled as failure:
            return [Outcome(failure=failure)] * len(texts), cost
        truncated = len(texts) == 1 and self._may_be_cut(texts[0]) and used >= self._labels.max_tokens
        return [Outcome(self._read(row), truncated=truncated) for row in rows], cost

    def _rows(self, answer: "Answer", count: int) -> list[list[float]]:
        outputs = self._labels.outputs
        try:
            data = sorted(answer.body["data"], key=lambda one: int(one["index"]))
            rows = [[float(value) for value in one["probs"]] for one in data]
            names = [one["label"] for one in data]
        except (KeyError, TypeError, ValueError) as error:
            raise NotLabelled("invalid_output", f"no answer of /classify: {error!r}") from error
        if len(rows) != count:
            raise NotLabelled("invalid_output", f"{count} texts were asked and {len(rows)} answered")
        for row, name in zip(rows, names, strict=True):
            largest = outputs[max(range(len(row)), key=row.__getitem__)] if len(row) == len(outputs) else ""
            if name != largest:
                raise NotLabelled(
                    "invalid_output",
                    f"the labels file is not of the model served: of {len(row)} outputs {name!r} is the "
                    f"largest and not {largest!r}",
                    hint="point VOICELOOP_LABEL_OUTPUTS to the labels.json of the checkpoint that is served",
                )
            if not all(0.0 <= value <= 1.0 for value in row):
                raise NotLabelled("invalid_output", "the outputs are no probabilities")
        return rows

    def _read(self, row: Sequence[float]) -> Labels:
        chosen: dict[str, Any] = {}
        sure = 1.0
        for group, kind in _CHOICES.items():
            if group in self._groups:
                value, index = max(self._groups[group], key=lambda one: row[one[1]])
                chosen[_FIELDS[group]] = kind(value)
                if group == "sentiment":
                    sure = row[index] / (sum(row[at] for _, at in self._groups[group]) or 1.0)
        for group in ("risk", "compliance"):
            values = [v for v, at in self._groups.get(group, ()) if row[at] >= self._threshold(group, v)]
            chosen[_FIELDS[group]] = tuple(sorted(values))
        sentiment = chosen.pop("sentiment", Sentiment.NEUTRAL)
        return Labels(
            sentiment=sentiment,
            sentiment_confidence=round(sure, 4) if "sentiment" in self._groups else 0.0,
            abstained="sentiment" in self._groups and sure < ABSTAIN_BELOW,
            topics=self._topics(row),
            labeller=self._name,
            **chosen,
        )

    def _topics(self, row: Sequence[float]) -> tuple[TopicLabel, ...]:
        best: dict[str, TopicLabel] = {}
        for value, index in self._groups.get("topic", ()):
            path, _, polarity = value.partition("=")
            sure = row[index]
            if sure >= self._threshold("topic", path) and (path not in best or sure > best[path].confidence):
                best[path] = TopicLabel(topic=path, polarity=Sentiment(polarity), confidence=round(sure, 4))
        return tuple(sorted(best.values(), key=lambda topic: (-topic.confidence, topic.topic)))

    def _threshold(self, group: str, value: str) -> float:
        return self._labels.thresholds.get(f"{group}:{value}", _PLAIN_THRESHOLD)
