"""Models made of human labels: folders that are whole or not there, one promoted, each way back kept."""

import hashlib
import io
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.features import BUCKETS
from pipeline.label_heads import Heads
from pipeline.label_linear import Floats
from pipeline.label_sentiment import Adaptation, Stage
from store.durable_files import sync_folder, write_whole
from store.errors import ConfigError, StoreError, ToolInputError

FORMAT: Final = 1
SHIPPED: Final = "shipped"
_WEIGHTS: Final = "weights.npz"
_MANIFEST: Final = "manifest.json"
_PROMOTED: Final = "promoted.json"
_UNFINISHED: Final = ".unfinished-"


@dataclass(frozen=True)
class LabelModel:
    """What was learnt. `held_out`: probabilities (n, 3) of the texts `keys` by models that had not seen them.

    `abstain_below`: the sentiment is left open where the likeliest side is less likely than this.
    """

    sentiment: Mapping[str, Adaptation] = field(default_factory=dict)
    abstain_below: float = 0.0
    topics: Heads | None = None
    choices: Mapping[str, Heads] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    held_out: Floats = field(default_factory=lambda: np.zeros((0, 3)))

    def packed(self) -> bytes:
        """The weights as NPZ, the same bytes for the same weights."""
        arrays: dict[str, Any] = {
            "abstain_below": np.array([self.abstain_below]),
            "keys": np.array(self.keys, dtype=np.str_),
            "held_out": self.held_out.astype(np.float32),
        }
        for language, adaptation in self.sentiment.items():
            for name in ("polarity", "neutral"):
                arrays |= _pack_stage(f"sentiment/{language}/{name}", getattr(adaptation, name))
        for name, heads in {**self.choices, **({"topics": self.topics} if self.topics else {})}.items():
            arrays |= _pack_heads(f"heads/{name}", heads)
        sink = io.BytesIO()
        np.savez_compressed(sink, **{name: arrays[name] for name in sorted(arrays)})
        return sink.getvalue()


