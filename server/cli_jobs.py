"""`voiceloop jobs list|run|stop|schedules`: what the server does beside its requests."""

import time
from typing import TYPE_CHECKING, Any

import typer

from server.cli_retention import show_table
from server.console import JsonFlag, application, command, out, print_json
from store.errors import ToolInputError

if TYPE_CHECKING:
    from agent.wiring import App
    from store.jobs import JobRun

jobs = typer.Typer(help="work beside requests: inbox, mailbox, themes, alerts, reports", no_args_is_help=True)
_LOOK_S = 0.2
_ARGS_EXAMPLE = """write it like --args '{"full": true}'"""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(jobs, name="jobs")


@jobs.command("list")
def list_jobs(
    kind: str = typer.Option("", "--kind", help="only of this kind"),
    limit: int = typer.Option(20, "--limit", min=1, max=1_000),
    as_json: bool = JsonFlag,
) -> None:
    """List runs, newest first."""
    with command(as_json), application() as app:
        runs = app.jobs.runs(kind=kind or None, limit=limit)
        if as_json:
            print_json({"jobs": runs})
            return
        show_table(
            ("run", "state", "progress", "by", "begun", "detail"),
            [
                (run.run_id, run.state, _progress(run), run.requested_by, _local(run, app), run.detail)
                for run in runs
            ],
        )


@jobs.command("run")
def run_job(
    kind: str = typer.Argument(..., help="ingest_inbox, ingest_mailbox, refresh_themes, scan_alerts ..."),
    args: str = typer.Option("{}", "--args", help="its arguments as JSON"),
    as_json: bool = JsonFlag,
) -> None:
    """Run one job and wait for its end; beside a running server it runs there."""
    with command(as_json), application() as app:
        from server.job_kinds import KINDS, handlers, parsed
        from server.job_runner import JobRunner, asked_run

        arguments = _arguments(args)
        parsed(kind, arguments)
        if KINDS[kind].internal:
            raise ToolInputError(f"{kind} is begun by the server itself", hint="voiceloop ingest FILE")
        run = asked_run(kind, arguments, by=app.settings.user, scope=(), now=app.clock.now())
        app.jobs.submit(run)
        # A server's own workers take it; without one this process is the worker.
        worker = None if _is_served(app) else JobRunner(app, app.jobs, handlers())
        if worker is not None:
            worker.start(plans=False)
        try:
            ended = _ended(app, run.run_id)
        finally:
            if worker is not None:
                worker.close()
        if as_json:
            print_json(ended)
        else:
            out().print(f"{ended.run_id}  {ended.state}  {ended.detail or ended.result}", markup=False)
    if ended.state == "failed":
        raise typer.Exit(1)


@jobs.command("stop")
def stop_job(
    run_id: str = typer.Argument(..., help="as `jobs list` shows it"), as_json: bool = JsonFlag
) -> None:
    """Stop a run: at once where it waits, else at its next step."""
    with command(as_json), application() as app:
        run = app.jobs.stop(run_id, app.clock.now())
        if run is None:
            raise ToolInputError(f"there is no job run {run_id!r}", hint="voiceloop jobs list")
        if as_json:
            print_json(run)
        else:
            out().print(f"{run.run_id}  {run.state}", markup=False)


@jobs.command()
def schedules(as_json: bool = JsonFlag) -> None:
    """Show what runs by itself while a server runs, and when next."""
    with command(as_json), application() as app:
        from server.job_schedules import seed_schedules

        seed_schedules(app)
        found = app.jobs.schedules()
        if as_json:
            print_json({"schedules": found})
            return
        zone = app.settings.zone
        show_table(
            ("name", "job", "cron", "next"),
            [
                (
                    one.name,
                    one.kind,
                    one.cron,
                    f"{one.next_at.astimezone(zone):%m-%d %H:%M}" if one.enabled else "off",
                )
                for one in found
            ],
        )


def _arguments(written: str) -> dict[str, Any]:
    import orjson

    try:
        found = orjson.loads(written)
    except orjson.JSONDecodeError as error:
        raise ToolInputError(f"--args is not JSON: {error}", hint=_ARGS_EXAMPLE) from error
    if not isinstance(found, dict):
        raise ToolInputError("--args must be a JSON object", hint=_ARGS_EXAMPLE)
    return found


def _is_served(app: "App") -> bool:
    from server.terminal import terminal

    return terminal().app is not None


def _ended(app: "App", run_id: str) -> "JobRun":
    while True:
        run = app.jobs.run(run_id)
        if run is None:
            raise ToolInputError(f"the job run {run_id!r} was forgotten")
        if run.finished_at is not None:
            return run
        time.sleep(_LOOK_S)


def _progress(run: "JobRun") -> str:
    if run.total:
        return f"{run.stage} {run.done:,}/{run.total:,}"
    return f"{run.stage} {run.done:,}" if run.done else run.stage


def _local(run: "JobRun", app: "App") -> str:
    return f"{run.created_at.astimezone(app.settings.zone):%Y-%m-%d %H:%M:%S}"
