"""The one composition root: settings in, a working application out. Parts open when first used."""

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.settings import Settings
from store.clock import Clock, SystemClock
from store.errors import ConfigError, StoreError
from store.facts import FactStore
from store.operations import OperationStore
from tools.context import Asker, ToolContext
from vectorstore.embedder import Embedder
from vectorstore.index import VectorIndex

if TYPE_CHECKING:
    import httpx
    from langchain_core.language_models import BaseChatModel

    from agent.ask import Assistant
    from agent.offline_model import OfflinePlanner
    from pipeline.cascade import CascadeClassifier
    from pipeline.classifier import Classifier
    from pipeline.embedded_classifier import EmbeddedClassifier
    from pipeline.images import PictureReader
    from pipeline.ingest import Ingestor
    from pipeline.label_adapted import AdaptedClassifier
    from pipeline.label_models import ModelShelf
    from pipeline.label_training import Trainer
    from pipeline.lexicon import Lexicon
    from pipeline.pseudonyms import Pseudonyms
    from pipeline.taxonomy import Taxonomy
    from pipeline.taxonomy_sources import Sources
    from pipeline.transcription import Transcriber
    from pipeline.vllm_labeller import RemoteLabeller
    from pipeline.writing import Mask
    from store.human_labels import HumanLabels
    from store.label_cache import LabelCache
    from store.vault import Vault