class ModelShelf:
    """The models of one data folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, model: LabelModel, manifest: Mapping[str, Any]) -> str:
        """Keep a model under an id that its weights and data give; the same again is kept once.

        The folder appears under its name only when all of it is on the disk.
        """
        weights = model.packed()
        data = json.dumps(manifest["data"], sort_keys=True).encode()
        model_id = f"m-{hashlib.sha256(weights + data).hexdigest()[:10]}"
        target = self._folder / model_id
        if (target / _MANIFEST).exists():
            return model_id
        self._folder.mkdir(parents=True, exist_ok=True)
        for left in self._folder.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(left, ignore_errors=True)
        made = Path(tempfile.mkdtemp(dir=self._folder, prefix=_UNFINISHED))
        try:
            body = {**manifest, "format": FORMAT, "model_id": model_id, "weights_sha256": _sha(weights)}
            write_whole(made / _WEIGHTS, weights)
            write_whole(made / _MANIFEST, json.dumps(body, ensure_ascii=False, indent=1).encode())
            made.chmod(0o755)
            made.replace(target)
            sync_folder(self._folder)
        except OSError as error:
            shutil.rmtree(made, ignore_errors=True)
            raise StoreError(f"the model {target} cannot be kept: {error.strerror or error}") from error
        return model_id

    def load(self, model_id: str) -> LabelModel:
        """Read a model. ConfigError where it is damaged, ToolInputError where there is none."""
        self.manifest(model_id)
        path = self._folder / model_id / _WEIGHTS
        try:
            raw = path.read_bytes()
            if _sha(raw) != self.manifest(model_id)["weights_sha256"]:
                raise ValueError("its bytes are not those that were written")
            with np.load(io.BytesIO(raw), allow_pickle=False) as data:
                return _unpack({name: data[name] for name in data.files})
        except (OSError, KeyError, ValueError) as error:
            raise ConfigError(
                f"the model {model_id} cannot be used: {error}",
                hint="voiceloop label rollback returns to the former one, label train makes it anew",
            ) from error

    def manifest(self, model_id: str) -> dict[str, Any]:
        """What is known of a model; ToolInputError that lists those there are."""
        path = self._folder / model_id / _MANIFEST
        if not model_id.startswith("m-") or not path.is_file():
            there = (
                ", ".join(one["model_id"] for one in self.manifests()) or "none yet: voiceloop label train"
            )
            raise ToolInputError(f"there is no model {model_id!r}", hint=f"models: {there}")
        return _read(path)

    def manifests(self) -> list[dict[str, Any]]:
        """All models, the newest first."""
        found = [_read(path) for path in sorted(self._folder.glob(f"m-*/{_MANIFEST}"))]
        return sorted(found, key=lambda one: (one["created_at"], one["model_id"]), reverse=True)

    def promoted(self) -> str | None:
        """The model in use; None for the classifier as shipped."""
        history = self.history()
        return history[-1] if history else None

    def history(self) -> list[str | None]:
        """What was in use, one after the other, the present one last; None is the shipped classifier."""
        path = self._folder / _PROMOTED
        return list(_read(path)["history"]) if path.exists() else []

    def promote(self, model_id: str) -> str | None:
        """Put a model to use from the next start of a command on; return what was in use."""
        self.load(model_id)
        history = self.history()
        before = history[-1] if history else None
        if before != model_id:
            self._write([*(history or [None]), model_id])
        return before

    def rollback(self) -> tuple[str, str | None]:
        """Return to what was in use before; give the model left and the one returned to (None: shipped)."""
        history = self.history()
        if not history or history[-1] is None:
            raise ToolInputError("no model is promoted: the classifier is as shipped")
        self._write(history[:-1])
        return history[-1], history[-2] if len(history) > 1 else None

    def _write(self, history: Sequence[str | None]) -> None:
        body = {"current": history[-1] if history else None, "history": list(history)}
        write_whole(self._folder / _PROMOTED, json.dumps(body, indent=1).encode())


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be used: {error}", hint="move it away and train again") from error
    return found


def _sha(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _pack_stage(prefix: str, stage: Stage) -> dict[str, NDArray[Any]]:
    used = np.flatnonzero(stage.grams)
    return {
        f"{prefix}/buckets": used.astype(np.int32),
        f"{prefix}/grams": stage.grams[used],
        f"{prefix}/evidence": stage.evidence,
        f"{prefix}/scaling": np.array([stage.slope, stage.shift]),
    }


def _pack_heads(prefix: str, heads: Heads) -> dict[str, NDArray[Any]]:
    return {
        f"{prefix}/names": np.array(heads.names, dtype=np.str_),
        f"{prefix}/inputs": np.array(heads.inputs, dtype=np.str_),
        f"{prefix}/buckets": heads.buckets.astype(np.int32),
        f"{prefix}/weights": heads.weights,
        f"{prefix}/thresholds": heads.thresholds,
    }


def _unpack(arrays: Mapping[str, NDArray[Any]]) -> LabelModel:
    languages = {name.split("/")[1] for name in arrays if name.startswith("sentiment/")}
    heads = {name.split("/")[1] for name in arrays if name.startswith("heads/")}
    found = {name: _unpack_heads(arrays, f"heads/{name}") for name in sorted(heads)}
    topics = found.pop("topics", None)
    return LabelModel(
        sentiment={
            language: Adaptation(
                _unpack_stage(arrays, f"sentiment/{language}/polarity"),
                _unpack_stage(arrays, f"sentiment/{language}/neutral"),
            )
            for language in sorted(languages)
        },
        abstain_below=float(arrays["abstain_below"][0]),
        topics=topics,
        choices=found,
        keys=tuple(str(key) for key in arrays["keys"]),
        held_out=arrays["held_out"].astype(np.float64),
    )


def _unpack_stage(arrays: Mapping[str, NDArray[Any]], prefix: str) -> Stage:
    grams = np.zeros(BUCKETS, dtype=np.float32)
    grams[arrays[f"{prefix}/buckets"]] = arrays[f"{prefix}/grams"]
    slope, shift = arrays[f"{prefix}/scaling"].tolist()
    return Stage(grams, arrays[f"{prefix}/evidence"], slope, shift)


def _unpack_heads(arrays: Mapping[str, NDArray[Any]], prefix: str) -> Heads:
    return Heads(
        tuple(str(name) for name in arrays[f"{prefix}/names"]),
        tuple(str(name) for name in arrays[f"{prefix}/inputs"]),
        arrays[f"{prefix}/buckets"].astype(np.int64),
        arrays[f"{prefix}/weights"],
        arrays[f"{prefix}/thresholds"],
    )
