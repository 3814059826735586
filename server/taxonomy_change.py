"""A change of the taxonomy as a whole: what it would relabel, doing it, and going back."""

from typing import TYPE_CHECKING, Any

from store.errors import InputError

if TYPE_CHECKING:
    from agent.wiring import App
    from pipeline.taxonomy import Taxonomy
    from server.console import Progress

APPLY = "taxonomy.apply"
ROLLBACK = "taxonomy.rollback"
# Above this many distinct texts a preview looks at a sample of this size.
SAMPLE_TEXTS = 100_000


def in_effect(app: "App") -> str:
    """The version that the store was last relabelled by; that of the general taxonomy at first."""
    from pipeline.taxonomy_sources import GENERAL
    from pipeline.taxonomy_versions import version_of

    entries = [entry for entry in app.operations.audit_entries() if entry.action in (APPLY, ROLLBACK)]
    return entries[-1].subject if entries else version_of(GENERAL)


def history(app: "App") -> list[dict[str, Any]]:
    """Each time a version was applied or gone back to, newest first."""
    return [
        {"version": entry.subject, "at": entry.occurred_at, "actor": entry.actor, "action": entry.action}
        | dict(entry.detail)
        for entry in reversed(app.operations.audit_entries())
        if entry.action in (APPLY, ROLLBACK)
    ]


def taxonomy_at(app: "App", version: str) -> "Taxonomy":
    """The tree of a version; InputError where it was not kept."""
    from pipeline.taxonomy import load_taxonomy
    from pipeline.taxonomy_sources import GENERAL
    from pipeline.taxonomy_versions import find_version, version_of

    if version == version_of(GENERAL):
        return load_taxonomy()
    return load_taxonomy(find_version(app.home, version).sources)


def difference(app: "App", *, examples: int, texts: int, progress: "Progress | None") -> dict[str, Any]:
    """What is different from the version in effect, and what relabelling would change."""
    from analytics.estimates import proportion
    from pipeline.label_apply import preview
    from pipeline.taxonomy_versions import compare_trees, version_of

    before = in_effect(app)
    change = compare_trees(taxonomy_at(app, before), app.taxonomy)
    found = preview(
        app.facts, app.human_labels, app.classifier, sample=examples, texts=texts, progress=progress
    )
    everything = sum(n for _, n in app.facts.text_keys(all_speakers()))
    document: dict[str, Any] = {
        "from": before,
        "to": version_of(app.taxonomy_sources),
        "tree": change._asdict(),
        "relabel": found.model_dump(mode="json"),
        "stored_items": everything,
        "sampled": found.items < everything,
        "topics": _by_topic(found.transitions.get("topics", {})),
    }
    if document["sampled"]:
        # Items of one text change together: the number of texts is what the sample is worth.
        share = found.changed_items / max(1, found.items)
        changed = proportion(found.texts, round(share * found.texts))
        document["estimate"] = {
            "share": share,
            "ci_low": changed.ci_low,
            "ci_high": changed.ci_high,
            "items": round(share * everything),
        }
    return document


def all_speakers() -> Any:
    """Everything stored, agents' turns too: they are labelled as well."""
    from pipeline.label_apply import every_speaker
    from store.facts import Selection

    return every_speaker(Selection())


def _by_topic(transitions: dict[str, int]) -> dict[str, dict[str, int]]:
    """Items that gain, lose and change each topic: `+ path`, `- path`, `path: negative -> positive`."""
    found: dict[str, dict[str, int]] = {}
    for change, count in transitions.items():
        kind = {"+": "gain", "-": "lose"}.get(change[0], "polarity")
        topic = change[2:] if kind != "polarity" else change.partition(":")[0]
        side = found.setdefault(topic, {"gain": 0, "lose": 0, "polarity": 0})
        side[kind] += count
    return dict(sorted(found.items(), key=lambda one: -sum(one[1].values())))


def carry_out(app: "App", action: str, *, actor: str, progress: "Progress | None") -> dict[str, Any]:
    """Keep the version, relabel the store, and enter it in the audit log. A killed run is run again."""
    from pipeline.label_apply import apply
    from pipeline.taxonomy_versions import keep_version, version_of
    from store.records import AuditEntry

    before, classifier = in_effect(app), app.classifier
    version = version_of(app.taxonomy_sources)
    keep_version(app.home, app.taxonomy, at=app.clock.now(), actor=actor)
    report = apply(
        app.facts,
        app.human_labels,
        app.operations,
        classifier,
        app.clock,
        actor=actor,
        reason=f"taxonomy {version}",
        progress=progress,
    )
    fresh = report.items > report.already_current
    if before != version or fresh:
        detail = {
            "from": before,
            "industries": ",".join(app.taxonomy_sources.industries) or "none",
            "items": str(report.items),
            "changed": str(report.changed_items),
        }
        entry = AuditEntry(
            occurred_at=app.clock.now(), actor=actor, action=action, subject=version, detail=detail
        )
        app.operations.audit(entry)
    return {"version": version, "before": before, **report.model_dump(mode="json")}


def put_back(app: "App", version: str, *, actor: str) -> str:
    """Put the files of an earlier version back (the one before, where none is named); keep those of now."""
    from pipeline.taxonomy import build_taxonomy
    from pipeline.taxonomy_sources import GENERAL
    from pipeline.taxonomy_versions import find_version, keep_version, restore, version_of

    target = version or _before(app)
    sources = GENERAL if target == version_of(GENERAL) else find_version(app.home, target).sources
    wanted = app.settings.industries
    if wanted is not None and wanted != sources.industries:
        raise InputError(
            f"VOICELOOP_INDUSTRIES is {','.join(wanted) or 'empty'}, but that version has "
            f"{','.join(sources.industries) or 'no pack'}",
            hint="unset VOICELOOP_INDUSTRIES: `voiceloop taxonomy use` chooses packs for the data folder",
        )
    now, problems = build_taxonomy(app.taxonomy_sources)
    if not problems:
        keep_version(app.home, now, at=app.clock.now(), actor=actor)
    restore(app.home, sources)
    return version_of(sources)


def _before(app: "App") -> str:
    """The version in effect before the last one."""
    entries = history(app)
    if not entries:
        raise InputError("no taxonomy was applied yet", hint="there is nothing to go back to")
    return str(entries[0]["from"])
