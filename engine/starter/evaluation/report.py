"""REPORT.md: what was measured, beside what was wanted, for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.errors import BadWeights
from engine.material.seams import SEAMLESS
from engine.starter.evaluation.bench import STEPS
from engine.starter.trials.record import Trial, Trials

FILE = "REPORT.md"
FIGURES = "evaluation.json"
PICTURES = "report"

Parts = dict[str, dict[str, Any]]

IN_THE_WAY = """\
The networks are small because they must run on a CPU and come with the repository, and they were trained
on two CPU cores. The figures below say which of them limits the result: where *naming* is low, guide and
judge do not know the material, and nothing that they guide or rank can be better; where *reconstruction*
is low, guidance can change only what is broad, and starts without a recipe come out soft; where the
*prior* is far below the start from exemplars, layout is remembered rather than invented, and detail is the
recipe's. The judge that names the results here also chose the best of each run. It took no part in guiding
them, but it was trained on the same kind of materials as the guide, and shares its limits.
"""


class Report(BaseModel):
    """All figures of one pack, as in evaluation.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pack: str
    sha256: dict[str, str]
    families: tuple[str, ...]
    machine: str
    parts: Parts = {}

    def going_on(self, path: Path) -> Report:
        """This report with the figures that a file holds of the same pack; others are left behind."""
        try:
            found = Report.model_validate_json(path.read_text("utf-8"))
        except (FileNotFoundError, ValidationError):  # none yet, or by another version of Patina
            return self
        same = (found.sha256, found.families) == (self.sha256, self.families)
        return self.model_copy(update={"parts": found.parts}) if same else self


@dataclass(frozen=True)
class Target:
    """One promise: at least, or at most, so much of a figure."""

    what: str
    bound: float
    figure: Callable[[Parts], float]
    unit: str = ""
    at_least: bool = False

    @property
    def wanted(self) -> str:
        """The bound, for people."""
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}{self.unit}"

    def met(self, value: float) -> bool:
        """Whether a value is on the right side of the bound."""
        return value >= self.bound if self.at_least else value <= self.bound


def _best(what: str) -> Callable[[Parts], float]:
    """Per cent of the runs that people get in which the best variation is right."""
    return lambda parts: 100 * parts["whole"][f"auto/{STEPS}"]["best"][what]


def _largest_seam(parts: Parts) -> float:
    return max(figures["seam_max"] for figures in parts["whole"].values())


def _normals(parts: Parts) -> float:
    return float(parts["estimator"]["lit"]["angle_ratio"])


TARGETS = (
    Target("material right", 85, _best("family"), " %", at_least=True),
    Target("colour right", 90, _best("colour"), " %", at_least=True),
    Target("diversity of 8 variations, Vendi score", 4, lambda p: p["diversity"]["mean"], at_least=True),
    Target("largest seam score S99", SEAMLESS, _largest_seam),
    Target("commutation with rolling", 1e-4, lambda p: max(p["reconstruction"]["commutation"].values())),
    Target("angular error of estimated normals / classical formula", 0.75, _normals),
    Target("four 256² variations with all maps", 20, lambda p: p["speed"]["seconds"]["total"], " s"),
)


def read(path: Path) -> Report:
    """The figures in a file.

    Raises:
        BadWeights: there are none, or they cannot be read.
    """
    try:
        return Report.model_validate_json(path.read_text("utf-8"))
    except (OSError, ValidationError) as error:
        raise BadWeights(
            f"{path.name} of the pack cannot be read. Run `python -m engine evaluate` again.",
            details=str(error),
        ) from error


def write(report: Report, folder: Path, trials: Trials) -> Path:
    """Writes REPORT.md into a folder, in which `report/` has the pictures. Returns its path."""
    path = folder / FILE
    path.write_text("\n".join(_lines(report, trials)) + "\n", "utf-8")
    return path


def _lines(report: Report, trials: Trials) -> Iterator[str]:
    yield from (f"# How good the {report.pack} pack is", "")
    yield f"Written by `python -m engine evaluate` on {report.machine}, from materials and prompts that"
    yield f"training never saw. The pack knows {len(report.families)} families of materials. Runs have the"
    yield "engine's own settings, but for what a table varies."
    yield from ("", "## Wanted and reached", "")
    rows = [_target(t, report.parts) for t in TARGETS]
    yield from _table(("figure", "wanted", "reached", ""), rows)
    yield from ("", f"The first two are of runs from `auto` with {STEPS} guided steps: what people get.")
    yield from ("", "## What stands in the way", "", IN_THE_WAY.rstrip())
    for name, section in SECTIONS.items():
        if name in report.parts:
            yield from ("", *section(report.parts[name]), *_picture(name, report.parts[name]))
    for name in report.parts.keys() - SECTIONS.keys():
        yield from ("", f"## {name.capitalize()}", "")
        yield from _table(("figure", "value"), _flat(report.parts[name]))
    for trial in trials.trials.values():
        yield from ("", *_trial(trial))
    yield from ("", "## The networks", "")
    yield from _table(("network", "sha256"), [(k, f"`{v[:16]}`") for k, v in report.sha256.items()])


