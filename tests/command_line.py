"""The command line run in the test's own process, over a data folder of its own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from server.cli import app

FEED = (
    "评价,NPS,日期,客户ID,地区\n"
    "物流太慢了，等了一周,3,2026-10-01 10:00,c1,广东\n"
    "质量很好，很满意,9,2026-10-02 10:00,c2,上海\n"
    "客服态度差，要求退款,2,2026-10-03 10:00,c3,广东\n"
    "great service and fast,10,2026-10-04 10:00,c4,北京\n"
)


@dataclass(frozen=True)
class Ran:
    """What a command left: exit status, standard output and standard error."""

    status: int
    output: str
    errors: str

    @property
    def document(self) -> Any:
        """Standard output as one JSON document; anything beside it is an error."""
        return json.loads(self.output)

    @property
    def lines(self) -> list[Any]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.output.splitlines()]


@dataclass(frozen=True)
class CommandLine:
    """`voiceloop` over one data folder; `folder` is where a test puts its files."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """The data folder."""
        return self.folder / "home"

    def __call__(self, *args: str | Path, stdin: str | bytes | None = None, **settings: str) -> Ran:
        """Run a command. `settings` are VOICELOOP_ variables for this run alone."""
        given = {"home": str(self.home), **self.settings, **settings}
        env = {f"VOICELOOP_{name.upper()}": value for name, value in given.items()}
        result = CliRunner().invoke(app, [str(arg) for arg in args], input=stdin, env=env)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    def write(self, name: str, content: str | bytes = FEED) -> Path:
        """Write a file of the test."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def ingest(self, path: Path, *args: str) -> Ran:
        """Bring a file in without vectors."""
        return self("ingest", path, "--no-index", "--json", *args)

    def stored(self) -> int:
        """How many items the data folder holds."""
        ran = self("tool", "data_quality")
        assert ran.status == 0, ran.output
        return int(ran.document["n"])
