"""The kinds of jobs: what each does, with which arguments, who may ask for it. To add one: a line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.account import IngestOptions
from server.job_effects import ask_surveys_job, verify_plans_job
from server.job_inbox import InboxArguments, ingest_inbox, ingest_paths, refresh, themes_turn
from server.job_mailbox import MailboxArguments, ingest_mailbox
from server.job_replay import ReplayArguments, replay_policy
from server.job_reports import ReportArguments, write_report
from server.job_runner import Handler, JobRunner, JobWork, asked_run
from store.clock import Clock
from store.errors import InputError, ToolInputError
from tools.context import Role


class NoArguments(BaseModel):
    """Nothing to say."""

    model_config = ConfigDict(extra="forbid")


class ThemeArguments(BaseModel):
    """How themes are refreshed."""

    model_config = ConfigDict(extra="forbid")

    full: bool = False


@dataclass(frozen=True)
class JobKind:
    """One kind. `role` may ask for it; `internal`: it is only begun by the server itself (an upload)."""

    arguments: type[BaseModel]
    act: Callable[[Any, JobWork], Mapping[str, Any]]
    role: Role = "manager"
    internal: bool = False


def refresh_themes_job(args: ThemeArguments, work: JobWork) -> Mapping[str, Any]:
    """Embed what is new and cluster; `full` clusters everything anew, ids kept where they can be."""
    from pipeline.indexing import index_pending
    from vectorstore.themes import refresh_themes

    app = work.app
    with themes_turn(work):
        indexed = index_pending(app.facts, app.operations, app.index, app.embedder, work.progress)
        report = refresh_themes(
            app.facts, app.index, app.clock, work.progress, full=args.full, namer=app.theme_namer
        )
    return {"texts": indexed.texts, "themes": len(app.facts.themes()), "unnamed": report.unnamed}


def scan_alerts_job(args: NoArguments, work: JobWork) -> Mapping[str, Any]:
    """Look for customers about to leave; alerts become tasks as the policy says."""
    report = work.app.scan_alerts(work.run.requested_by)
    names = ("customers", "assessed", "opened", "raised", "joined", "tasks", "messages")
    return {name: getattr(report, name) for name in names} | {"by_tier": dict(report.by_tier)}


def tend_tasks_job(args: NoArguments, work: JobWork) -> Mapping[str, Any]:
    """Give tasks to owners with room, end snoozes, escalate what is overdue."""
    return vars(work.app.tend_tasks())


def learn_policy_job(args: NoArguments, work: JobWork) -> Mapping[str, Any]:
    """Learn from verdicts; what is proven is put in shadow mode, for a person to let it decide."""
    from server.policy_learning import propose_lesson

    return propose_lesson(work.app)


def send_messages_job(args: NoArguments, work: JobWork) -> Mapping[str, Any]:
    """Send what is prepared for customers, as far as the policy allows it now."""
    return vars(work.app.message_sender.run())


def index_feedback_job(args: NoArguments, work: JobWork) -> Mapping[str, Any]:
    """Embed what came in, and let it join or found themes."""
    before = len(work.app.facts.themes())
    refresh(work)
    return {"themes": len(work.app.facts.themes()), "themes_before": before}


def relabel_job(args: NoArguments, work: JobWork) -> Mapping[str, Any]:
    """Label what is stored by the topics and words as they are now; the version is kept and audited."""
    from server.taxonomy_change import APPLY, carry_out

    return carry_out(work.app, APPLY, actor=work.run.requested_by, progress=work.progress)


class FileArguments(BaseModel):
    """An upload in the data folder, and how it is to be read."""

    model_config = ConfigDict(extra="forbid")

    path: Path
    name: str
    options: IngestOptions


def ingest_file_job(args: FileArguments, work: JobWork) -> Mapping[str, Any]:
    """Bring an upload in; the file itself is deleted once it is stored."""
    if not args.path.exists():
        raise InputError(f"{args.name}: the upload is no longer there", hint="upload it again")
    report = ingest_paths([args.path], args.options, work)
    if args.options.kind == "feedback" and report.stored:
        refresh(work)
    args.path.unlink(missing_ok=True)
    told = report.model_dump(mode="json")
    return {**told, "file": args.name}


KINDS: Final[Mapping[str, JobKind]] = {
    "ingest_inbox": JobKind(InboxArguments, ingest_inbox, "admin"),
    "ingest_mailbox": JobKind(MailboxArguments, ingest_mailbox, "admin"),
    "index_feedback": JobKind(NoArguments, index_feedback_job),
    "ingest_file": JobKind(FileArguments, ingest_file_job, internal=True),
    "relabel": JobKind(NoArguments, relabel_job, "admin"),
    "refresh_themes": JobKind(ThemeArguments, refresh_themes_job),
    "replay_policy": JobKind(ReplayArguments, replay_policy),
    "scan_alerts": JobKind(NoArguments, scan_alerts_job),
    "tend_tasks": JobKind(NoArguments, tend_tasks_job),
    "send_messages": JobKind(NoArguments, send_messages_job),
    "learn_policy": JobKind(NoArguments, learn_policy_job, "admin"),
    "ask_surveys": JobKind(NoArguments, ask_surveys_job),
    "verify_plans": JobKind(NoArguments, verify_plans_job),
    "write_report": JobKind(ReportArguments, write_report),
}


def parsed(kind: str, args: Mapping[str, Any]) -> BaseModel:
    """The arguments of a job. Raises ToolInputError for an unknown kind or arguments it has not."""
    found = KINDS.get(kind)
    if found is None:
        raise ToolInputError(f"there is no job {kind!r}", hint=f"jobs: {', '.join(sorted(KINDS))}")
    try:
        return found.arguments.model_validate(dict(args))
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ToolInputError(f"{kind}: {wrong}") from error


def begin_indexing(jobs: JobRunner, clock: Clock) -> None:
    """Have what was stored embedded."""
    jobs.submit(asked_run("index_feedback", {}, by="voiceloop", scope=(), now=clock.now()))


def handlers() -> dict[str, Handler]:
    """What the runner calls, by kind."""

    def handler(kind: str) -> Handler:
        return lambda work: KINDS[kind].act(parsed(kind, work.run.args), work)

    return {kind: handler(kind) for kind in KINDS}
