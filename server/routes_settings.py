"""Settings over the API: the data folder's own taxonomy and words, checked before they count."""

from typing import Any, Final, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from pipeline.checked_yaml import Problem as YamlProblem
from pipeline.lexicon import build_lexicon
from pipeline.taxonomy import build_taxonomy
from pipeline.taxonomy_sources import (
    LEXICON_FILE,
    TAXONOMY_FILE,
    Sources,
    UserFile,
    pack_names,
    read_pack,
    read_sources,
    write_whole,
)
from pipeline.taxonomy_versions import keep_version, version_of
from server.api_access import Caller, CallerNow, needs
from server.api_problems import Conflict, problems
from server.api_state import ServerState, StateNow
from server.job_runner import asked_run
from server.routes_jobs import JobView
from server.taxonomy_change import history, in_effect, put_back
from store.errors import NotPermitted
from store.records import AuditEntry

router = APIRouter(prefix="/v1/settings", tags=["settings"])
Own = Literal["taxonomy", "lexicon"]
_FILES: Final = {"taxonomy": TAXONOMY_FILE, "lexicon": LEXICON_FILE}
_LONGEST: Final = 1_000_000


class Topic(BaseModel):
    """A topic in effect; `path` is what labels and filters say."""

    path: str = Field(examples=["logistics/speed"])
    names: dict[str, str] = Field(examples=[{"zh": "配送速度", "en": "Delivery speed"}])
    departments: dict[str, str]


class Pack(BaseModel):
    """An industry pack."""

    name: str = Field(examples=["ecommerce"])
    title: dict[str, str]
    on: bool


class Labelling(BaseModel):
    """What texts are labelled by: topics, packs, the folder's own YAML, and the version of it all.

    `applied` is the version that what is stored was last labelled by.
    """

    version: str
    applied: str
    taxonomy: str = Field(description="the data folder's own taxonomy.yaml, on top of ours")
    lexicon: str = Field(description="the data folder's own lexicon.yaml")
    topics: list[Topic]
    packs: list[Pack]


