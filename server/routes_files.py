"""Files over the API: looked at first, with the mapping that would be used, then brought in as a job."""

import secrets
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from pipeline.account import FileReport, IngestOptions
from pipeline.columns import Kind, parse_overrides
from pipeline.readers import open_table
from server.api_access import Caller, CallerNow, needs
from server.api_problems import NotFound, TooLarge, problems
from server.api_state import ServerState, StateNow
from server.job_runner import asked_run
from server.routes_jobs import JobView, permitted
from store.errors import InputError, NotPermitted, ToolInputError
from store.records import AuditEntry, Channel

router = APIRouter(prefix="/v1/feedback/files", tags=["feedback"])
_FOLDER: Final = "uploads"
_PIECE: Final = 1_000_000
_SAMPLE: Final = 8
_LONGEST_CELL: Final = 300


class FilePreview(BaseModel):
    """What a file holds and how it would be read. Nothing is stored, nor is the file kept."""

    name: str = Field(examples=["reviews.csv"])
    file: FileReport
    columns: list[str]
    sample: list[dict[str, str]] = Field(description="the first rows as they are in the file, unmasked")


@router.post(
    "",
    status_code=202,
    operation_id="add_file",
    summary="Upload a file",
    responses={
        **problems(401, 403),
        200: {"model": FilePreview, "description": "with `dry_run`: what would happen"},
    },
    dependencies=[needs("analyst")],
    response_model=JobView,
)
async def add_file(
    caller: CallerNow,
    state: StateNow,
    file: Annotated[UploadFile, File(description="CSV, TSV, XLSX, JSONL or Parquet, also .gz")],
    dry_run: Annotated[bool, Form()] = False,
    kind: Annotated[Kind, Form()] = "feedback",
    source: Annotated[str | None, Form(min_length=1, max_length=200)] = None,
    channel: Annotated[Channel | None, Form()] = None,
    maps: Annotated[list[str], Form(max_length=200, description="field=column, repeatable")] = [],  # noqa: B006
    lenient: Annotated[bool, Form()] = False,
) -> Any:
    """Every row is accounted for in the job's result; with `dry_run` the guessed mapping comes at once."""
    _require_everything(caller)
    options = await run_in_threadpool(
        _options, kind=kind, source=source or _stem(file), channel=channel, maps=maps, lenient=lenient
    )
    path = await _received(state, file)
    if dry_run:
        return await run_in_threadpool(_previewed, state, path, _name(file), options)
    return await run_in_threadpool(_begun, caller, state, path, _name(file), options)


@router.get(
    "/{run_id}/rejects",
    operation_id="get_rejects",
    summary="The rejected rows of an upload",
    responses={**problems(401, 403, 404), 200: {"content": {"application/octet-stream": {}}}},
    response_class=FileResponse,
    dependencies=[needs("analyst")],
)
def get_rejects(caller: CallerNow, state: StateNow, run_id: str) -> FileResponse:
    """As they were in the file, each with its reason: correct them and upload the file again."""
    run = permitted(state.app.jobs.run(run_id), run_id, caller)
    told = run.result.get("rejects_file")
    path = Path(told) if isinstance(told, str) else None
    # Only what an ingest wrote: the result of a run names the file.
    folder = (state.app.home / "rejects").resolve()
    if path is None or folder not in path.resolve().parents or not path.exists():
        raise NotFound(f"the run {run_id!r} has no rejected rows")
    return FileResponse(path, media_type="application/octet-stream", filename=path.name)


def _previewed(state: ServerState, path: Path, name: str, options: IngestOptions) -> Any:
    from fastapi.responses import JSONResponse

    try:
        report = state.app.ingestor.ingest([path], options.model_copy(update={"dry_run": True}))
        rows = open_table(path).rows()
        sample = []
        for row in rows:
            sample.append({str(key): str(value or "")[:_LONGEST_CELL] for key, value in row.values.items()})
            if len(sample) == _SAMPLE:
                break
    finally:
        path.unlink(missing_ok=True)
    columns = list(sample[0]) if sample else []
    shown = report.files[0].model_copy(update={"path": name})
    preview = FilePreview(name=name, file=shown, columns=columns, sample=sample)
    return JSONResponse(preview.model_dump(mode="json"), 200)


def _begun(caller: Caller, state: ServerState, path: Path, name: str, options: IngestOptions) -> JobView:
    app = state.app
    args = {"path": str(path), "name": name, "options": options.model_dump(mode="json", exclude_none=True)}
    run = asked_run("ingest_file", args, by=caller.asker.user, scope=(), now=app.clock.now())
    app.operations.audit(
        AuditEntry(
            occurred_at=run.created_at,
            actor=caller.asker.user,
            action="file.add",
            subject=run.run_id,
            detail={"kind": options.kind},
        )
    )
    return JobView.model_validate(state.jobs.submit(run))


def _options(**given: Any) -> IngestOptions:
    maps = tuple(given.pop("maps"))
    try:
        parse_overrides(maps)
        return IngestOptions(maps=maps, **given)
    except InputError as error:
        raise ToolInputError(error.message, hint=error.hint) from error
    except ValidationError as error:
        raise ToolInputError("; ".join(one["msg"] for one in error.errors())) from error


async def _received(state: ServerState, file: UploadFile) -> Path:
    """The upload in the data folder, under a name of ours: that of the sender is only ever shown."""
    most = int(state.app.settings.upload_mb * 1_000_000)
    folder = state.app.home / _FOLDER
    await run_in_threadpool(folder.mkdir, parents=True, exist_ok=True)
    endings = "".join(Path(_name(file)).suffixes[-2:]).lower()
    if not all(one.isalnum() or one == "." for one in endings) or len(endings) > 20:
        endings = ""
    path, size = folder / f"{secrets.token_hex(8)}{endings}", 0
    try:
        with path.open("wb") as stream:
            while piece := await file.read(_PIECE):
                size += len(piece)
                if size > most:
                    raise TooLarge(
                        f"the file is larger than {state.app.settings.upload_mb:g} MB",
                        hint="split it, or raise VOICELOOP_UPLOAD_MB",
                    )
                await run_in_threadpool(stream.write, piece)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _name(file: UploadFile) -> str:
    return Path((file.filename or "upload").replace("\\", "/")).name[:200] or "upload"


def _stem(file: UploadFile) -> str:
    """Rows are known by the file's name where no source is given, as on the command line."""
    name = _name(file).removesuffix(".gz")
    return Path(name).stem or name


def _require_everything(caller: Caller) -> None:
    if caller.asker.scope:
        raise NotPermitted(
            "not permitted: a file may hold rows of any unit, and your key is for some",
            hint="POST /v1/feedback takes items of your units",
        )
