"""`taxonomy show|check|packs|use|diff|apply|history|rollback`: a data folder's topics and words."""

import sys
from typing import TYPE_CHECKING, Any

import typer

from server.console import JsonFlag, application, command, out, print_json, progress_bars
from store.errors import InputError, ToolInputError

if TYPE_CHECKING:
    from agent.wiring import App

taxonomy = typer.Typer(help="topics, words and industries", no_args_is_help=True)
_ROWS = 15
_BY = typer.Option("local", "--by", help="who does it, for the audit log")
_YES = typer.Option(False, "--yes", help="do not ask")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(taxonomy, name="taxonomy")


@taxonomy.command()
def show(as_json: bool = JsonFlag) -> None:
    """Show the topics in effect, with names and departments."""
    with command(as_json), application("refuse") as app:
        from pipeline.taxonomy_versions import version_of

        tree, lexicon = app.taxonomy, app.lexicon
        words: dict[str, int] = {}
        for cue in lexicon.cues:
            for topic in cue.topics:
                words[topic] = words.get(topic, 0) + 1
        rows = [
            {
                "path": path,
                "name": dict(entry.names),
                "department": dict(entry.departments),
                "aliases": list(entry.aliases),
                "words": words.get(path, 0) if "/" in path else None,
            }
            for path, entry in tree.entries.items()
        ]
        document = {
            "version": version_of(app.taxonomy_sources),
            "fingerprint": tree.fingerprint,
            "lexicon": lexicon.fingerprint,
            "industries": list(app.taxonomy_sources.industries),
            "topics": rows,
        }
        if as_json:
            print_json(document)
        else:
            _show_tree(app, rows)


