"""`python -m evals`: runs the question cases and the planted events over a throwaway data folder.

Exits with 1 if anything got worse than the baseline in evals/reports.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import structlog
from rich.console import Console

from evals.cases import HABITS, Case, load_cases
from evals.causes import run_causes, run_risk
from evals.question_page import page
from evals.question_run import ModelOf, Opened, open_all, run_trial
from evals.score import TurnScore
from evals.scoreboard import document, markdown, read_baseline, regressions, write_baseline
from evals.session import tool_runner


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    options = _options(arguments)
    # Standard output is the report's alone.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    cases = _chosen(load_cases(options.cases or None), options)
    scores: list[TurnScore] = []
    with tempfile.TemporaryDirectory(prefix="voiceloop-evals-") as folder, ExitStack() as stack:
        opened = open_all(cases, options.home or Path(folder), options.data, stack)
        left = sorted({case.dataset for case in cases} - set(opened))
        if left:
            print(f"cases over {', '.join(left)} are left out: --data is not given", file=sys.stderr)
        run = uuid4().hex[:8]
        for trial in range(1, options.k + 1):
            scores += run_trial(cases, opened, _model_of(options), trial, _told(options), run)
        result = document(options.planner, scores, (options.price_in, options.price_out))
        result |= _causes(opened) if not _partial(options) else {}
    before = None if _partial(options) else read_baseline(options.planner)
    worse = regressions(before, result) if before else []
    if options.update:
        write_baseline(options.planner, result)
        worse = []
    if options.html:
        options.html.write_text(page(result, before, worse), encoding="utf-8")
    if options.json:
        print(json.dumps({**result, "regressions": worse}, ensure_ascii=False, indent=1))
    else:
        Console(soft_wrap=True).print(markdown(result, worse), markup=False, highlight=False)
    return 1 if worse else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m evals", description="Run the question cases.")
    parser.add_argument("--cases", type=Path, nargs="*", help="case files (default: all); no baseline")
    parser.add_argument("--only", nargs="*", help="ids, habits or data sets; compares with no baseline")
    parser.add_argument("--planner", choices=("offline", "scripted", "live"), default="offline")
    parser.add_argument("--model-url", help="endpoint of --planner live, e.g. http://localhost:8000/v1")
    parser.add_argument("--model", help="model name at the endpoint")
    parser.add_argument("--k", type=int, help="trials of each case (default: 1 offline, else 4)")
    parser.add_argument("--data", type=Path, help="folder of public data sets; their cases are else left out")
    parser.add_argument("--home", type=Path, help="keep the data sets here, and use those already here")
    parser.add_argument("--price-in", type=float, default=0, help="price of a million tokens read")
    parser.add_argument("--price-out", type=float, default=0, help="price of a million tokens written")
    parser.add_argument("--update", action="store_true", help="keep this run as the baseline")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument("--html", type=Path, help="write the report as one self-contained page")
    parser.add_argument("--answers", action="store_true", help="show every answer on standard error")
    options = parser.parse_args(arguments)
    options.k = options.k or (1 if options.planner == "offline" else 4)
    if options.planner == "live" and not (options.model_url and options.model):
        parser.error("--planner live needs --model-url and --model")
    return options


def _chosen(cases: Sequence[Case], options: argparse.Namespace) -> list[Case]:
    if not options.only:
        return list(cases)
    known = {*HABITS, *(case.dataset for case in cases), *(case.id for case in cases)}
    unknown = [name for name in options.only if name not in known]
    if unknown:
        raise SystemExit(f"no case, habit or data set is called {', '.join(unknown)}")
    return [case for case in cases if {case.id, case.habit, case.dataset} & set(options.only)]


def _model_of(options: argparse.Namespace) -> ModelOf:
    if options.planner == "scripted":
        from evals.scripted import ScriptedModel

        return ScriptedModel
    if options.planner == "live":
        from langchain_openai import ChatOpenAI

        # An endpoint of one's own (vLLM, say) asks for no key.
        model = ChatOpenAI(model=options.model, base_url=options.model_url, api_key="none")
        return lambda case, trial: model
    return lambda case, trial: None


def _told(options: argparse.Namespace) -> Any:
    def tell(score: TurnScore) -> None:
        if options.answers:
            mark = "right" if score.right else "WRONG " + "; ".join(score.misses)
            print(f"## {score.case} {score.turn}: {score.ask}\n{score.answer}\n-> {mark}\n", file=sys.stderr)

    return tell


def _partial(options: argparse.Namespace) -> bool:
    return bool(options.only or options.cases)


def _causes(opened: Mapping[str, Opened]) -> dict[str, Any]:
    if "sample" not in opened:
        return {}
    one = opened["sample"]
    run_tool = tool_runner(one.app)
    causes = [vars(score) for score in run_causes(one.truth, run_tool)]
    return {"causes": causes, "risk": vars(run_risk(one.truth, run_tool))}


if __name__ == "__main__":
    sys.exit(main())
