"""`voiceloop doctor`: what is wrong with an installation and how to mend it."""

import shutil
from collections.abc import Callable
from typing import NamedTuple

from agent.wiring import App
from store.errors import VoiceLoopError
from store.facts import Selection

_LOW_DISK = 1_000_000_000


class Finding(NamedTuple):
    """One thing looked at. `mend` says what to do where it is not ok."""

    name: str
    ok: bool
    detail: str
    mend: str = ""


def check(app: App) -> list[Finding]:
    """Look at the data folder, both stores, the vectors, the labels and the endpoint, in that order."""
    looks: tuple[tuple[str, Callable[[App], Finding]], ...] = (
        ("home", _home),
        ("facts", _facts),
        ("operations", _operations),
        ("index", _index),
        ("classifier", _classifier),
        ("labels", _labels),
        ("endpoint", _endpoint),
    )
    findings = []
    for name, look in looks:
        try:
            findings.append(look(app))
        except VoiceLoopError as error:
            findings.append(Finding(name, False, error.message, error.hint))
    return findings


def _home(app: App) -> Finding:
    app.home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(app.home).free
    detail = f"{app.home}, {free / 1e9:.1f} GB free"
    if free < _LOW_DISK:
        return Finding("home", False, detail, "free some disk space, or set VOICELOOP_HOME to another disk")
    return Finding("home", True, detail)


def _facts(app: App) -> Finding:
    catalogue = app.facts.catalogue()
    detail = f"{catalogue.items:,} items, {catalogue.customers:,} customers"
    if not catalogue.items:
        return Finding("facts", True, f"{detail}; bring some in with `voiceloop ingest FILE`")
    return Finding("facts", True, detail)


def _operations(app: App) -> Finding:
    entries = app.operations.verify_audit()
    unfinished = app.operations.batches(unfinished=True)
    detail = f"audit chain of {entries:,} entries unbroken"
    if unfinished:
        files = ", ".join(batch.path for batch in unfinished[:3])
        return Finding(
            "operations",
            False,
            f"{detail}; {len(unfinished)} unfinished ingests ({files})",
            "run `voiceloop ingest` on the same files again, then `voiceloop themes --refresh`",
        )
    return Finding("operations", True, detail)


def _index(app: App) -> Finding:
    texts, vectors = len(app.facts.text_keys(Selection())), app.index.count()
    detail = f"{vectors:,} vectors for {texts:,} distinct texts, {len(app.facts.themes())} themes"
    if vectors < texts:
        return Finding("index", False, detail, "run `voiceloop reindex`")
    return Finding("index", True, detail)


def _classifier(app: App) -> Finding:
    labels = app.classifier.classify(["物流太慢了，等了一周", "great service"])
    return Finding("classifier", len(labels) == 2, app.classifier.name)


def _labels(app: App) -> Finding:
    from pipeline.stale_labels import stale_items

    stale = stale_items(app.facts, app.labellers())
    if stale:
        detail = f"{stale:,} items carry labels of an older taxonomy, lexicon or model"
        return Finding(
            "labels", False, detail, "see `voiceloop taxonomy diff`, then `voiceloop taxonomy apply`"
        )
    return Finding("labels", True, "all labels are those of the labeller in use")


def _endpoint(app: App) -> Finding:
    settings = app.settings
    if not settings.llm_base_url:
        return Finding("endpoint", True, "none configured: the offline planner answers")
    import httpx

    url = settings.llm_base_url.rstrip("/") + "/models"
    key = settings.llm_api_key.get_secret_value()
    try:
        response = httpx.get(url, headers={"Authorization": f"Bearer {key}"}, timeout=10)
    except httpx.HTTPError as error:
        mend = "start the server or correct VOICELOOP_LLM_BASE_URL; until then the offline planner answers"
        return Finding("endpoint", False, f"{url}: {type(error).__name__}", mend)
    if response.status_code != httpx.codes.OK:
        return Finding(
            "endpoint", False, f"{url} answers {response.status_code}", "check VOICELOOP_LLM_API_KEY"
        )
    return Finding("endpoint", True, f"{url} answers")