def _target(target: Target, parts: Parts) -> tuple[str, ...]:
    try:
        value = target.figure(parts)
    except KeyError:  # that part was not run
        return target.what, target.wanted, "not measured", ""
    return target.what, target.wanted, _number(value) + target.unit, "yes" if target.met(value) else "no"


def _naming(part: dict[str, Any]) -> Iterator[str]:
    yield from _opening(
        "Naming",
        "How often guide and judge read family and colour off a true material, among all there are.",
        "*Held out* are combinations that training never saw.",
    )
    rows = [
        (role, name.replace("_", " "), str(f["pictures"]), _percent(f["family"]), _percent(f["colour"]))
        for role, sets in part.items()
        for name, f in sets.items()
    ]
    yield from _table(("CLIP", "materials", "pictures", "family", "colour"), rows)


def _synonyms(part: dict[str, Any]) -> Iterator[str]:
    yield from _opening(
        "Synonyms",
        f"{part['nouns']} nouns that the guide never read, one a family at most: how often the text lies",
        "nearest to the name of its own family, among all families. The judge has read them.",
    )
    yield from _table(("CLIP", "understood"), [(role, _percent(part[role])) for role in ("guide", "judge")])


def _retrieval(part: dict[str, Any]) -> Iterator[str]:
    yield from _opening(
        "Retrieval",
        "How often a held-out picture's own caption is the nearest of 100, half of which are neighbours:",
        "wrong in one thing.",
    )
    rows = [
        (
            role,
            str(f["pictures"]),
            _percent(f["first"]),
            _percent(f["among_five"]),
            _number(f["median_rank"]),
        )
        for role, f in part.items()
    ]
    yield from _table(("CLIP", "pictures", "first", "among five", "median rank"), rows)


def _reconstruction(part: dict[str, Any]) -> Iterator[str]:
    yield from _opening(
        "Reconstruction",
        f"{part['materials']} held-out materials through the codes and back: PSNR of every map (higher is",
        "better), share of the codebook in use, seams of what comes back (S99, seamless up to 1.25), and the",
        "largest difference between rolling before and after decoding.",
    )
    rows = [(f"PSNR, {name}", f"{value:.1f} dB") for name, value in part["psnr"].items()]
    rows += [
        ("codes used", _percent(part["codes_used"])),
        ("seam score, median", _number(part["seam_median"])),
        ("seam score, largest", _number(part["seam_max"])),
        *((f"commutation, {axis}", _number(value)) for axis, value in part["commutation"].items()),
    ]
    yield from _table(("figure", "value"), rows)


def _estimator(part: dict[str, Any]) -> Iterator[str]:
    yield from _opening(
        "Estimator",
        f"Maps from pictures of {part['materials']} held-out materials, by the network and by the classical",
        "formulas with the one strength that suits materials of training best: mean angle between normals,",
        "mean absolute error of every other map.",
    )
    maps = ("basecolor", "height", "roughness", "metallic")
    rows = [
        (view, who, f"{part[view][who]['degrees']:.1f}°", *(_number(part[view][who][m]) for m in maps))
        for view in ("lit", "unlit")
        for who in ("estimator", "classical")
    ]
    yield from _table(("pictures", "by", "normals", *maps), rows)


def _prior(part: dict[str, Any]) -> Iterator[str]:
    yield from _opening(
        "Prior",
        f"The judge reads {part['samples']} samples of each of {part['prompts']} held-out prompts: all of",
        "them, and the one of each prompt that the guide likes best.",
    )
    rows = [
        (name, _percent(part[key]["family"]), _percent(part[key]["colour"]))
        for name, key in (("as drawn", "as_drawn"), ("best by the guide", "ranked"))
    ]
    yield from _table(("samples", "family", "colour"), rows)
    yield from ("", f"Vendi score of the {part['samples']}: {_number(part['vendi'])}.")


