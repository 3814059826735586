"""What is asked of an ingest and what it answers: every row accounted for."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from pipeline.cascade_report import CascadeReport
from pipeline.columns import Kind
from pipeline.dates import Order
from store.records import Channel


class IngestOptions(BaseModel):
    """How files are to be read.

    `maps` are `field=column` items and win over `mapping_file` (YAML {field: column or list of columns}).
    `source` names the origin (default: each file's name without its ending); rows are known again by it.
    `channel`, `encoding` and `date_order` override what would be guessed. `rejects` is the rejects file
    (default: one in the data folder). `lenient` keeps a row without its impossible value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind = "feedback"
    source: str | None = Field(default=None, min_length=1, max_length=200)
    channel: Channel | None = None
    maps: tuple[str, ...] = ()
    mapping_file: Path | None = None
    rejects: Path | None = None
    encoding: str | None = None
    date_order: Order | None = None
    lenient: bool = False
    dry_run: bool = False


class FileReport(BaseModel):
    """The account of one file; read = stored + duplicates + rejected.

    `skipped` names sheets that are not read; `error` says why a file of a folder could not be used at all.
    """

    path: str
    format: str = ""
    encoding: str = ""
    rows: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: int = 0
    near_duplicates: int = 0
    mapping: dict[str, str] = Field(default_factory=dict)
    reasons: dict[str, str] = Field(default_factory=dict)
    date_format: str | None = None
    date_reason: str = ""
    metrics_scales: dict[str, str] = Field(default_factory=dict)
    ignored_columns: dict[str, str] = Field(default_factory=dict)
    values_left_out: dict[str, int] = Field(default_factory=dict)
    batch_id: str = ""
    skipped: list[str] = Field(default_factory=list)
    error: str = ""


class IngestReport(BaseModel):
    """The account of one ingest. `mapping` and `date_format` are those of the first file (see `files`).

    `near_duplicates` counts stored rows whose text nearly repeats an earlier one (marked, and counted in
    every figure). `reject_reasons` are the commonest reasons with how many rows each.
    `labelling` says what went to the label server, where one is set.
    """

    read: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: int = 0
    mapping: dict[str, str] = Field(default_factory=dict)
    date_format: str | None = None
    rejects_file: str | None = None
    elapsed_ms: int = 0
    dry_run: bool = False
    kind: Kind = "feedback"
    files: list[FileReport] = Field(default_factory=list)
    near_duplicates: int = 0
    metrics_scales: dict[str, str] = Field(default_factory=dict)
    ignored_columns: dict[str, str] = Field(default_factory=dict)
    skipped_files: list[str] = Field(default_factory=list)
    reject_reasons: dict[str, int] = Field(default_factory=dict)
    labelling: CascadeReport | None = None
