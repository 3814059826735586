"""The company's own guides for its customers, from guides.yaml in the data folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from retention.settings_file import read_as
from retention.wording import Language


class GuidePage(BaseModel):
    """A guide in one language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Annotated[str, Field(min_length=1, max_length=200)]
    address: Annotated[str, Field(pattern=r"^https?://\S+$", max_length=500)]


class Guide(BaseModel):
    """One guide, for topics of the taxonomy; a topic such as product/usability includes all below it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topics: Annotated[tuple[str, ...], Field(min_length=1)]
    zh: GuidePage
    en: GuidePage

    def page(self, language: Language) -> GuidePage:
        """The guide in that language."""
        return self.zh if language == "zh" else self.en


def load_guides(path: Path) -> tuple[Guide, ...]:
    """Read the file; ConfigError naming what is wrong."""
    return read_as(tuple[Guide, ...], path)


def guide_for(topics: Sequence[str], guides: Sequence[Guide]) -> Guide | None:
    """The first guide for the weightiest topic that has one."""
    for topic in topics:
        for guide in guides:
            if any(topic == one or topic.startswith(f"{one}/") for one in guide.topics):
                return guide
    return None
