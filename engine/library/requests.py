"""The parameters of `tag`, `index`, `search` and `library`: what a client may ask of a library."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from engine import places


def _absolute(path: str) -> str:
    if not places.is_absolute(path):
        raise ValueError("must be an absolute path")
    return path


AbsolutePath = Annotated[str, AfterValidator(_absolute)]
Word = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]


class _Request(BaseModel):
    """What all of them say: whose library, seen by which model, computed where."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    folder: AbsolutePath | None = Field(None, description="Of the library; None: the user's own")
    pack: str = Field("starter", pattern=r"^[a-z0-9_-]+$", description="Whose guide looks at textures")
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"


class Tag(_Request):
    """Look at files. Nothing of it is kept."""

    files: tuple[AbsolutePath, ...] = Field(min_length=1, max_length=10_000, strict=False)
    labels: tuple[Word, ...] = Field((), max_length=1000, strict=False, description="Classify among these")


class Index(_Request):
    """Bring the index up to date with folders, those that are in it already among them."""

    folders: tuple[AbsolutePath, ...] = Field((), max_length=1000, strict=False)
    forget: tuple[AbsolutePath, ...] = Field((), max_length=1000, strict=False)
    words: tuple[Word, ...] | None = Field(
        None, max_length=200, strict=False, description="Of the user's own, instead of those before"
    )


class Search(_Request):
    """Find textures by words, by a picture, or by both; or list what is there twice."""

    text: str = Field("", max_length=2000)
    like: AbsolutePath | None = Field(None, description="A picture, in the index or not")
    like_weight: float = Field(0.5, ge=0, le=1, description="Of the picture, against the words")
    tags: tuple[Word, ...] = Field((), max_length=20, strict=False)
    seamless: bool = False
    limit: int = Field(60, ge=1, le=10_000)
    duplicates: bool = Field(False, description="Near-duplicates instead of a search")


class Contents(_Request):
    """What is in the library: folders, tags in use, and the textures that came last."""

    limit: int = Field(60, ge=0, le=10_000)
