"""Packs to be had: the catalogue of what can be downloaded, from where, and under which licence.

`catalog/offers/*.json`, one a pack. `verified` is false wherever nobody has fetched the file and taken
its hash yet: then the hash that the host states is all there is, and the manifest keeps what came.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from engine.errors import UnknownPack

FOLDER = Path(__file__).parent / "catalog" / "offers"
PACK_ID = r"^[a-z0-9][a-z0-9_-]{0,63}$"
RGB = ("red", "green", "blue")


def _plain(name: str) -> str:
    if name in {".", ".."} or "/" in name or "\\" in name or ":" in name:
        raise ValueError(f"{name!r} is no plain file name")
    return name


class Remote(BaseModel):
    """One file somewhere else: on the Hugging Face hub, or behind a URL.

    `about_bytes` is for asking about the disk and for people; what counts is what the host announces.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, AfterValidator(_plain)] = Field(description="What it is called here", max_length=200)
    hub: str | None = Field(None, pattern=r"^[\w.-]+/[\w.-]+$", description="owner/name of the repository")
    path: str | None = Field(None, description="In the repository, where it is not the name")
    revision: str = Field("main", description="Of the repository; a commit where known")
    url: str | None = Field(None, pattern="^https?://")
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")
    about_bytes: int = Field(ge=0)

    @model_validator(mode="after")
    def _one_place(self) -> Remote:
        if (self.hub is None) == (self.url is None):
            raise ValueError("a file comes from the hub or from a URL")
        return self

    @property
    def in_repository(self) -> str:
        """Its path in the hub's repository."""
        return self.path or self.name

    def where(self) -> str:
        """For people, manifests and logs."""
        return self.url or f"hub:{self.hub}/{self.in_repository}@{self.revision}"


class Source(BaseModel):
    """One place for a network: its weights, and the configuration that belongs to them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: Remote
    config: Remote | None = None
    licence: str = Field(description="As the source states it")
    verified: bool = Field(description="Fetched by us, its hash taken, its numbers looked at")

    @model_validator(mode="after")
    def _hashed(self) -> Source:
        if self.verified and self.weights.sha256 is None:
            raise ValueError("what is verified has a sha256")
        return self

    def about_bytes(self) -> int:
        """What is to be fetched, about."""
        return self.weights.about_bytes + (0 if self.config is None else self.config.about_bytes)


class Generator(BaseModel):
    """A VQGAN of any layout that `checkpoints` knows; the first source that works is taken."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: tuple[Source, ...] = Field(min_length=1)


class OpenClip(BaseModel):
    """A CLIP by open_clip's name and tag, from which everything but the weights is read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[\w./-]+$")
    tag: str = Field(pattern=r"^[\w.-]+$")
    sources: tuple[Source, ...] = Field(min_length=1)
    one_host: str = Field("", description="Why all sources are on one host, where they are")


class Offer(BaseModel):
    """A pack that can be downloaded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=PACK_ID)
    label: str
    description: str
    licence: str
    generator: Generator
    guide: OpenClip
    judge: OpenClip

    def parts(self) -> dict[str, Generator | OpenClip]:
        """Role → what fills it."""
        return {"generator": self.generator, "guide": self.guide, "judge": self.judge}

    def about_bytes(self) -> int:
        """What is to be fetched from the first sources, about."""
        return sum(part.sources[0].about_bytes() for part in self.parts().values())

    def verified(self) -> bool:
        """Whether every source is."""
        return all(source.verified for part in self.parts().values() for source in part.sources)


@lru_cache(maxsize=1)
def entries() -> dict[str, Offer]:
    """Every offer, by id.

    Raises:
        UnknownPack: one cannot be read.
    """
    found = {}
    for path in sorted(FOLDER.glob("*.json")):
        try:
            offer = Offer.model_validate_json(path.read_text("utf-8"))
        except (OSError, ValidationError) as error:
            raise UnknownPack(
                f"The catalogue file {path.name} cannot be read.", details=str(error)
            ) from error
        found[offer.id] = offer
    return found
