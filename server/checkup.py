"""`voiceloop doctor`: what is wrong with an installation and how to mend it."""

import shutil
from collections.abc import Callable

from agent.wiring import App
from server.checkup_finding import Finding
from server.checkup_server import look_at_server
from store.errors import VoiceLoopError
from store.facts import Selection

_LOW_DISK = 1_000_000_000


def check(app: App) -> list[Finding]:
    """Look at the data folder, the server, the stores, the vectors, the labels and the endpoints.

    Where a server runs over the data folder, facts and vectors are its own: it is asked about them.
    """
    running, findings = look_at_server(app.home)
    # Only one process may open these.
    own: tuple[tuple[str, Callable[[App], Finding]], ...] = (
        ("facts", _facts),
        ("index", _index),
        ("labels", _labels),
    )
    looks: tuple[tuple[str, Callable[[App], Finding]], ...] = (
        ("home", _home),
        ("operations", _operations),
        *(() if running else own),
        ("classifier", _classifier),
        ("endpoint", _endpoint),
        ("label server", _label_server),
        ("traces", _traces),
    )
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


def _traces(app: App) -> Finding:
    if not app.settings.otlp_endpoint:
        return Finding("traces", True, "none: VOICELOOP_OTLP_ENDPOINT is not set")
    from server.api_traces import can_trace

    if not can_trace():
        detail = "VOICELOOP_OTLP_ENDPOINT is set, but what sends traces is not installed"
        return Finding("traces", False, detail, "pip install 'voiceloop[otel]'")
    return Finding("traces", True, f"to {app.settings.otlp_endpoint}")


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
    themes = sum(not theme.faded for theme in app.facts.themes())
    detail = f"{vectors:,} vectors for {texts:,} distinct texts, {themes} themes"
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


def _label_server(app: App) -> Finding:
    settings = app.settings
    waiting = sum(app.label_cache.queue_counts().values())
    queue = f"{waiting:,} texts wait for labels" if waiting else ""
    if not settings.label_base_url:
        return Finding("label server", not waiting, queue or "none configured: labels are embedded")
    import httpx

    key = settings.label_api_key.get_secret_value()
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    wrong = []
    urls = [url.strip().rstrip("/").removesuffix("/v1") for url in settings.label_base_url.split(",")]
    for url in filter(None, urls):
        try:
            response = httpx.get(f"{url}/v1/models", headers=headers, timeout=10, trust_env=False)
            served = [model["id"] for model in response.raise_for_status().json()["data"]]
        except httpx.HTTPStatusError as error:
            wrong.append(f"{url} answers {error.response.status_code}")
        except httpx.HTTPError as error:
            wrong.append(f"{url}: {type(error).__name__}")
        except (ValueError, KeyError, TypeError):
            wrong.append(f"{url} is no vLLM server")
        else:
            if settings.label_model not in served:
                wrong.append(f"{url} serves {', '.join(served)} and not {settings.label_model!r}")
    if wrong:
        mend = (
            "start it or correct VOICELOOP_LABEL_BASE_URL, _MODEL or _API_KEY; until then labels are embedded"
        )
        return Finding("label server", False, "; ".join(wrong), mend)
    if waiting:
        return Finding("label server", False, queue, "run `voiceloop label queue retry`")
    return Finding("label server", True, f"{len(urls)} replicas answer")
