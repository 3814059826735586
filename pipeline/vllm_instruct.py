"""Labels from an instruct model: chat completions whose JSON the server's grammar holds to our schema."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import GenericAlias
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from pipeline.language import detect_language
from pipeline.lexicon import Lexicon
from pipeline.taxonomy import Taxonomy
from pipeline.vllm_client import VllmClient
from pipeline.vllm_confidence import Token, read_tokens, value_probability
from pipeline.vllm_labeller import Answered, Cost, Outcome
from prompts.library import render
from store.errors import NotLabelled
from store.records import Emotion, Intent, Labels, Priority, Sentiment, TopicLabel

_VERSION: Final = "vllm-instruct-1"
# Under this probability of the sentiment the model's word is no better than a guess among three.
ABSTAIN_BELOW: Final = 0.5
# Characters of a text that are sent; the rest is left out, and said.
MOST_CHARACTERS: Final = 6_000
# Tokens of an answer: a full one takes about 200 of a trained model. Doubled once where it was cut.
ANSWER_TOKENS: Final = 768
ALTERNATIVES: Final = 10
_MOST_TOPICS: Final = 6
# Letters, digits and what stands in names: grammars let control characters, no JSON, into plain strings.
_NAME: Final = "^[0-9A-Za-zÀ-ÿ一-鿿&'. -]{1,30}$"
_GUIDE: Final = Path(__file__).with_name("vllm_guide.yaml")
_FIELDS: Final = frozenset(Labels.model_fields) - {"labeller"}
_SAME: Final = "same"
_CHOSEN: Final = re.compile(r'(?<!\\)"(?P<key>[sk])"\s*:\s*"(?P<value>[^"\\]*)"')
_Language = Literal["zh", "en"]


class InstructLabeller:
    """Asks `model` for all labels of a text at once. Prompt, schema and values follow taxonomy and lexicon.

    The prompt's first message is the same for all texts of a language and comes first, so that the server
    computes it once (prefix caching). The text is sent as a JSON string with `<` and `[` written as escapes:
    it can close no quotation and spell no control token of a chat template.
    """

    def __init__(
        self, model: str, taxonomy: Taxonomy, lexicon: Lexicon, *, answer_tokens: int = ANSWER_TOKENS
    ) -> None:
        risks = sorted({"competitor", *(risk.rstrip("?") for cue in lexicon.cues for risk in cue.risks)})
        flags = sorted({flag.rstrip("?") for cue in lexicon.cues for flag in cue.compliance})
        self._model = model
        self._answer_tokens = answer_tokens
        self._topics = taxonomy.paths
        self._form = _form(self._topics, risks, flags)
        self.schema = _schema(self._form)
        self._prompts: Mapping[str, str] = {
            language: _prompt(language, taxonomy, risks, flags) for language in ("zh", "en")
        }
        told = json.dumps([self._prompts, self.schema, answer_tokens, MOST_CHARACTERS], sort_keys=True)
        self._name = f"{_VERSION}+{model}+{hashlib.sha256(told.encode()).hexdigest()[:12]}"

    @property
    def name(self) -> str:
        """Kind, model and fingerprint of prompt and schema."""
        return self._name

    @property
    def fields(self) -> frozenset[str]:
        """All of Labels."""
        return _FIELDS

    @property
    def batch(self) -> int:
        """One text a request: the server batches requests itself."""
        return 1

    async def label(self, client: VllmClient, texts: Sequence[str]) -> Answered:
        """Label texts one after another; see RemoteLabeller."""
        outcomes: list[Outcome] = []
        cost = Cost()
        for text in texts:
            conversation = _Conversation(self._request(text))
            try:
                labels = await self._ask(client, conversation, text)
            except NotLabelled as failure:
                outcomes.append(Outcome(failure=failure))
            else:
                outcomes.append(Outcome(labels, truncated=len(text) > MOST_CHARACTERS))
            cost = cost.plus(conversation.cost)
        return Answered(outcomes, cost)

    def _request(self, text: str) -> dict[str, Any]:
        return {
            "model": self._model,
            "messages": [
                {"role": "system", "content": self._prompts[_language(text)]},
                {"role": "user", "content": quoted(text[:MOST_CHARACTERS])},
            ],
            "temperature": 0,
            "seed": 0,
            "max_tokens": self._answer_tokens,
            "logprobs": True,
            "top_logprobs": ALTERNATIVES,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "labels", "schema": self.schema, "strict": True},
            },
            "chat_template_kwargs": {"enable_thinking": False},
        }

    async def _ask(self, client: VllmClient, conversation: "_Conversation", text: str) -> Labels:
        """Ask; where the answer is cut or no labels, ask once more with more room or the fault named."""
        try:
            return self._read(await conversation.send(client), text)
        except NotLabelled as failure:
            if failure.reason == "truncated_output":
                conversation.give_room()
            elif failure.reason == "invalid_output":
                conversation.name_fault(_language(text), failure.message)
            else:
                raise
        return self._read(await conversation.send(client), text)

    def _read(self, body: Mapping[str, Any], text: str) -> Labels:
        try:
            choice = body["choices"][0]
            content, finish = choice["message"]["content"] or "", choice["finish_reason"]
            if finish == "length":
                raise NotLabelled("truncated_output", f"the answer was cut after {len(content)} characters")
            if finish != "stop":
                raise NotLabelled("invalid_output", f"the answer ended with {finish!r}")
            tokens = read_tokens(choice["logprobs"]["content"])
            said = self._form.model_validate_json(_object(content))
        except (KeyError, IndexError, TypeError) as error:
            raise NotLabelled(
                "invalid_output", f"no chat completion with log-probabilities: {error!r}"
            ) from error
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(step) for step in first["loc"])
            raise NotLabelled("invalid_output", f"{where or 'the answer'}: {first['msg']}") from error
        return self._labels(said.model_dump(), text, content, tokens)

    def _labels(self, said: dict[str, Any], text: str, content: str, tokens: Sequence[Token]) -> Labels:
        sure = _certainties(content, tokens, {"s": tuple(Sentiment), "k": self._topics})
        sentiment: Sentiment = said["s"]
        written = [(sentiment.value, "s"), *((topic["k"], "k") for topic in said["t"])]
        if [(value, key) for key, value, _ in sure] != written:
            raise NotLabelled("invalid_output", "the keys are not in the order asked for")
        topics: dict[str, TopicLabel] = {}
        for topic, (_, path, confidence) in zip(said["t"], sure[1:], strict=True):
            # The grammar knows no uniqueItems: the first mention counts.
            topics.setdefault(
                path, TopicLabel(topic=path, polarity=topic["p"], confidence=round(confidence, 4))
            )
        lowered = text.lower()
        rivals = tuple(dict.fromkeys(name for name in said["c"] if name.strip() and name.lower() in lowered))
        confidence = sure[0][2]
        return Labels(
            sentiment=sentiment,
            sentiment_confidence=round(confidence, 4),
            implied_sentiment=None if said["m"] in (_SAME, sentiment) else Sentiment(said["m"]),
            abstained=confidence < ABSTAIN_BELOW,
            emotion=said["e"],
            topics=tuple(topics.values()),
            intent=said["i"],
            priority=said["u"],
            risk_signals=tuple(sorted(set(said["r"]))),
            competitors=rivals,
            compliance_flags=tuple(sorted(set(said["f"]))),
            labeller=self._name,
        )


class _Conversation:
    """The requests about one text and what they cost."""

    def __init__(self, request: dict[str, Any]) -> None:
        self._request = request
        self._content = ""
        self.cost = Cost()

    async def send(self, client: VllmClient) -> dict[str, Any]:
        try:
            answer = await client.post("/v1/chat/completions", self._request)
        except NotLabelled as failure:
            self.cost = self.cost.plus(Cost(failure.requests))
            raise
        used = answer.body.get("usage") or {}
        self.cost = self.cost.plus(
            Cost(answer.requests, used.get("prompt_tokens") or 0, used.get("completion_tokens") or 0)
        )
        choices = answer.body.get("choices") or [{}]
        self._content = (choices[0].get("message") or {}).get("content") or ""
        return answer.body

    def give_room(self) -> None:
        self._request = {**self._request, "max_tokens": 2 * self._request["max_tokens"]}

    def name_fault(self, language: _Language, problem: str) -> None:
        repair = render("label_repair", language, problem=problem)
        turns = [{"role": "assistant", "content": self._content}, {"role": "user", "content": repair}]
        # Asked the same way, temperature 0 would say the same again.
        self._request = {**self._request, "messages": [*self._request["messages"], *turns], "seed": 1}


def quoted(text: str) -> str:
    """The text as a JSON string in which no tag and no control token of a chat template can stand."""
    sound = text.encode("utf-8", "replace").decode()
    return json.dumps(sound, ensure_ascii=False).replace("<", "\\u003c").replace("[", "\\u005b")


def _language(text: str) -> _Language:
    return "zh" if detect_language(text) == "zh" else "en"


def _object(content: str) -> str:
    """The outermost JSON object: some servers put a fence or a thought around it."""
    start, end = content.find("{"), content.rfind("}")
    return content[start : end + 1] if 0 <= start < end else content


def _certainties(
    content: str, tokens: Sequence[Token], choices: Mapping[str, Sequence[str]]
) -> list[tuple[str, str, float]]:
    """(key, value, probability) of the sentiment and of each topic, in the order written."""
    matches = list(_CHOSEN.finditer(content))
    # Only up to the last value: the free text behind it may hold half a character, which the answer's text
    # and its tokens spell differently.
    needed = content[: matches[-1].end()].encode() if matches else b""
    offset = b"".join(token.data for token in tokens).find(needed)
    if offset < 0:
        raise NotLabelled("invalid_output", "the log-probabilities are not those of the answer")
    found: list[tuple[str, str, float]] = []
    for match in matches:
        start = offset + len(content[: match.start("value")].encode())
        key, value = match["key"], match["value"]
        found.append((key, value, value_probability(tokens, start, value, choices[key])))
    return found


def _form(topics: Sequence[str], risks: Sequence[str], flags: Sequence[str]) -> type[BaseModel]:
    """The form of an answer, with compact keys; what it says of the whole text comes first."""
    config = ConfigDict(extra="forbid")
    topic = create_model("Topic", __config__=config, k=(_one_of(topics), ...), p=(Sentiment, ...))
    return create_model(
        "Answer",
        __config__=config,
        s=(Sentiment, ...),
        m=(_one_of((_SAME, *Sentiment)), ...),
        e=(Emotion, ...),
        i=(Intent, ...),
        u=(Priority, ...),
        r=_several(_one_of(risks), 4),
        f=_several(_one_of(flags) if flags else str, 3 if flags else 0),
        t=_several(topic, _MOST_TOPICS),
        c=_several(Annotated[str, Field(pattern=_NAME)], 3),
    )


def _one_of(values: Sequence[str]) -> Any:
    return Literal.__getitem__(tuple(str(value) for value in values))


def _several(item: Any, most: int) -> Any:
    return GenericAlias(list, (item,)), Field(max_length=most)


def _schema(form: type[BaseModel]) -> dict[str, Any]:
    bare: dict[str, Any] = _bare(form.model_json_schema())
    return bare


def _bare(node: Any) -> Any:
    """A schema without titles and descriptions, which grammars do not read and prompts do not need."""
    if isinstance(node, dict):
        return {key: _bare(one) for key, one in node.items() if key not in ("title", "description")}
    return [_bare(one) for one in node] if isinstance(node, list) else node


def _prompt(language: _Language, taxonomy: Taxonomy, risks: Sequence[str], flags: Sequence[str]) -> str:
    guide = _guide()
    return render(
        "label",
        language,
        risks=_listed(risks, guide["risk"], language),
        flags=_listed(flags, guide["compliance"], language),
        topics="\n".join(f"  {path}: {taxonomy.name(path, language)}" for path in taxonomy.paths),
    )


def _listed(names: Sequence[str], guide: Mapping[str, Mapping[str, str]], language: str) -> str:
    # A name that a user's lexicon adds speaks for itself.
    return "\n".join(f"  {name}: {guide[name][language] if name in guide else name}" for name in names)


@cache
def _guide() -> dict[str, dict[str, dict[str, str]]]:
    loaded: dict[str, dict[str, dict[str, str]]] = yaml.safe_load(_GUIDE.read_text(encoding="utf-8"))
    return loaded