def _show_tree(app: "App", rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    on = ", ".join(app.taxonomy_sources.industries) or "-"
    out().print(f"行业 industries: [bold]{on}[/bold]   主题 topics: [bold]{len(app.taxonomy.paths)}[/bold]")
    table = Table("路径 path", "名称", "name", "部门", "department", "词 words", header_style="bold")
    for row in rows:
        names, owners = row["name"], row["department"]
        mark = "  " if "/" in row["path"] else ""
        count = "" if row["words"] is None else str(row["words"])
        table.add_row(mark + row["path"], names["zh"], names["en"], owners["zh"], owners["en"], count)
    out().print(table)


@taxonomy.command()
def check(as_json: bool = JsonFlag) -> None:
    """Check the data folder's taxonomy.yaml and lexicon.yaml; exit 1 where something is wrong."""
    with command(as_json), application("refuse") as app:
        from pipeline.lexicon import build_lexicon
        from pipeline.taxonomy import build_taxonomy

        tree, problems = build_taxonomy(app.taxonomy_sources)
        lexicon, more = build_lexicon(app.taxonomy_sources)
        problems = (*problems, *more)
        spoken = {topic for cue in lexicon.cues for topic in cue.topics}
        wordless = [path for path in tree.paths if path not in spoken]
        if as_json:
            found = [problem._asdict() for problem in problems]
            print_json({"ok": not problems, "problems": found, "topics_without_words": wordless})
        else:
            for problem in problems:
                out().print(f"✗ {problem}", markup=False)
            if wordless:
                names = ", ".join(wordless)
                out().print(f"! 没有词，不会被标到 no words, never labelled: {names}", markup=False)
            if not problems:
                out().print(
                    f"✓ {len(tree.paths)} 个主题 topics, {len(lexicon.cues):,} 个词 words", markup=False
                )
    if problems:
        raise typer.Exit(1)


@taxonomy.command()
def packs(as_json: bool = JsonFlag) -> None:
    """List the industry packs and which of them are on."""
    with command(as_json), application("refuse") as app:
        from pipeline.taxonomy_sources import pack_names, read_pack

        on = app.taxonomy_sources.industries
        rows = []
        for name in pack_names():
            pack = read_pack(name)
            topics = [
                f"{branch}/{topic}" for branch, node in pack["branches"].items() for topic in node["topics"]
            ]
            rows.append({"name": name, "title": pack["title"], "topics": topics, "on": name in on})
        if as_json:
            print_json({"industries": list(on), "packs": rows})
            return
        from rich.table import Table

        table = Table("", "pack", "行业", "industry", "主题 topics", header_style="bold")
        for row in rows:
            shown = ", ".join(path.partition("/")[2] for path in row["topics"])
            mark = "✓" if row["on"] else ""
            table.add_row(mark, row["name"], row["title"]["zh"], row["title"]["en"], shown)
        out().print(table)


@taxonomy.command()
def use(
    names: list[str] = typer.Argument(None, help="packs to have on, instead of those that are on now"),
    none: bool = typer.Option(False, "--none", help="no pack at all"),
    as_json: bool = JsonFlag,
) -> None:
    """Choose the industry packs of this data folder: for what comes in from now on."""
    with command(as_json), application("refuse") as app:
        from pipeline.taxonomy_sources import choose_industries

        wanted = [part.strip() for name in names or [] for part in name.split(",") if part.strip()]
        if bool(wanted) == none:
            raise ToolInputError("which packs?", hint="name some (`taxonomy packs` lists them), or --none")
        if app.settings.industries is not None:
            raise InputError(
                "VOICELOOP_INDUSTRIES is set and would win over this choice", hint="unset it first"
            )
        chosen = choose_industries(app.home, wanted)
        if as_json:
            print_json({"industries": list(chosen)})
        else:
            out().print(f"✓ 行业 industries: {', '.join(chosen) or '-'}", markup=False)
            out().print(
                "  → voiceloop taxonomy diff   （已入库的会怎么变 what it changes in what is stored）"
            )


@taxonomy.command()
def diff(
    examples: int = typer.Option(20, "--examples", min=0, max=200, help="changes to show"),
    sample: int = typer.Option(0, "--sample", min=0, help="look at so many texts; 0: all, 100,000 at most"),
    as_json: bool = JsonFlag,
) -> None:
    """Say what relabelling with the present files and packs would change; change nothing."""
    with command(as_json), application("refuse") as app:
        from server.taxonomy_change import SAMPLE_TEXTS, difference

        with progress_bars(not as_json) as progress:
            found = difference(app, examples=examples, texts=sample or SAMPLE_TEXTS, progress=progress)
        if as_json:
            print_json(found)
        else:
            _show_difference(app, found)


def _show_difference(app: "App", found: dict[str, Any]) -> None:
    from rich.table import Table

    console, tree, relabel = out(), found["tree"], found["relabel"]
    console.print(f"{found['from']} → [bold]{found['to']}[/bold]")
    for title, paths in (
        ("+ 新增 added", tree["added"]),
        ("- 去除 removed", tree["removed"]),
        ("~ 改名 renamed", tree["renamed"]),
        ("~ 换部门 other department", tree["departments"]),
        ("→ 移动 moved", [f"{old} → {new}" for old, new in tree["moved"].items()]),
    ):
        if paths:
            console.print(f"  {title}: {', '.join(paths)}", markup=False)
    console.print(
        f"将改动 would change [bold]{relabel['changed_items']:,}[/bold] / {relabel['items']:,} 条 items"
    )
    if found["sampled"]:
        estimate = found["estimate"]
        console.print(
            f"  抽样 a sample of {relabel['texts']:,} 个文本 texts: "
            f"全库约 of all about {estimate['items']:,} 条 "
            f"({estimate['ci_low']:.1%} – {estimate['ci_high']:.1%})"
        )
    if relabel["fields"]:
        fields = ", ".join(f"{name} {count:,}" for name, count in relabel["fields"].items())
        console.print(f"  {fields}", markup=False)
    if found["topics"]:
        table = Table("主题 topic", "增 gain", "减 lose", "换极性 other polarity", header_style="bold")
        for path, counts in list(found["topics"].items())[:_ROWS]:
            cells = (f"{counts[key]:,}" for key in ("gain", "lose", "polarity"))
            table.add_row(f"{path}  {app.taxonomy.title_of(path, 'zh')}", *cells)
        console.print(table)
    for one in relabel["sample"]:
        line = f"  {one['field']}: {one['before'] or '-'} → {one['after'] or '-'}   {one['text'][:80]}"
        console.print(line, markup=False, style="dim")
    if relabel["changed_items"] or relabel["already_current"] < relabel["items"]:
        console.print("  → voiceloop taxonomy apply")


@taxonomy.command()
def apply(yes: bool = _YES, by: str = _BY, as_json: bool = JsonFlag) -> None:
    """Relabel what is stored with the present files and packs; keep the version; run again after a crash."""
    with command(as_json), application("refuse") as app:
        from server.taxonomy_change import APPLY, SAMPLE_TEXTS, carry_out, difference

        if not (yes or as_json):
            with progress_bars(True) as progress:
                found = difference(app, examples=_ROWS, texts=SAMPLE_TEXTS, progress=progress)
            _show_difference(app, found)
            if not sys.stdin.isatty():
                raise ToolInputError("nothing was relabelled: there is nobody to ask", hint="--yes does it")
            if not typer.confirm("重新打标？ Relabel?", default=False):
                return
        with progress_bars(not as_json) as progress:
            done = carry_out(app, APPLY, actor=by, progress=progress)
        _say_done(done, as_json)


@taxonomy.command()
def rollback(
    version: str = typer.Argument("", help="see `taxonomy history`; without: the one before"),
    by: str = _BY,
    as_json: bool = JsonFlag,
) -> None:
    """Put an earlier version's files back and relabel what is stored with it."""
    with command(as_json):
        from server.taxonomy_change import ROLLBACK, carry_out, put_back

        with application("refuse") as app:
            put_back(app, version, actor=by)
        # Opened anew: everything is built from the files that are there now.
        with application("refuse") as app, progress_bars(not as_json) as progress:
            done = carry_out(app, ROLLBACK, actor=by, progress=progress)
        _say_done(done, as_json)


@taxonomy.command()
def history(as_json: bool = JsonFlag) -> None:
    """List what was applied and gone back to, newest first, and the versions that are kept."""
    with command(as_json), application("refuse") as app:
        from pipeline.taxonomy_versions import versions
        from server.taxonomy_change import history as entries
        from server.taxonomy_change import in_effect

        kept = [
            {
                "version": one.version,
                "kept_at": one.kept_at,
                "actor": one.actor,
                "industries": list(one.sources.industries),
                "topics": one.topics,
            }
            for one in versions(app.home)
        ]
        done = entries(app)
        document = {"in_effect": in_effect(app), "history": done, "versions": kept}
        if as_json:
            print_json(document)
            return
        from rich.table import Table

        table = Table(
            "时间 time",
            "操作 action",
            "版本 version",
            "谁 by",
            "行业 industries",
            "改动 changed",
            header_style="bold",
        )
        for row in done:
            action = str(row["action"]).removeprefix("taxonomy.")
            cells = (f"{row['at']:%Y-%m-%d %H:%M}", action, row["version"], row["actor"])
            table.add_row(*cells, row["industries"], row["changed"])
        out().print(table)


def _say_done(done: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(done)
    else:
        out().print(
            f"✓ {done['before']} → [bold]{done['version']}[/bold]   {done['items']:,} 条 items: "
            f"改动 changed {done['changed_items']:,}, 原已最新 already current {done['already_current']:,}"
        )
