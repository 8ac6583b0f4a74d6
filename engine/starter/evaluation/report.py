"""REPORT.md: what was measured, beside what was wanted, for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.errors import BadWeights
from engine.hints import command
from engine.material import files
from engine.material.seams import SEAMLESS
from engine.starter.evaluation.bench import STEPS
from engine.starter.evaluation.sections import DIVERSE, SECTIONS, flat, number, table, trial_section
from engine.starter.evaluation.stamp import Stamp, code
from engine.starter.trials.record import Trials

FILE = "REPORT.md"
FIGURES = "evaluation.json"
PICTURES = "report"

Parts = dict[str, dict[str, Any]]

RESTS_ON: dict[str, frozenset[str]] = {
    "naming": frozenset({"guide", "judge"}),
    "synonyms": frozenset({"guide", "judge"}),
    "retrieval": frozenset({"guide", "judge"}),
    "reconstruction": frozenset({"generator"}),
    "estimator": frozenset({"estimator"}),
}
"""The networks that a part's figures are of; of any other part they are of all that the pack has."""

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
    measured: dict[str, Stamp] = {}
    """When and by which code, by part; of the whole part by its keys: whole/auto/12."""

    def going_on(self, path: Path) -> Report:
        """This report with the figures that a file holds of the same networks; others are left behind."""
        try:
            found = Report.model_validate_json(path.read_text("utf-8"))
        except (FileNotFoundError, ValidationError):  # none yet, or by another version of Patina
            return self
        if found.families != self.families:
            return self
        other = {role for role in self.sha256 if found.sha256.get(role) != self.sha256[role]}
        other |= found.sha256.keys() - self.sha256.keys()
        parts = {name: of for name, of in found.parts.items() if other.isdisjoint(RESTS_ON.get(name, other))}
        measured = {key: stamp for key, stamp in found.measured.items() if key.partition("/")[0] in parts}
        return self.model_copy(update={"parts": parts, "measured": measured})


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


def _mean_diversity(parts: Parts) -> float:
    return float(parts["diversity"]["mean"])


def _normals(parts: Parts) -> float:
    return float(parts["estimator"]["lit"]["angle_ratio"])


TARGETS = (
    Target("material right", 85, _best("family"), " %", at_least=True),
    Target("colour right", 90, _best("colour"), " %", at_least=True),
    Target(
        "diversity of 8 variations, Vendi score", DIVERSE, lambda p: p["diversity"]["mean"], at_least=True
    ),
    Target("largest seam score S99", SEAMLESS, _largest_seam),
    Target("largest seam score S99, reconstructions", SEAMLESS, lambda p: p["reconstruction"]["seam_max"]),
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
            f"{path.name} of the pack cannot be read. Write it anew: {command('evaluate')}",
            details=str(error),
        ) from error


def write(report: Report, folder: Path, trials: Trials) -> Path:
    """Writes REPORT.md into a folder, in which `report/` has the pictures. Returns its path.

    Raises:
        CannotWrite: the folder does not take files.
    """
    path = folder / FILE
    files.write_bytes(path, ("\n".join(_lines(report, trials)) + "\n").encode())
    return path


def _lines(report: Report, trials: Trials) -> Iterator[str]:
    yield from (f"# How good the {report.pack} pack is", "")
    yield f"Written by `python -m engine evaluate` on {report.machine}, from materials and prompts that"
    yield f"training never saw. The pack knows {len(report.families)} families of materials. Runs have the"
    yield "engine's own settings, but for what a table varies. Each part says when it was measured. Where"
    yield f"that was by other code than `{code()}`, with which this page was written, it says so: what the"
    yield "engine does today may differ."
    yield from ("", "## Wanted and reached", "")
    rows = [_target(t, report.parts) for t in TARGETS]
    yield from table(("figure", "wanted", "reached", ""), rows)
    yield from ("", f"The first two are of runs from `auto` with {STEPS} guided steps: what people get.")
    yield "The seam score S99 is promised of every result: the first is the worst of all runs of the whole"
    yield "engine below, the second the worst of true materials that went through the codes and back."
    yield from ("", "## What stands in the way", "", IN_THE_WAY.rstrip())
    for name, section in SECTIONS.items():
        if name in report.parts:
            yield from ("", *section(report.parts[name]))
            yield from (*_when(report, name), *_picture(name, report.parts[name]))
    for name in report.parts.keys() - SECTIONS.keys():
        yield from ("", f"## {name.capitalize()}", "")
        yield from table(("figure", "value"), flat(report.parts[name]))
    for trial in trials.trials.values():
        yield from ("", *trial_section(trial), "", f"Measured: {trial.stamp.said}.")
    yield from ("", "## The networks", "")
    yield from table(("network", "sha256"), [(k, f"`{v[:16]}`") for k, v in report.sha256.items()])


def _when(report: Report, name: str) -> Iterator[str]:
    """When a part was measured: once if that is the same for all that it consists of."""
    keys = [f"{name}/{key}" for key in report.parts[name]] if name == "whole" else [name]
    stamps = {key: report.measured.get(key, Stamp()).said for key in keys}
    if len(set(stamps.values())) == 1:
        yield from ("", f"Measured: {stamps[keys[0]]}.")
    else:
        told = "; ".join(f"{key.removeprefix('whole/')} {said}" for key, said in stamps.items())
        yield from ("", f"Measured: {told}.")


def _target(target: Target, parts: Parts) -> tuple[str, ...]:
    try:
        value = target.figure(parts)
    except KeyError:  # that part was not run
        return target.what, target.wanted, "not measured", ""
    return target.what, target.wanted, number(value) + target.unit, "yes" if target.met(value) else "no"


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
