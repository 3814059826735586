"""What our client costs: its request rate beside that of vLLM's own load generator on one server.

Both send the same requests at the same concurrency, in turn, several rounds in one run; the figure is the
median of the ratios of neighbouring rounds with its range.
"""

import asyncio
import json
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any, Final

from evals.vllm_server import VllmServer, environment
from pipeline.vllm_client import Endpoint, VllmClient
from pipeline.vllm_limits import Limits

GOAL: Final = 0.95
_OUTPUT_TOKENS: Final = 32
_BENCH: Final = """
import argparse
from vllm.benchmarks.serve import add_cli_args, main
parser = argparse.ArgumentParser()
add_cli_args(parser)
main(parser.parse_args())
"""


def measure(
    server: VllmServer, folder: Path, *, concurrency: int = 16, requests: int = 96, rounds: int = 5
) -> dict[str, Any]:
    """Return rates (requests a second) of both by round, the ratios and their median."""
    prompts = [f"第{n}单的物流太慢了，客服也没有人回复，我等了{n}天。" for n in range(requests)]
    dataset = folder / "prompts.jsonl"
    dataset.write_text("".join(json.dumps({"prompt": p}, ensure_ascii=False) + "\n" for p in prompts))
    theirs, ours = [], []
    _ours(server, prompts[:concurrency], concurrency)  # both find a warm server
    for number in range(rounds):
        # Who goes first changes, so that a machine that slows down favours neither.
        for who in ("theirs", "ours") if number % 2 else ("ours", "theirs"):
            if who == "ours":
                ours.append(_ours(server, prompts, concurrency))
            else:
                theirs.append(_theirs(server, dataset, folder, len(prompts), concurrency))
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    return {
        "concurrency": concurrency,
        "requests": requests,
        "output_tokens": _OUTPUT_TOKENS,
        "ours_per_s": [round(rate, 3) for rate in ours],
        "load_generator_per_s": [round(rate, 3) for rate in theirs],
        "ratios": [round(ratio, 4) for ratio in ratios],
        "median_ratio": round(statistics.median(ratios), 4),
        "goal": GOAL,
    }


def _ours(server: VllmServer, prompts: list[str], concurrency: int) -> float:
    async def run() -> float:
        client = VllmClient(Endpoint((server.base_url,), limits=Limits(start=concurrency, most=concurrency)))
        bodies = [
            {
                "model": server.model.name,
                "messages": [{"role": "user", "content": [{"type": "text", "text": prompt}]}],
                "temperature": 0,
                "max_completion_tokens": _OUTPUT_TOKENS,
                "ignore_eos": True,
            }
            for prompt in prompts
        ]
        answered = 0
        began = time.perf_counter()
        async for arrived in client.bounded(bodies, lambda body: client.post("/v1/chat/completions", body)):
            answered += sum(answer.body["usage"]["completion_tokens"] == _OUTPUT_TOKENS for answer in arrived)
        seconds = time.perf_counter() - began
        await client.close()
        if answered != len(prompts):
            raise AssertionError(f"{answered} of {len(prompts)} answers are whole")
        return answered / seconds

    return asyncio.run(run())


def _theirs(server: VllmServer, dataset: Path, folder: Path, requests: int, concurrency: int) -> float:
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
    flags = ["--disable-shuffle", "--skip-chat-template", "--ignore-eos", "--save-result", "--disable-tqdm"]
    command = [str(server.python), "-c", _BENCH, *flags]
    for name, value in options.items():
        command += [f"--{name}", value]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"the load generator failed: {done.stderr[-2000:]}")
    result = json.loads((folder / "bench.json").read_text())
    if result["completed"] != requests:
        raise AssertionError(f"the load generator completed {result['completed']} of {requests}")
    return float(result["request_throughput"])