class OwnFile(BaseModel):
    """A new text of an own file; `version`: the one it was made from, so that no other change is lost."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=_LONGEST, examples=["branches: {}\n"])
    version: str = Field(max_length=100)
    dry_run: bool = Field(default=False, description="check only")


class Wrong(BaseModel):
    """What is wrong in a file, and where."""

    at: str = Field(examples=["branches.service.topics"])
    line: int | None
    wrong: str
    allowed: str


class OwnFileChecked(BaseModel):
    """Whether it counts; the job relabels what is stored."""

    ok: bool
    problems: list[Wrong]
    version: str
    job: JobView | None = None


class Change(BaseModel):
    """A version that was applied or gone back to."""

    version: str
    at: Any
    actor: str
    action: str
    detail: dict[str, str]


class Changes(BaseModel):
    """Newest first."""

    changes: list[Change]


class GoBack(BaseModel):
    """Which version to go back to; none: the one before."""

    model_config = ConfigDict(extra="forbid")

    version: str = Field(default="", max_length=100)


@router.get(
    "/labelling", operation_id="get_labelling", summary="Topics and words", responses=problems(401, 403)
)
def get_labelling(caller: CallerNow, state: StateNow) -> Labelling:
    """What the labels mean, for everybody who reads them."""
    app = state.app
    sources = read_sources(app.home, app.settings.industries)
    tree, _ = build_taxonomy(sources)
    topics = [
        Topic(path=path, names=dict(entry.names), departments=dict(entry.departments))
        for path, entry in tree.entries.items()
    ]
    packs = [
        Pack(name=name, title=dict(read_pack(name)["title"]), on=name in sources.industries)
        for name in pack_names()
    ]
    return Labelling(
        version=version_of(sources),
        applied=in_effect(app),
        taxonomy=_text(sources.taxonomy),
        lexicon=_text(sources.lexicon),
        topics=topics,
        packs=packs,
    )


@router.put(
    "/labelling/{own}",
    operation_id="put_labelling",
    summary="Change own topics or words",
    responses=problems(401, 403, 409),
    dependencies=[needs("admin")],
)
def put_labelling(caller: CallerNow, state: StateNow, own: Own, body: OwnFile) -> OwnFileChecked:
    """Checked as a whole; where nothing is wrong it counts at once, and a job relabels what is stored."""
    _require_everything(caller)
    app = state.app
    sources = read_sources(app.home, app.settings.industries)
    if body.version != version_of(sources):
        raise Conflict("the settings were changed meanwhile", hint="read them again and repeat your change")
    file = UserFile(str(app.home / _FILES[own]), body.text.encode()) if body.text.strip() else None
    wanted = Sources(
        sources.industries,
        file if own == "taxonomy" else sources.taxonomy,
        file if own == "lexicon" else sources.lexicon,
    )
    wrong = (*build_taxonomy(wanted)[1], *build_lexicon(wanted)[1])
    if wrong or body.dry_run:
        return OwnFileChecked(ok=not wrong, problems=[_wrong(one) for one in wrong], version=body.version)
    _audit(state, caller, "settings.change", own, version=version_of(wanted))
    keep_version(app.home, build_taxonomy(sources)[0], at=app.clock.now(), actor=caller.asker.user)
    path = app.home / _FILES[own]
    if file is None:
        path.unlink(missing_ok=True)
    else:
        write_whole(path, file.raw)
    app.reload_labelling()
    state.ingest.renew()
    job = _relabelling(state, caller)
    return OwnFileChecked(ok=True, problems=[], version=version_of(wanted), job=job)


@router.get(
    "/labelling/history",
    operation_id="list_labelling_changes",
    summary="Earlier versions",
    responses=problems(401, 403),
    dependencies=[needs("manager")],
)
def list_changes(caller: CallerNow, state: StateNow) -> Changes:
    """Each version that what is stored was labelled by."""
    _require_everything(caller)
    known = ("version", "at", "actor", "action")
    return Changes(
        changes=[
            Change(
                **{name: one[name] for name in known},
                detail={name: str(value) for name, value in one.items() if name not in known},
            )
            for one in history(state.app)
        ]
    )


@router.post(
    "/labelling/rollback",
    status_code=202,
    operation_id="roll_labelling_back",
    summary="Go back to a version",
    responses=problems(401, 403),
    dependencies=[needs("admin")],
)
def roll_back(caller: CallerNow, state: StateNow, body: GoBack) -> JobView:
    """Puts the files of an earlier version back; a job relabels what is stored."""
    _require_everything(caller)
    version = put_back(state.app, body.version, actor=caller.asker.user)
    _audit(state, caller, "settings.rollback", version)
    state.app.reload_labelling()
    state.ingest.renew()
    return _relabelling(state, caller)


def _relabelling(state: ServerState, caller: Caller) -> JobView:
    run = asked_run("relabel", {}, by=caller.asker.user, scope=(), now=state.app.clock.now())
    return JobView.model_validate(state.jobs.submit(run))


def _text(file: UserFile | None) -> str:
    return "" if file is None else file.raw.decode("utf-8", "replace")


def _wrong(one: YamlProblem) -> Wrong:
    return Wrong(at=one.at, line=one.line, wrong=one.wrong, allowed=one.allowed)


def _require_everything(caller: Caller) -> None:
    if caller.asker.scope:
        raise NotPermitted("not permitted: settings are those of all units, and your key is for some")


def _audit(state: ServerState, caller: Caller, action: str, subject: str, **detail: str) -> None:
    state.app.operations.audit(
        AuditEntry(
            occurred_at=state.app.clock.now(),
            actor=caller.asker.user,
            action=action,
            subject=subject,
            detail=detail,
        )
    )
