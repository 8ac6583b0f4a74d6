"""`tag`, `index`, `search`, `calibrate` and `library-evaluate` on the command line."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from engine import places
from engine.errors import BadWeights, Cancelled, InvalidRequest, Kept
from engine.hints import command
from engine.library import place

if TYPE_CHECKING:  # torch takes seconds
    from rich.console import Console

    from engine.library.index import Step
    from engine.library.service import Library
    from engine.models.guide import Clip

RESULTS = 20
LEAST = 2


def tag_arguments(add: argparse.ArgumentParser) -> None:
    """Declares the options of `tag`."""
    add.add_argument("files", nargs="+", type=Path, metavar="FILE", help="pictures, or folders of them")
    add.add_argument("--labels", nargs="+", default=[], metavar="L", help='classify: "a photo of a cat" ...')
    _common(add)


def tag(options: argparse.Namespace) -> int:
    """Prints tags, badges and probabilities; 1 where a file could not be read."""
    from engine.library import requests

    asked = _checked(requests.Tag, options, files=options.files, labels=options.labels)
    with _Answer(options) as answer:
        found = _library(options).tag(asked, answer.tell)
        answer.give(found, _print_tags)
    return int(any("error" in file for file in found["files"]))


def index_arguments(add: argparse.ArgumentParser) -> None:
    """Declares the options of `index`."""
    add.add_argument(
        "folders", nargs="*", type=Path, metavar="FOLDER", help="to add (default: only bring up to date)"
    )
    add.add_argument("--forget", nargs="+", default=[], type=Path, metavar="FOLDER", help="to take out")
    add.add_argument(
        "--words", metavar="W,...", help='tag with these words of your own, too; "" for none any more'
    )
    _common(add)


def index(options: argparse.Namespace) -> int:
    """Brings the index up to date and prints what was done.

    Raises:
        InvalidRequest: a folder to add is not there.
        Cancelled: Ctrl-C; what was indexed so far is kept.
    """
    from engine.library import requests

    for folder in options.folders:
        if not places.is_folder(folder):
            raise InvalidRequest(f"There is no folder {folder}. Check the path.", field="folders")
    words = None if options.words is None else [w for w in options.words.split(",") if w.strip()]
    asked = _checked(requests.Index, options, folders=options.folders, forget=options.forget, words=words)
    with _Answer(options) as answer:
        library = _library(options)
        try:
            done = library.index(asked, answer.tell)
        except KeyboardInterrupt as error:
            raise Cancelled("Cancelled.", kept=Kept(str(library.index_file), None)) from error
        answer.give(done, _print_index)
    return 0


def search_arguments(add: argparse.ArgumentParser) -> None:
    """Declares the options of `search`."""
    add.add_argument("words", nargs="*", metavar="WORDS", help="what to look for")
    add.add_argument("--like", type=Path, metavar="FILE", help="a picture that it should resemble")
    add.add_argument("--like-weight", type=float, metavar="P", help="of the picture, 0 to 1 (default: 0.5)")
    add.add_argument("--tag", action="append", default=[], metavar="T", help="only what has this tag")
    add.add_argument("--seamless", action="store_true", help="only what repeats without a seam")
    add.add_argument("--limit", type=int, default=RESULTS, metavar="N", help="results (default: %(default)s)")
    add.add_argument("--duplicates", action="store_true", help="list what is there twice, instead")
    _common(add)


def search(options: argparse.Namespace) -> int:
    """Prints the textures that fit best."""
    from engine.library import requests

    more = {} if options.like_weight is None else {"like_weight": options.like_weight}
    asked = _checked(
        requests.Search,
        options,
        text=" ".join(options.words),
        like=options.like,
        tags=options.tag,
        seamless=options.seamless,
        limit=options.limit,
        duplicates=options.duplicates,
        **more,
    )
    with _Answer(options) as answer:
        answer.give(_library(options).search(asked), _print_search)
    return 0


def calibrate_arguments(add: argparse.ArgumentParser) -> None:
    """Declares the options of `calibrate`."""
    add.add_argument(
        "--work", type=Path, default=Path(".cache/calibration"), metavar="DIR", help="rendered materials"
    )
    add.add_argument("--materials", type=int, default=384, metavar="N", help="to fit on (default: 384)")
    add.add_argument(
        "--ship", action="store_true", help="write it beside the code rather than into the library"
    )
    _common(add)


def calibrate(options: argparse.Namespace) -> int:
    """Fits a model's confidence and prints where it was written, and its errors."""
    from engine.library import calibration, fitting
    from engine.library.index import Step
    from engine.material.files import check_folder

    _check_library(options)
    _check_count(options)
    folder = calibration.SHIPPED if options.ship else _folder(options)
    check_folder(options.work)
    check_folder(folder)
    with _Answer(options) as answer:
        fitted = fitting.fit(
            _clip(options), options.work, options.materials, lambda _, i, n: answer.tell(Step(i, n))
        )
        path = fitting.write(fitted, folder)
        answer.give({"file": str(path), "ece": fitted.ece}, _print_facts)
    return 0