class App:
    """Everything one data folder needs. Close it, or use it as a context manager."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self._closers: list[Any] = []

    def __enter__(self) -> "App":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what was opened, last first."""
        while self._closers:
            self._closers.pop().close()

    @property
    def home(self) -> Path:
        """The data folder; made when a store is first opened."""
        return self.settings.home

    @cached_property
    def facts(self) -> FactStore:
        """Feedback, labels, customers, themes."""
        from store.duckdb_facts import DuckDBFactStore

        store = DuckDBFactStore(self._file("facts.duckdb"), self.settings.zone)
        self._closers.append(store)
        return store

    @cached_property
    def operations(self) -> OperationStore:
        """Batches, tasks, plans, audit."""
        from store.sqlite_operations import SqliteOperationStore

        store = SqliteOperationStore(self._file("operations.sqlite"))
        self._closers.append(store)
        return store

    @cached_property
    def human_labels(self) -> "HumanLabels":
        """What people say the labels are."""
        from store.sqlite_human_labels import SqliteHumanLabels

        store = SqliteHumanLabels(self._file("operations.sqlite"))
        self._closers.append(store)
        return store

    @cached_property
    def embedder(self) -> Embedder:
        """Text to vectors."""
        from vectorstore.use_embedder import UseEmbedder

        embedder = UseEmbedder(self.settings.workers or os.cpu_count() or 1)
        self._closers.append(embedder)
        return embedder

    @cached_property
    def index(self) -> VectorIndex:
        """Vectors by text key."""
        from vectorstore.chroma_index import ChromaIndex

        return ChromaIndex(self._file("chroma"), self.embedder.name, self.embedder.dimension)

    @cached_property
    def taxonomy_sources(self) -> "Sources":
        """Which industry packs are on, and the user's own taxonomy and lexicon files."""
        from pipeline.taxonomy_sources import read_sources

        return read_sources(self.home, self.settings.industries)

    @cached_property
    def taxonomy(self) -> "Taxonomy":
        """The topics of this data folder."""
        from pipeline.taxonomy import load_taxonomy

        return load_taxonomy(self.taxonomy_sources)

    @cached_property
    def lexicon(self) -> "Lexicon":
        """The words of this data folder."""
        from pipeline.lexicon import load_lexicon

        return load_lexicon(self.taxonomy_sources)

    @cached_property
    def embedded(self) -> "EmbeddedClassifier | AdaptedClassifier":
        """Text to labels in this process: as shipped, or by the promoted model of human labels."""
        from pipeline.embedded_classifier import EmbeddedClassifier
        from pipeline.label_adapted import AdaptedClassifier
        from pipeline.sentiment import load_sentiment

        promoted = self.models.promoted()
        if promoted is None:
            return EmbeddedClassifier(self.taxonomy, self.lexicon)
        model = self.models.load(promoted)
        return AdaptedClassifier(promoted, model, self.taxonomy, self.lexicon, load_sentiment())

    @property
    def models(self) -> "ModelShelf":
        """Models made of human labels."""
        from pipeline.label_models import ModelShelf

        return ModelShelf(self.home / "models")

    @property
    def trainer(self) -> "Trainer":
        """Human labels to a model."""
        from pipeline.label_training import Trainer
        from pipeline.sentiment import load_sentiment

        return Trainer(
            facts=self.facts,
            human=self.human_labels,
            shelf=self.models,
            taxonomy=self.taxonomy,
            lexicon=self.lexicon,
            shipped=load_sentiment(),
            clock=self.clock,
        )

    @property
    def classifier(self) -> "Classifier":
        """Text to labels: the embedded classifier, before a label server where one is set."""
        return self.cascade or self.embedded

    @cached_property
    def cascade(self) -> "CascadeClassifier | None":
        """The embedded classifier and the configured label server; None where none is set."""
        settings = self.settings
        if not settings.label_base_url:
            return None
        from pipeline.cascade import CascadeClassifier
        from pipeline.vllm_classifier import VllmClassifier
        from pipeline.vllm_client import Endpoint
        from pipeline.vllm_limits import Limits

        urls = tuple(url.strip() for url in settings.label_base_url.split(",") if url.strip())
        endpoint = Endpoint(
            urls,
            api_key=settings.label_api_key.get_secret_value(),
            timeout_s=settings.label_timeout_s,
            patience_s=settings.label_patience_s,
            limits=Limits(most=settings.label_concurrency, latency_goal_s=settings.label_timeout_s / 4),
        )
        second = VllmClassifier(self._labeller(), endpoint)
        self._closers.append(second)
        share = settings.label_escalate_share
        return CascadeClassifier(self.embedded, second, self.label_cache, self.clock, share=share)

    def _labeller(self) -> "RemoteLabeller":
        settings = self.settings
        if not settings.label_model:
            raise ConfigError(
                "VOICELOOP_LABEL_BASE_URL is set but VOICELOOP_LABEL_MODEL is not",
                hint="name the model that the server serves: curl $VOICELOOP_LABEL_BASE_URL/models",
            )
        if settings.label_mode == "instruct":
            from pipeline.vllm_instruct import InstructLabeller

            return InstructLabeller(settings.label_model, self.taxonomy, self.lexicon)
        if settings.label_outputs is None:
            raise ConfigError(
                "VOICELOOP_LABEL_MODE is classify but VOICELOOP_LABEL_OUTPUTS is not set",
                hint="it is the labels.json beside the checkpoint: the server does not tell its outputs",
            )
        from pipeline.vllm_encoder import EncoderLabeller, read_encoder_labels

        outputs = read_encoder_labels(settings.label_outputs)
        return EncoderLabeller(settings.label_model, outputs, self.taxonomy.paths)

    @cached_property
    def label_cache(self) -> "LabelCache":
        """Labels from the label server, and the queue of texts it could not label."""
        from store.sqlite_label_cache import SqliteLabelCache

        store = SqliteLabelCache(self._file("operations.sqlite"), self.clock)
        self._closers.append(store)
        return store

    @property
    def mask(self) -> "Mask":
        """Texts to masked texts, by the grades that are set."""
        from functools import partial

        from pipeline.mask import mask_texts

        return partial(mask_texts, grades=frozenset(self.settings.mask_grades))

    @cached_property
    def vault(self) -> "Vault":
        """What reversible pseudonyms stand for, sealed."""
        from store.sqlite_vault import SqliteVault

        store = SqliteVault(self._file("operations.sqlite"))
        self._closers.append(store)
        return store

    @cached_property
    def pseudonyms(self) -> "Pseudonyms | None":
        """Numbered placeholders within a conversation; None where they are off."""
        settings = self.settings
        if settings.pseudonyms == "off":
            return None
        from pipeline.pseudonyms import Pseudonyms, Seal

        grades = frozenset(settings.mask_grades)
        if settings.pseudonyms == "numbered":
            return Pseudonyms(self.facts, grades)
        if settings.pseudonym_key is None:
            raise ConfigError(
                "VOICELOOP_PSEUDONYMS is reversible but VOICELOOP_PSEUDONYM_KEY is not set",
                hint="set it to 64 random bytes in base64: openssl rand -base64 64 | tr -d '\\n'",
            )
        return Pseudonyms(self.facts, grades, self.vault, Seal(settings.pseudonym_key.get_secret_value()))

    @cached_property
    def ingestor(self) -> "Ingestor":
        """Files to facts."""
        from pipeline.ingest import Ingestor
        from pipeline.label_corrections import CorrectedClassifier

        return Ingestor(
            facts=self.facts,
            operations=self.operations,
            classifier=CorrectedClassifier(self.classifier, self.human_labels),
            mask=self.mask,
            pseudonyms=self.pseudonyms,
            clock=self.clock,
            zone=self.settings.zone,
            rejects_folder=self.home / "rejects",
            labelling=self.cascade.take_report if self.cascade else None,
            transcriber=self.transcriber,
            pictures=self.pictures,
        )

    @property
    def transcriber(self) -> "Transcriber | None":
        """Recordings to turns; None where no endpoint is set."""
        settings = self.settings
        if not settings.transcribe_base_url:
            return None
        if not settings.transcribe_model:
            raise ConfigError(
                "VOICELOOP_TRANSCRIBE_BASE_URL is set but VOICELOOP_TRANSCRIBE_MODEL is not",
                hint="name the speech model that the endpoint serves, e.g. whisper-1",
            )
        from pipeline.transcription import Endpoint, OpenAITranscriber

        return OpenAITranscriber(
            Endpoint(
                settings.transcribe_base_url,
                settings.transcribe_model,
                api_key=settings.transcribe_api_key.get_secret_value(),
                format=settings.transcribe_format,
                language=settings.transcribe_language,
                timeout_s=settings.transcribe_timeout_s,
                max_bytes=int(settings.transcribe_max_mb * 1_000_000),
            )
        )

    @property
    def pictures(self) -> "PictureReader":
        """Pictures to text; what it needs is loaded with the first picture."""
        from pipeline.images import RapidOcrReader

        return RapidOcrReader(self.settings.workers or os.cpu_count() or 1)

    def labellers(self) -> frozenset[str]:
        """The names of the labellers in use: labels by any other are older than the taxonomy or the model."""
        names = {self.embedded.name}
        return frozenset(names | {self._labeller().name} if self.settings.label_base_url else names)

    def context(self, asker: Asker) -> ToolContext:
        """What a tool runs with, for one asker."""
        return ToolContext(
            facts=self.facts,
            operations=self.operations,
            index=self.index,
            embedder=self.embedder,
            taxonomy=self.taxonomy,
            clock=self.clock,
            zone=self.settings.zone,
            asker=asker,
            labellers=self.labellers,
        )

    def offline_planner(self) -> "OfflinePlanner":
        """The planner over the data as it is now."""
        from agent.offline_model import OfflinePlanner
        from agent.planner import Planner
        from agent.reading import build_reader

        return OfflinePlanner(
            Planner(
                build_reader(self.facts, self.clock, self.settings.zone, self.taxonomy), self.settings.zone
            )
        )

    @asynccontextmanager
    async def assistant(self, model: "BaseChatModel | None" = None) -> AsyncIterator["Assistant"]:
        """The agent over the persisted threads. `model` overrides the configured endpoint."""
        import httpx
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

        from agent.approvals import Approver
        from agent.ask import Assistant
        from agent.briefing import system_prompt
        from agent.graph import build_graph
        from agent.toolset import build_tools
        from tools.catalogue import ALL_TOOLS

        threads = self._file("threads.sqlite")
        try:
            async with (
                httpx.AsyncClient(timeout=self.settings.llm_timeout_s) as client,
                AsyncSqliteSaver.from_conn_string(str(threads)) as checkpointer,
            ):
                chosen, failures = (model, ()) if model is not None else self._endpoint(client)
                graph = build_graph(
                    planner=self.offline_planner(),
                    model=chosen,
                    model_failures=failures,
                    tools=build_tools(ALL_TOOLS, self.context),
                    system_prompt=lambda question: system_prompt(
                        question, self.facts, self.clock, self.settings.zone
                    ),
                    approver=Approver(self.operations),
                    checkpointer=checkpointer,
                )
                yield Assistant(graph, has_model=chosen is not None)
        except sqlite3.DatabaseError as error:
            raise StoreError(f"the conversation store {threads} cannot be used: {error}") from error

    def _endpoint(
        self, client: "httpx.AsyncClient"
    ) -> "tuple[BaseChatModel | None, tuple[type[Exception], ...]]":
        """The configured OpenAI-compatible model, and what its client raises when it fails."""
        settings = self.settings
        if not settings.llm_base_url:
            return None, ()
        if not settings.llm_model:
            raise ConfigError(
                "VOICELOOP_LLM_BASE_URL is set but VOICELOOP_LLM_MODEL is not",
                hint="name the model that the endpoint serves, e.g. Qwen/Qwen3-8B",
            )
        import openai
        from langchain_openai import ChatOpenAI

        model = ChatOpenAI(
            model=settings.llm_model,
            base_url=settings.llm_base_url,
            api_key=settings.llm_api_key,
            http_async_client=client,
            timeout=settings.llm_timeout_s,
            max_retries=settings.llm_max_retries,
            temperature=0,
            use_responses_api=False,
            streaming=settings.llm_stream,
            stream_usage=True,
        )
        # What is no OpenAI reply at all (a gateway page, no choices) surfaces as one of the others.
        return model, (openai.OpenAIError, ValueError, TypeError, LookupError, AttributeError)

    def _file(self, name: str) -> Path:
        try:
            self.home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"the data folder {self.home} cannot be made: {error.strerror}", hint="set VOICELOOP_HOME"
            ) from error
        path = self.home / name
        for place in (self.home, path):
            if place.exists() and not os.access(place, os.W_OK):
                raise StoreError(
                    f"{place} may not be written", hint="give yourself the right to, or set VOICELOOP_HOME"
                )
        return path


def open_app(settings: Settings | None = None, clock: Clock | None = None) -> App:
    """Open the application over a data folder (settings from the environment by default)."""
    return App(settings or Settings(), clock)
