"""What a person or a client asks of a library, from files to plain data that goes into JSON."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine import places
from engine.errors import InvalidRequest, UnreadablePicture
from engine.library import index, loading, requests, search, thumbnails, words
from engine.library.eye import Eye, Look, pool
from engine.library.index import Report, Step
from engine.library.names import Texture, group
from engine.library.pictures import is_picture
from engine.library.scan import scan
from engine.library.search import Matrix
from engine.library.store import Known, Store, index_file
from engine.library.tagging import classify
from engine.library.tags import SHOWN, as_dicts
from engine.models.guide import Clip

Tell = Callable[[Step], None]
"""Hears of every texture; raises to stop."""


class Library:
    """One user's library as one model sees it.

    Args:
        clip: the model.
        folder: where the index and the user's words are.
    """

    def __init__(self, clip: Clip, folder: Path) -> None:
        self.clip, self.folder = clip, folder
        self._eye = Eye(clip, folder, words.read(folder))
        self._matrix: Matrix | None = None

    @property
    def eye(self) -> Eye:
        """The model with the words that the user has now."""
        now = words.read(self.folder)
        if now != self._eye.words:
            self._eye = Eye(self.clip, self.folder, now)
        return self._eye

    @property
    def index_file(self) -> Path:
        """The index of this model."""
        return index_file(self.folder, self._eye.model)

    def tag(self, asked: requests.Tag, tell: Tell = lambda _: None) -> dict[str, Any]:
        """Tags, badges and, where labels are asked about, probabilities of files and folders.

        Files that cannot be read are answered with the reason.
        """
        eye, labels = self.eye, list(asked.labels)
        textures, answers = _textures([Path(f) for f in asked.files])
        texts = self.clip.encode_text(labels) if labels else None
        for done, texture in enumerate(textures, 1):
            about: dict[str, Any] = {"file": str(texture.main), "name": texture.name}
            try:
                loaded = loading.decode(loading.read(texture), eye.side_px)
                (look,) = eye.look([loaded])
                about |= {"tags": as_dicts(look.tags), "badges": look.badges}
                if texts is not None:
                    about["labels"] = self._labels(look, labels)
            except FileNotFoundError:
                about["error"] = f"{texture.main.name} is not there."
            except UnreadablePicture as error:
                about["error"] = error.message
            answers.append(about)
            tell(Step(done, len(textures)))
        unknown = [w for label in labels for w in self.clip.unknown_words(label)]
        return {
            "model": eye.model,
            "calibrated": eye.calibrated,
            "unknown_words": list(dict.fromkeys(unknown)),
            "files": answers,
        }

    def index(self, asked: requests.Index, tell: Tell = lambda _: None) -> dict[str, Any]:
        """Brings the index up to date; see `index.update`.

        Raises:
            BadIndex: it cannot be opened or written.
            CannotWrite: the user's words cannot be kept.
        """
        if asked.words is not None:
            words.write(self.folder, asked.words)
        with Store(self.index_file) as store:
            forgotten = index.forget(store, [Path(f) for f in asked.forget]) if asked.forget else 0
            report = _follow(index.update(store, [Path(f) for f in asked.folders], self.eye), tell)
            return {
                "index": str(self.index_file),
                "folders": [str(f) for f in store.folders()],
                "textures": len(store),
                "forgotten": forgotten,
                **report.as_dict(),
                "labels": store.labels(),
            }

    def search(self, asked: requests.Search) -> dict[str, Any]:
        """The textures that fit best, or groups of near-duplicates.

        Raises:
            BadIndex: the index cannot be opened or read.
            InvalidRequest: nothing was asked for.
            UnreadablePicture: the picture cannot be read.
        """
        start = time.perf_counter()
        with Store(self.index_file) as store:
            matrix = self._matrix = Matrix.of(store, self._matrix)
            answer: dict[str, Any] = {"textures": len(matrix)}
            if asked.duplicates:
                groups = search.duplicates(store, matrix)
                answer["duplicates"] = [
                    [self._about(k) for k in store.known(ids)] for ids in groups[: asked.limit]
                ]
            else:
                answer["unknown_words"] = self.clip.unknown_words(asked.text) if asked.text.strip() else []
                answer["results"] = self._results(store, matrix, asked)
        return {**answer, "seconds": round(time.perf_counter() - start, 4)}

    def contents(self, asked: requests.Contents) -> dict[str, Any]:
        """Folders, tags and how many textures have them, and the newest textures.

        Raises:
            BadIndex: the index cannot be opened.
        """
        with Store(self.index_file) as store:
            newest = store.newest(asked.limit)
            return {
                "folders": [str(f) for f in store.folders()],
                "textures": len(store),
                "labels": store.labels(SHOWN),
                "results": [self._about(known) for known in store.known(newest)],
            }

    def _results(self, store: Store, matrix: Matrix, asked: requests.Search) -> list[dict[str, Any]]:
        queries, itself = self._queries(store, matrix, asked)
        allowed = None
        if asked.tags or asked.seamless:
            allowed = search.mask(matrix.ids, store.having(asked.tags, SHOWN, seamless=asked.seamless))
        if itself is not None:
            allowed = torch.ones(len(matrix), dtype=torch.bool) if allowed is None else allowed
            allowed[itself] = False
        if not queries:
            if allowed is None:
                raise InvalidRequest("Say what to look for: words, a picture, or a tag.", field="text")
            rows = allowed.nonzero().flatten()[: asked.limit]
            scores = torch.ones(len(rows))
        else:
            rows, scores = search.best(matrix.vectors, queries, asked.limit, allowed)
        by_id = {k.id: k for k in store.known(matrix.ids[rows.numpy()].tolist())}
        found = zip(matrix.ids[rows.numpy()].tolist(), scores.tolist(), strict=True)
        return [{**self._about(by_id[i]), "score": round(score, 5)} for i, score in found if i in by_id]

    def _queries(
        self, store: Store, matrix: Matrix, asked: requests.Search
    ) -> tuple[list[tuple[Tensor, float]], int | None]:
        """Vectors with weights, and the row of the texture that the picture is, if it is in the index."""
        queries: list[tuple[Tensor, float]] = []
        itself: int | None = None
        if asked.text.strip():
            text = self.clip.encode_text([asked.text.strip()])[0].cpu()
            queries.append((text, 1 - asked.like_weight if asked.like else 1.0))
        if asked.like is not None:
            known = store.stamps().get(Path(asked.like))
            rows = np.flatnonzero(matrix.ids == (known[0] if known is not None else -1))
            weight = asked.like_weight if asked.text.strip() else 1.0
            if len(rows):
                itself = int(rows[0])
                queries.append((matrix.vectors[itself], weight))
            else:
                queries.append((self._picture(Path(asked.like)), weight))
        return queries, itself

    def _picture(self, path: Path) -> Tensor:
        """The vector (D,) of a texture that is not in the index, with its other maps where it has any."""
        texture = Texture(path.stem, {"basecolor": path})
        try:
            loaded = loading.decode(loading.read(texture), self._eye.side_px)
        except FileNotFoundError as error:
            raise UnreadablePicture(f"{path.name} is not there.", field="like") from error
        return pool(list(self._eye.embed(torch.stack(list(loaded.views.values())))))

    def _about(self, known: Known) -> dict[str, Any]:
        """A texture in the index, for JSON."""
        return {
            "name": known.name,
            "files": {role: str(path) for role, path in known.files.items()},
            "thumbnail": str(thumbnails.path_of(self.folder, known.content)),
            "directx": known.directx,
            "width": known.width,
            "height": known.height,
            "tags": as_dicts(known.tags),
            "badges": known.badges,
        }

    def _labels(self, look: Look, labels: Sequence[str]) -> dict[str, float]:
        whole = torch.from_numpy(look.vectors["albedo"]).to(self.clip.compute.device)
        p = classify(self.clip, whole[None], labels)[0]
        return dict(zip(labels, (round(x, 4) for x in p.tolist()), strict=True))


def _follow(steps: Generator[Step, None, Report], tell: Tell) -> Report:
    while True:
        try:
            tell(next(steps))
        except StopIteration as end:
            return end.value


def _textures(paths: Sequence[Path]) -> tuple[list[Texture], list[dict[str, Any]]]:
    """What files and folders name: textures of pictures that are there, and answers for all else."""
    found = scan([p for p in paths if places.is_folder(p)])
    answers: list[dict[str, Any]] = [
        {"file": str(folder), "error": reason} for folder, reason in found.unseen.items()
    ]
    files = dict.fromkeys(found.files)
    for path in paths:
        if places.is_folder(path):
            continue
        if not places.is_there(path):
            answers.append({"file": str(path), "error": f"{path.name} is not there."})
        elif not places.is_file(path) or not is_picture(path):
            answers.append({"file": str(path), "error": f"{path.name} is no PNG, JPEG, WebP or TIFF file."})
        else:
            files[path] = None
    textures, homeless = group(files)
    return [*textures, *(Texture(p.stem, {"basecolor": p}) for p in homeless)], answers