def evaluate_arguments(add: argparse.ArgumentParser) -> None:
    """Declares the options of `library-evaluate`."""
    add.add_argument(
        "--work", type=Path, default=Path(".cache/library"), metavar="DIR",
        help="materials and their index; with the same folder, none is made twice",
    )  # fmt: skip
    add.add_argument("--materials", type=int, default=2000, metavar="N", help="in the folder (default: 2000)")
    add.add_argument("--out", type=Path, metavar="FILE", help="the figures as JSON")
    _common(add)


def evaluate(options: argparse.Namespace) -> int:
    """Measures tags and search on a folder of materials that no model was trained on; prints figures."""
    from engine.library.evaluation import evaluate as measure
    from engine.material.files import check_file, check_folder, write_json

    _check_library(options)
    _check_count(options)
    check_folder(options.work)
    if options.out is not None:
        check_file(options.out)
    with _Answer(options) as answer:
        found = measure(_clip(options), options.work, options.materials, answer.tell)
        if options.out is not None:
            write_json(options.out, found)
        answer.give(found, _print_facts)
    return 0


def _common(add: argparse.ArgumentParser) -> None:
    add.add_argument(
        "--folder", type=Path, metavar="DIR", help=f"of the library (default: {_shown_default()})"
    )
    add.add_argument("--pack", default="starter", metavar="NAME", help="whose guide looks (default: starter)")
    add.add_argument("--model", metavar="NAME", help='instead, any open_clip model: "ViT-B-32"')
    add.add_argument("--pretrained", metavar="TAG", help="of that model: open_clip's tag, or a file")
    add.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda or mps")
    add.add_argument("--json", action="store_true", help="print the answer as one line of JSON")


def _shown_default() -> str:
    return str(place.default_folder()).replace("%", "%%")


def _check_library(options: argparse.Namespace) -> None:
    """Sees before torch is there, which takes seconds, whether the library and who looks make sense.

    Raises:
        InvalidRequest: the library's folder is a file, or a checkpoint is named without its model.
        UnknownPack: there is no such pack.
    """
    from engine.models import packs

    if options.folder is not None and places.is_file(options.folder):
        raise InvalidRequest(f"{options.folder} is a file. Choose a folder.", field="folder")
    if options.model is None:
        if options.pretrained is not None:
            raise InvalidRequest("--pretrained is of a model: name it by --model.", field="pretrained")
        packs.entry(options.pack)


def _check_count(options: argparse.Namespace) -> None:
    """Raises InvalidRequest where there are too few materials to measure anything."""
    if options.materials < LEAST:
        raise InvalidRequest(
            f"'materials' must be {LEAST} or more; {options.materials} was given.", field="materials"
        )


def _folder(options: argparse.Namespace) -> Path:
    return Path(os.path.abspath(options.folder or place.default_folder()))  # noqa: PTH100


def _checked(schema: Any, options: argparse.Namespace, **fields: Any) -> Any:
    """The request; paths made absolute, links left as they are.

    Raises:
        InvalidRequest: a value that it does not take, or see `_check_library`.
        UnknownPack: there is no such pack.
    """
    from pydantic import ValidationError

    from engine.params import invalid

    def text(value: Any) -> Any:
        if isinstance(value, Path):
            return os.path.abspath(value)  # noqa: PTH100
        return [text(v) for v in value] if isinstance(value, list) else value

    given = {name: text(value) for name, value in fields.items()}
    try:
        asked = schema.model_validate({**given, "pack": options.pack, "device": options.device})
    except ValidationError as error:
        raise invalid(error, schema) from error
    _check_library(options)
    return asked