def _whole(part: dict[str, Any]) -> Iterator[str]:
    yield from _opening(
        "The whole engine",
        "Held-out prompts through the engine. *Start*: `auto` begins from exemplars if the pack has some,",
        "`prior` from what the prior draws, `codes` from random codes, without any of them. *Best* is the",
        "variation that the judge ranks first, *each* is all of them. *Gap* is how much more the guide likes",
        "the results than the judge does, in standard deviations of true materials: above 2, they please the",
        "guide alone. *Seconds* are the median of a run without its files.",
    )
    heads = ("start", "steps", "prompts", "family, best", "colour, best", "family, each", "colour, each")
    rows = []
    for name, f in part.items():
        named = [_percent(f[of][what]) for of in ("best", "each") for what in ("family", "colour")]
        more = [_number(f[what]) for what in ("gap", "vendi", "seam_max", "seconds")]
        rows.append((*name.split("/"), str(f["prompts"]), *named, *more))
    yield from _table((*heads, "gap", "Vendi", "largest seam", "seconds"), rows)
    missed = part.get(f"auto/{STEPS}", {}).get("missed", {})
    if missed:
        yield from ("", f"Read as something else, from `auto` with {STEPS} steps:", "")
        yield from _table(("prompt", "the judge reads"), missed.items())


def _diversity(part: dict[str, Any]) -> Iterator[str]:
    yield from _opening(
        "Diversity",
        f"Vendi score of {part['variations']} variations in the judge's embeddings: the effective number of",
        "different ones. True materials of the same family and colour, each of its own seed, show what",
        "can be expected: the judge was taught to lay what shares a name close together.",
    )
    rows = [
        (f"mean of {part['prompts']} prompts", _number(part["mean"])),
        ("lowest", _number(part["min"])),
        ("true materials, mean", _number(part["true_materials"])),
    ]
    yield from _table(("figure", "value"), rows)


def _speed(part: dict[str, Any]) -> Iterator[str]:
    yield from _opening(
        "Time",
        f"{part['variations']} variations, {part['size_px']} pixels wide, {part['steps']} guided steps, all",
        "maps written, with the networks in memory.",
    )
    yield from _table(("phase", "seconds"), [(k, _number(v)) for k, v in part["seconds"].items()])


def _showcase(part: dict[str, Any]) -> Iterator[str]:
    yield from _opening(
        "Eight prompts",
        "The best of each run's variations. Unknown words are those that training never used.",
    )
    rows = [
        (prompt, f["read"], _number(f["judge"]), _number(f["guide"]), ", ".join(f["unknown_words"]))
        for prompt, f in part["prompts"].items()
    ]
    yield from _table(("prompt", "the judge reads", "judge", "guide", "unknown words"), rows)


def _trial(trial: Trial) -> Iterator[str]:
    yield from _opening(f"Trial: {trial.question}", trial.measured, f"On {trial.machine}.")
    heads = list(next(iter(trial.variants.values())).figures)
    rows = [
        (name, str(v.steps), _number(v.seconds), *(_number(v.figures[head]) for head in heads))
        for name, v in trial.variants.items()
    ]
    yield from _table(("variant", "steps", "seconds of training", *heads), rows)


SECTIONS: dict[str, Callable[[dict[str, Any]], Iterator[str]]] = {
    "showcase": _showcase,
    "whole": _whole,
    "diversity": _diversity,
    "speed": _speed,
    "naming": _naming,
    "synonyms": _synonyms,
    "retrieval": _retrieval,
    "estimator": _estimator,
    "prior": _prior,
    "reconstruction": _reconstruction,
}

CAPTIONS = {
    "showcase": "Base colour and lit view; below the prompt, what the judge reads.",
    "whole": "The best variation of held-out prompts: base colour, lit view, and what the judge reads.",
    "prior": "Of each prompt the first sample and the one that the guide likes best.",
    "reconstruction": "Base colour true and through the codes, then both lit.",
}


def _picture(name: str, part: dict[str, Any]) -> Iterator[str]:
    holder = part.get(f"auto/{STEPS}", {}) if name == "whole" else part
    if "picture" in holder:
        yield from ("", f"![{name}]({PICTURES}/{holder['picture']})", "", f"*{CAPTIONS[name]}*")


def _opening(title: str, *lines: str) -> Iterator[str]:
    yield from (f"## {title}", "", *lines, "")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|" + " --- |" * len(heads)
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _flat(part: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for name, value in part.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name} ")
        else:
            yield f"{above}{name}".replace("_", " "), _number(value)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _number(value: float | str) -> str:
    """Three digits, plainly; tiny numbers by their power of ten."""
    if isinstance(value, (str, int)):
        return str(value)
    if 0 < abs(value) < 0.005:
        return f"{value:.1e}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
