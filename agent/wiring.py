"""The one composition root: settings in, a working application out. Parts open when first used."""

import os
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from agent.settings import Settings
from agent.wiring_crm import CrmLinking
from store.clock import Clock
from store.errors import ConfigError, StoreError
from tools.context import Asker, ToolContext

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    from agent.approver import Approver
    from agent.ask import Assistant
    from agent.insight_document import Kind, Language
    from agent.insights import Insights
    from agent.offline_model import OfflinePlanner
    from agent.planner import Planner
    from agent.task_desk import TaskDesk
    from agent.theme_namer import ModelNamer
    from agent.thread_store import ThreadStore
    from pipeline.images import PictureReader
    from pipeline.ingest import Ingestor
    from pipeline.pseudonyms import Pseudonyms
    from pipeline.transcription import Transcriber
    from pipeline.writing import FeedbackWriter
    from retention.churn import ChurnModels
    from store.facts import FactStore
    from store.jobs import JobStore
    from store.keys import KeyStore
    from store.operations import OperationStore
    from store.preferences import PreferenceStore
    from store.replies import ReplyStore
    from store.sessions import SessionStore
    from store.vault import Vault
    from tools.calendar_file import ExternalEvent
    from tools.live_conversation import Listener
    from tools.result_cache import ResultCache
    from tools.targets import Yardsticks