def _clip(options: argparse.Namespace) -> Clip:
    from engine import compute
    from engine.models import packs
    from engine.models.guide import Clip

    chosen = compute.choose(options.device)
    if options.model is not None:
        try:
            return Clip(options.model, chosen, options.pretrained)
        except BadWeights as error:  # it says what helps a pack
            raise InvalidRequest(
                f"open_clip cannot load {options.model!r}. Check --model, --pretrained and the network.",
                field="model",
                details=error.details,
            ) from error
    return packs.load_guide(options.pack, chosen)


def _library(options: argparse.Namespace) -> Library:
    from engine.library.service import Library

    return Library(_clip(options), _folder(options))


class _Answer:
    """The answer on stdout, whatever libraries print, and a bar of progress on stderr."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._json = options.json

    def __enter__(self) -> Self:
        from rich.console import Console
        from rich.progress import Progress

        logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")
        self._bar = Progress(console=Console(stderr=True), transient=True)
        self._bar.start()
        self._task = self._bar.add_task("textures", total=None)
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def tell(self, step: Step) -> None:
        self._bar.update(self._task, completed=step.done, total=step.total)

    def give(self, answer: dict[str, Any], show: Any) -> None:
        from rich.console import Console

        self._bar.stop()
        if self._json:
            sys.stdout.write(json.dumps(answer) + "\n")
        else:
            show(Console(), answer)


def _line(console: Console, text: str) -> None:
    """As it is; a name that is no Unicode is shown with question marks."""
    console.print(
        text.encode("utf-8", "replace").decode("utf-8"), markup=False, highlight=False, soft_wrap=True
    )


def _words(found: dict[str, Any]) -> str:
    tags = [f"{t['label']} {t['confidence']:.2f}" for t in found["tags"]]
    badges = found["badges"]
    tags.append("seamless" if badges["seamless"] else f"seam {max(badges['seam_x'], badges['seam_y']):.1f}")
    tags += [badges["light"]] if badges["light"] != "unknown" else []
    return ", ".join(tags + [name for name in ("lettering", "object") if badges[name] == "yes"])


def _print_tags(console: Console, answer: dict[str, Any]) -> None:
    for file in answer["files"]:
        _line(console, f"{file['file']}: {file.get('error') or _words(file)}")
        for label, p in sorted(file.get("labels", {}).items(), key=lambda item: -item[1]):
            _line(console, f"  {p:6.1%}  {label}")
    if answer["unknown_words"]:
        _line(console, f"Note: this model does not know {', '.join(answer['unknown_words'])}.")
    if not answer["calibrated"]:
        _line(console, f"Note: nobody fitted this model's confidence. This does: {command('calibrate')}")


def _print_index(console: Console, answer: dict[str, Any]) -> None:
    names = ("added", "moved", "copied", "unchanged", "removed", "vanished", "forgotten")
    done = ", ".join(f"{answer[name]} {name}" for name in names if answer[name])
    speed = f" ({answer['per_second']:.1f} a second)" if answer["added"] else ""
    _line(console, f"{answer['textures']} textures: {done or 'nothing to do'}{speed}")
    for broken in answer["broken"]:
        _line(console, f"Not read: {broken['file']}: {broken['reason']}")
    for path in answer["maps_without_base_colour"]:
        _line(console, f"No base colour: {path}")
    for folder in answer["unseen"]:
        _line(console, f"Not looked into: {folder['folder']}: {folder['reason']}")


def _print_search(console: Console, answer: dict[str, Any]) -> None:
    for group in answer.get("duplicates", []):
        _line(console, "\n".join(found["files"]["basecolor"] for found in group) + "\n")
    for found in answer.get("results", []):
        _line(console, f"{found['score']:6.3f}  {found['files']['basecolor']}  {_words(found)}")
    if answer.get("unknown_words"):
        _line(console, f"Note: this model does not know {', '.join(answer['unknown_words'])}.")
    _line(console, f"Among {answer['textures']} textures in {1000 * answer['seconds']:.0f} ms")


def _print_facts(console: Console, answer: dict[str, Any]) -> None:
    _line(console, json.dumps(answer, indent=2))
