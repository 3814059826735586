"""What our client costs: its request rate beside that of vLLM's own load generator on one server.

Both send the same requests at the same concurrency and at the same time, each keeping half of the server's
places busy, so that whatever else the machine does slows both alike; a client that dallies between two
requests falls behind. (Taking turns, rounds of seconds on a shared machine differed five-fold.) Counted are
the answers that both have within the load generator's time; the figure is the ratio over all rounds, with the
95% interval of the mean of the rounds' log ratios (Student's t).
"""

import asyncio
import itertools
import json
import math
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from evals.vllm_server import VllmServer, in_environment
from pipeline.vllm_client import Endpoint, VllmClient
from pipeline.vllm_limits import Limits

GOAL: Final = 0.95
# Student's t at 97.5% by degrees of freedom.
_T95: Final = {2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}
_OUTPUT_TOKENS: Final = 32
_BENCH: Final = """
import argparse
from vllm.benchmarks.serve import add_cli_args, main
parser = argparse.ArgumentParser()
add_cli_args(parser)
main(parser.parse_args())
"""


def measure(
    server: VllmServer, folder: Path, *, concurrency: int = 8, requests: int = 240, rounds: int = 5
) -> dict[str, Any]:
    """Return the counts of both by round, their ratios, the ratio over all and its interval."""
    prompts = [f"第{n}单的物流太慢了，客服也没有人回复，我等了{n}天。" for n in range(requests)]
    dataset = folder / "prompts.jsonl"
    dataset.write_text("".join(json.dumps({"prompt": p}, ensure_ascii=False) + "\n" for p in prompts))
    ours, theirs, seconds = [], [], []
    for _ in range(rounds):
        mine, window = _together(server, prompts, dataset, folder, concurrency)
        ours.append(sum(window[0] <= at <= window[1] for at in mine))
        theirs.append(requests)
        seconds.append(window[1] - window[0])
    logs = [math.log(one / other) for one, other in zip(ours, theirs, strict=True)]
    mean, half = statistics.mean(logs), _T95[rounds - 1] * statistics.stdev(logs) / math.sqrt(rounds)
    return {
        "concurrency_of_each": concurrency,
        "output_tokens": _OUTPUT_TOKENS,
        "seconds": [round(one, 1) for one in seconds],
        "answers_ours": ours,
        "answers_load_generator": theirs,
        "ratio": round(sum(ours) / sum(theirs), 4),
        "ratio_95": [round(math.exp(mean - half), 4), round(math.exp(mean + half), 4)],
        "goal": GOAL,
    }


def _together(
    server: VllmServer, prompts: list[str], dataset: Path, folder: Path, concurrency: int
) -> tuple[list[float], tuple[float, float]]:
    """The times of our answers, and the start and end of the load generator's run (both CLOCK_MONOTONIC)."""

    async def run() -> tuple[list[float], tuple[float, float]]:
        client = VllmClient(Endpoint((server.base_url,), limits=Limits(start=concurrency, most=concurrency)))
        answered: list[float] = []
        over = threading.Event()

        def bodies() -> Iterator[dict[str, Any]]:
            for prompt in itertools.cycle(prompts):
                if over.is_set():
                    return
                yield {
                    "model": server.model.name,
                    "messages": [{"role": "user", "content": [{"type": "text", "text": prompt}]}],
                    "temperature": 0,
                    "max_completion_tokens": _OUTPUT_TOKENS,
                    "ignore_eos": True,
                }

        async def ask() -> None:
            async for arrived in client.bounded(bodies(), lambda b: client.post("/v1/chat/completions", b)):
                now = time.perf_counter()
                for answer in arrived:
                    if answer.body["usage"]["completion_tokens"] != _OUTPUT_TOKENS:
                        raise AssertionError("an answer of ours is not whole")
                    answered.append(now)

        asking = asyncio.create_task(ask())
        try:
            window = await asyncio.to_thread(_theirs, server, dataset, folder, len(prompts), concurrency)
        finally:
            over.set()
            await asking
            await client.close()
        return answered, window

    return asyncio.run(run())


def _theirs(
    server: VllmServer, dataset: Path, folder: Path, requests: int, concurrency: int
) -> tuple[float, float]:
    options = {
        "backend": "openai-chat",
        "base-url": server.root,
        "endpoint": "/v1/chat/completions",
        "model": server.model.name,
        "tokenizer": str(server.model),
        "dataset-name": "custom",
        "dataset-path": str(dataset),
        "custom-output-len": str(_OUTPUT_TOKENS),
        "num-prompts": str(requests),
        "max-concurrency": str(concurrency),
        "temperature": "0",
        "result-dir": str(folder),
        "result-filename": "bench.json",
    }
    flags = ["--disable-shuffle", "--skip-chat-template", "--ignore-eos", "--save-result", "--save-detailed"]
    flags.append("--disable-tqdm")
    command = [*in_environment(server.python), "-c", _BENCH, *flags]
    for name, value in options.items():
        command += [f"--{name}", value]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"the load generator failed: {done.stderr[-2000:]}")
    result = json.loads((folder / "bench.json").read_text())
    if result["completed"] != requests:
        raise AssertionError(f"the load generator completed {result['completed']} of {requests}")
    starts = [float(at) for at in result["start_times"]]
    return min(starts), min(starts) + float(result["duration"])
