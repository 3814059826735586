"""Jobs of the server: durable runs, one at a time, taken up again, caught up once, visible and stoppable."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.settings import Settings
from agent.wiring import App, open_app
from server.job_cron import next_time
from server.job_inbox import InboxArguments, ingest_inbox
from server.job_runner import JobRunner, JobWork, asked_run
from server.job_schedules import schedule_of, seed_schedules, shipped
from store.clock import FixedClock, SystemClock
from store.errors import ToolInputError
from store.jobs import JobRun, JobState, LeaseLost
from tests.command_line import CommandLine
from tests.serving import Api

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with open_app(Settings(home=tmp_path / "home"), SystemClock()) as opened:
        yield opened


def queued(app: App, kind: str = "sleep", **args: Any) -> JobRun:
    return app.jobs.submit(asked_run(kind, args, by="test", scope=(), now=app.clock.now()))


def ended(app: App, run: JobRun, within_s: float = 20) -> JobRun:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        now = app.jobs.run(run.run_id)
        assert now is not None
        if now.finished_at is not None:
            return now
        time.sleep(0.02)
    raise AssertionError(f"{run.run_id} did not end")


def runner(app: App, **handlers: Callable[[JobWork], Mapping[str, Any]]) -> JobRunner:
    made = JobRunner(app, app.jobs, handlers)
    made.start()
    return made


def test_a_run_reports_how_far_it_is_and_what_it_gave(app: App) -> None:
    def count(work: JobWork) -> Mapping[str, Any]:
        work.progress(3, 7, "counting")
        return {"counted": work.run.args["n"]}

    jobs = runner(app, count=count)
    run = ended(app, jobs.submit(asked_run("count", {"n": 7}, by="wang", scope=(), now=app.clock.now())))
    jobs.close()
    assert (run.state, run.result, run.done, run.total, run.stage) == (
        "done",
        {"counted": 7},
        3,
        7,
        "counting",
    )


def test_what_fails_says_why_and_the_worker_goes_on(app: App) -> None:
    def refuse(work: JobWork) -> Mapping[str, Any]:
        raise ToolInputError("no such file", hint="look again")

    def break_off(work: JobWork) -> Mapping[str, Any]:
        raise RuntimeError("secret text of a customer")

    jobs = runner(app, refuse=refuse, break_off=break_off)
    refused, broken = ended(app, queued(app, "refuse")), ended(app, queued(app, "break_off"))
    unknown = ended(app, queued(app, "nothing"))
    jobs.close()
    assert (refused.state, refused.detail) == ("failed", "no such file (look again)")
    assert broken.state == "failed" and "secret" not in broken.detail
    assert unknown.state == "failed" and "nothing" in unknown.detail


def test_a_run_is_stopped_at_its_next_step_and_one_that_waits_at_once(app: App) -> None:
    going = threading.Event()

    def endless(work: JobWork) -> Mapping[str, Any]:
        going.set()
        while True:
            work.progress(0, None, "endless")
            time.sleep(0.01)

    jobs = runner(app, endless=endless)
    first = queued(app, "endless")
    assert going.wait(10)
    second = queued(app, "endless")  # of the same lane: waits
    assert app.jobs.stop(second.run_id, app.clock.now()).state == "stopped"  # type: ignore[union-attr]
    app.jobs.stop(first.run_id, app.clock.now())
    assert ended(app, first).state == "stopped"
    jobs.close()


def test_the_end_of_the_server_hands_a_run_back_and_the_next_start_takes_it_up(app: App) -> None:
    going, second = threading.Event(), threading.Event()

    def long(work: JobWork) -> Mapping[str, Any]:
        going.set()
        while not second.is_set():
            work.progress(0, None, "long")
            time.sleep(0.01)
        return {"attempt": work.run.attempts}

    jobs = runner(app, long=long)
    run = queued(app, "long")
    assert going.wait(10)
    jobs.close()
    handed_back = app.jobs.run(run.run_id)
    assert handed_back is not None and handed_back.state == "queued"
    second.set()
    again = runner(app, long=long)
    assert ended(app, run).result == {"attempt": 2}
    again.close()


def test_a_run_whose_process_fell_silent_is_lent_to_another_and_the_first_is_told(app: App) -> None:
    run = queued(app)
    lease, later = 60.0, NOW + timedelta(seconds=61)
    first = app.jobs.claim("one", NOW, lease_s=lease)
    assert first is not None and first.run_id == run.run_id
    assert app.jobs.claim("two", NOW, lease_s=lease) is None  # held
    taken = app.jobs.claim("two", later, lease_s=lease)
    assert taken is not None and taken.attempts == 2
    with pytest.raises(LeaseLost):
        app.jobs.beat(run.run_id, "one", later, lease_s=lease, done=1, total=None, stage="")
    with pytest.raises(LeaseLost):
        app.jobs.finish(run.run_id, "one", "done", later, result={}, detail="")


def test_two_processes_run_each_due_time_once_and_missed_times_once_together(tmp_path: Path) -> None:
    clock = FixedClock(NOW)
    with open_app(Settings(home=tmp_path / "home"), clock) as app:
        schedule = schedule_of(app, "hourly", {"kind": "scan_alerts", "cron": "0 * * * *"}, by="test")
        app.jobs.save_schedule(schedule)
        late = FixedClock(NOW + timedelta(hours=30))
        with (
            open_app(Settings(home=tmp_path / "home"), late) as one,
            open_app(Settings(home=tmp_path / "home"), late) as two,
        ):
            for each in (one, two):
                JobRunner(each, each.jobs, {})._begin_due(late.now())
            runs = app.jobs.runs()
    assert [run.schedule for run in runs] == ["hourly"]


def test_shipped_schedules_are_seeded_once_and_changes_stay(app: App) -> None:
    seed_schedules(app)
    assert {one.name for one in app.jobs.schedules()} == set(shipped())
    off = app.jobs.schedules()[0].model_copy(update={"enabled": False, "cron": "1 1 1 1 *"})
    app.jobs.save_schedule(off)
    seed_schedules(app)
    assert app.jobs.schedules()[0] == off


def test_times_of_day_are_those_of_the_zone(app: App) -> None:
    zone = app.settings.zone
    assert next_time("0 9 * * 1", NOW, zone) == datetime(2026, 11, 23, 1, tzinfo=UTC)
    for wrong in ("", "* * *", "61 * * * *", "0 0 30 2 *"):
        with pytest.raises(ToolInputError):
            next_time(wrong, NOW, zone)


def test_the_inbox_takes_each_file_once_and_keeps_what_it_cannot_use(app: App) -> None:
    inbox = app.home / "inbox"
    inbox.mkdir(parents=True)
    (inbox / "good.csv").write_text("text,nps\n物流太慢,3\n很好,9\n", encoding="utf-8")
    (inbox / "bad.csv").write_bytes(b"\x00\x01\x02\x00" * 50)
    (inbox / "growing.csv").write_text("text,nps\n刚刚写,5\n", encoding="utf-8")
    old = time.time() - 60
    for name in ("good.csv", "bad.csv"):
        os.utime(inbox / name, (old, old))
    run = asked_run("ingest_inbox", {}, by="test", scope=(), now=app.clock.now())
    told = ingest_inbox(InboxArguments(), JobWork(app, run, lambda done, total, stage: None))
    assert (told["files"], told["refused"], told["stored"]) == (2, 1, 2)
    assert (inbox / "done" / "good.csv").exists() and (inbox / "growing.csv").exists()
    assert (inbox / "refused" / "bad.csv").exists() and (inbox / "refused" / "bad.csv.txt").read_text()
    assert app.facts.count(_everything()) == 2


def _everything() -> Any:
    from store.facts import Selection

    return Selection()


async def test_jobs_over_http_are_begun_seen_and_stopped_by_those_who_may(api: Api) -> None:
    manager, analyst, scoped = api.key("manager"), api.key("analyst"), api.key("admin", ["hq/east"])
    post, get = api.client.post, api.client.get
    begun = await post("/v1/jobs", json={"kind": "refresh_themes"}, headers=manager)
    assert begun.status_code == 202
    run = begun.json()["run_id"]
    assert (await get(f"/v1/jobs/{run}", headers=manager)).json()["kind"] == "refresh_themes"
    assert (await get(f"/v1/jobs/{run}", headers=analyst)).status_code == 403
    assert (await get("/v1/jobs", headers=analyst)).json()["jobs"] == []
    assert (await get("/v1/jobs/none", headers=manager)).status_code == 404
    for headers, kind, status in (
        (analyst, "refresh_themes", 403),
        (scoped, "refresh_themes", 403),
        (manager, "x", 400),
    ):
        assert (await post("/v1/jobs", json={"kind": kind}, headers=headers)).status_code == status
    assert (await post(f"/v1/jobs/{run}/stop", headers=manager)).status_code == 200
    states: set[JobState] = {"done", "stopped", "running", "failed"}
    assert (await get(f"/v1/jobs/{run}", headers=manager)).json()["state"] in states


async def test_schedules_over_http(api: Api) -> None:
    admin, manager = api.key("admin"), api.key("manager")
    url = "/v1/jobs/schedules/nightly"
    wanted = {"kind": "refresh_themes", "cron": "0 2 * * *", "args": {"full": True}}
    assert (await api.client.put(url, json=wanted, headers=manager)).status_code == 403
    assert (await api.client.put(url, json={**wanted, "cron": "x"}, headers=admin)).status_code == 400
    made = await api.client.put(url, json=wanted, headers=admin)
    assert made.status_code == 200 and made.json()["next_at"]
    listed = (await api.client.get("/v1/jobs/schedules", headers=manager)).json()["schedules"]
    assert "nightly" in {one["name"] for one in listed}
    assert (await api.client.delete(url, headers=admin)).status_code == 204
    assert (await api.client.delete(url, headers=admin)).status_code == 404


def test_the_command_line_runs_lists_and_stops_jobs(voiceloop: CommandLine) -> None:
    listed = voiceloop("jobs", "schedules", "--json").document
    assert {one["name"] for one in listed["schedules"]} == set(shipped())
    ran = voiceloop("jobs", "run", "ingest_inbox", "--json").document
    assert (ran["state"], ran["result"]["files"]) == ("done", 0)
    assert [run["run_id"] for run in voiceloop("jobs", "list", "--json").document["jobs"]] == [ran["run_id"]]
    assert voiceloop("jobs", "run", "ingest_file").status == 2
    assert voiceloop("jobs", "run", "x").status == 2
    assert voiceloop("jobs", "stop", "x").status == 2