class App(CrmLinking):
    """Everything one data folder needs. Close it, or use it as a context manager."""

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

    @property
    def listener(self) -> "Listener":
        """Reads running conversations."""
        from pipeline.label_corrections import CorrectedClassifier
        from tools.live_conversation import Listener

        return Listener(CorrectedClassifier(self.classifier, self.human_labels), self.mask)

    def feedback_writer(self) -> "FeedbackWriter":
        """A writer of single items: one for as long as a server runs, so what it remembers is bounded."""
        from pipeline.label_corrections import CorrectedClassifier
        from pipeline.writing import SEEDED_ITEMS, FeedbackWriter

        classifier = CorrectedClassifier(self.classifier, self.human_labels)
        return FeedbackWriter(self.facts, classifier, self.mask, self.pseudonyms, held=SEEDED_ITEMS)

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

    @cached_property
    def churn_models(self) -> "ChurnModels":
        """The churn models learnt in this process."""
        from retention.churn import ChurnModels

        return ChurnModels()

    @cached_property
    def results(self) -> "ResultCache | None":
        """What tools gave before; None: nothing is kept. To be cleared where a settings file changes."""
        if not self.settings.result_cache:
            return None
        from tools.result_cache import ResultCache

        return ResultCache(self.settings.result_cache)

    @property
    def targets(self) -> "Yardsticks":
        """Baselines and targets: the defaults under the user's own file, where there is one."""
        from tools.targets import load_targets

        beside = self.home / "targets.yaml"
        return load_targets(self.settings.targets or (beside if beside.exists() else None))

    @property
    def calendar(self) -> "tuple[ExternalEvent, ...]":
        """What happened or will besides holidays, as the company wrote it down."""
        from tools.calendar_file import load_calendar

        beside = (self.home / name for name in ("calendar.yaml", "calendar.csv"))
        path = self.settings.calendar or next((one for one in beside if one.exists()), None)
        return load_calendar(path) if path else ()

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
            policy=self.policy_book.live(),
            labellers=self.labellers,
            churn=self.churn_models,
            targets=self.targets,
            calendar=self.calendar,
            results=self.results,
            reaches_customers=self.reaches_customers,
        )

    def planner(self, facts: "FactStore") -> "Planner":
        """The planner over these facts as they are now."""
        from agent.name_matching import by_meaning
        from agent.planner import Planner
        from agent.reading import build_reader

        similar = by_meaning(lambda: self.embedder)
        reader = build_reader(facts, self.clock, self.settings.zone, self.taxonomy, similar)
        return Planner(reader, self.settings.zone)

    def insights(
        self,
        asker: Asker,
        *,
        kind: "Kind",
        language: "Language",
        first: str | None = None,
        end: str | None = None,
        filters: "Mapping[str, Any] | None" = None,
    ) -> "Insights":
        """An insight report over what the asker may see now; see agent/insights.py."""
        from agent.insights import build_insights
        from agent.reading import build_reader

        context = self.context(asker)
        reader = build_reader(context.facts, self.clock, self.settings.zone, self.taxonomy)
        return build_insights(
            context,
            kind=kind,
            metric=reader.vocabulary.default_metric(),
            language=language,
            first=first,
            end=end,
            filters=filters,
        )

    def offline_planner(self) -> "OfflinePlanner":
        """The planner over all data as it is now, for use outside a run."""
        from agent.offline_model import OfflinePlanner

        return OfflinePlanner(self.planner(self.facts))

    def operations_of(self, asker: Asker) -> "OperationStore":
        """What an asker may see of the operations."""
        return self.operations_within(asker.scope)

    @cached_property
    def approver(self) -> "Approver":
        """Decides about drafts."""
        from agent.approver import Approver

        return Approver(
            self.operations_of,
            lambda asker: self.facts.scoped(asker.scope) if asker.scope else self.facts,
            self.clock,
            days=self.settings.approval_days,
        )

    @property
    def task_desk(self) -> "TaskDesk":
        """Where people change tasks."""
        from agent.task_desk import TaskDesk

        return TaskDesk(self.approver, self.operations_of, self.policy_book.live)

    @cached_property
    def preferences(self) -> "PreferenceStore":
        """What each person takes for granted."""
        from store.sqlite_preferences import SqlitePreferences

        store = SqlitePreferences(self._file("operations.sqlite"))
        self._closers.append(store)
        return store

    @cached_property
    def keys(self) -> "KeyStore":
        """Who may call the server."""
        from store.sqlite_keys import SqliteKeys

        store = SqliteKeys(self._file("operations.sqlite"), self.clock)
        self._closers.append(store)
        return store

    @cached_property
    def sessions(self) -> "SessionStore":
        """Who is signed in to the web page."""
        from store.sqlite_sessions import SqliteSessions

        store = SqliteSessions(self._file("operations.sqlite"), self.clock)
        self._closers.append(store)
        return store

    @cached_property
    def replies(self) -> "ReplyStore":
        """What requests with an idempotency key were answered."""
        from store.sqlite_replies import SqliteReplies

        store = SqliteReplies(self._file("operations.sqlite"))
        self._closers.append(store)
        return store

    @cached_property
    def jobs(self) -> "JobStore":
        """Work beside requests: what is due, what runs, what ran."""
        from store.sqlite_jobs import SqliteJobs

        store = SqliteJobs(self._file("operations.sqlite"))
        self._closers.append(store)
        return store

    @cached_property
    def threads(self) -> "ThreadStore":
        """The conversations, to be listed, renamed and deleted."""
        from agent.thread_store import ThreadStore

        return ThreadStore(self._file("threads.sqlite"))

    @asynccontextmanager
    async def checkpointer(self) -> AsyncIterator["AsyncSqliteSaver"]:
        """What the graph keeps the threads in."""
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

        async with AsyncSqliteSaver.from_conn_string(str(self._file("threads.sqlite"))) as checkpointer:
            await checkpointer.setup()
            yield checkpointer

    @asynccontextmanager
    async def assistant(self, model: "BaseChatModel | None" = None) -> AsyncIterator["Assistant"]:
        """The agent over the persisted threads. `model` overrides the configured endpoint."""
        import httpx
        from langgraph.config import get_config

        from agent.ask import Assistant
        from agent.briefing import system_prompt
        from agent.graph import build_graph
        from agent.language import language_of
        from agent.offline_model import OfflinePlanner
        from agent.preference_turn import KeepPreferences, prompt_section
        from agent.preferences import Preferences
        from agent.scoped_planner import ScopedPlanner, facts_of_run
        from agent.toolset import asker_of, build_tools
        from agent.wiring_guard import answer_guard, guards_for
        from agent.wiring_model import client_failures, endpoints, turn_limits
        from tools.catalogue import ALL_TOOLS

        answers = answer_guard(self.settings)
        planner = ScopedPlanner(self.facts, self.planner, self.preferences)
        try:
            async with (
                httpx.AsyncClient(timeout=self.settings.llm_timeout_s) as client,
                self.checkpointer() as checkpointer,
            ):
                models = (model,) if model is not None else endpoints(self.settings, client)
                graph = build_graph(
                    planner=OfflinePlanner(planner),
                    models=models,
                    model_failures=client_failures() if models and model is None else (),
                    limits=turn_limits(self.settings),
                    tools=build_tools(ALL_TOOLS, self.context),
                    system_prompt=lambda question, arguments: (
                        system_prompt(
                            question, arguments, facts_of_run(self.facts), self.clock, self.settings.zone
                        )
                        + prompt_section(
                            Preferences.of(self.preferences.of(asker_of(get_config()).user)),
                            language_of(question),
                        )
                    ),
                    approver=self.approver,
                    guards=(
                        *guards_for(answers, self.facts, ALL_TOOLS),
                        KeepPreferences(self.preferences, self.clock, lambda: planner.reader),
                    ),
                    checkpointer=checkpointer,
                )
                yield Assistant(
                    graph,
                    has_model=bool(models),
                    answers=answers,
                    threads=self.threads,
                    clock=self.clock,
                )
        except sqlite3.DatabaseError as error:
            raise StoreError(f"the conversations cannot be read or written: {error}") from error

    @property
    def theme_namer(self) -> "ModelNamer | None":
        """Names themes by the configured model; None where there is none: they are called by their words."""
        from agent.wiring_model import client_failures, endpoints

        models = endpoints(self.settings, None)
        if not models:
            return None
        from agent.theme_namer import ModelNamer

        return ModelNamer(models[0], client_failures(), self.settings.llm_model)


def open_app(settings: Settings | None = None, clock: Clock | None = None) -> App:
    """Open the application over a data folder (settings from the environment by default)."""
    return App(settings or Settings(), clock)
