"""The sections of REPORT.md, one a part and one a trial: figures in, lines of Markdown out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from engine.starter.evaluation.bench import STEPS
from engine.starter.trials.record import Trial

DIVERSE = 4
"""The Vendi score of eight variations that is wanted."""

MISSED = 12
"""Prompts that are told at most of those that came out as something else."""

TELLING = 2
"""Prompts by which shares must differ, to say that one is higher."""

Section = Callable[[dict[str, Any]], Iterator[str]]


def _naming(part: dict[str, Any]) -> Iterator[str]:
    yield from opening(
        "Naming",
        "How often guide and judge read family and colour off a true material, among all there are.",
        "*Held out* are combinations that training never saw.",
    )
    rows = [
        (role, name.replace("_", " "), str(f["pictures"]), percent(f["family"]), percent(f["colour"]))
        for role, sets in part.items()
        for name, f in sets.items()
    ]
    yield from table(("CLIP", "materials", "pictures", "family", "colour"), rows)


def _synonyms(part: dict[str, Any]) -> Iterator[str]:
    yield from opening(
        "Synonyms",
        f"{part['nouns']} nouns that the guide never read, one a family at most: how often the text lies",
        "nearest to the name of its own family, among all families. The judge has read them.",
    )
    yield from table(("CLIP", "understood"), [(role, percent(part[role])) for role in ("guide", "judge")])


def _retrieval(part: dict[str, Any]) -> Iterator[str]:
    yield from opening(
        "Retrieval",
        "How often a held-out picture's own caption is the nearest of 100, half of which are neighbours:",
        "wrong in one thing.",
    )
    rows = [
        (
            role,
            str(f["pictures"]),
            percent(f["first"]),
            percent(f["among_five"]),
            number(f["median_rank"]),
        )
        for role, f in part.items()
    ]
    yield from table(("CLIP", "pictures", "first", "among five", "median rank"), rows)


def _reconstruction(part: dict[str, Any]) -> Iterator[str]:
    yield from opening(
        "Reconstruction",
        f"{part['materials']} held-out materials through the codes and back: PSNR of every map (higher is",
        "better), share of the codebook in use, seams of what comes back (S99, seamless up to 1.25), and the",
        "largest difference between rolling before and after decoding.",
    )
    rows = [(f"PSNR, {name}", f"{value:.1f} dB") for name, value in part["psnr"].items()]
    rows += [
        ("codes used", percent(part["codes_used"])),
        ("seam score, median", number(part["seam_median"])),
        ("seam score, largest", number(part["seam_max"])),
        *((f"commutation, {axis}", number(value)) for axis, value in part["commutation"].items()),
    ]
    yield from table(("figure", "value"), rows)


def _estimator(part: dict[str, Any]) -> Iterator[str]:
    yield from opening(
        "Estimator",
        f"Maps from pictures of {part['materials']} held-out materials, by the network and by the classical",
        "formulas with the one strength that suits materials of training best: mean angle between normals,",
        "mean absolute error of every other map. *Flat* is no relief at all: what the others have to beat.",
    )
    maps = ("basecolor", "height", "roughness", "metallic")
    rows = [
        (view, who, f"{found['degrees']:.1f}°", *(number(found[m]) if m in found else "–" for m in maps))
        for view in ("lit", "unlit")
        for who, found in part[view].items()
        if isinstance(found, dict)
    ]
    yield from table(("pictures", "by", "normals", *maps), rows)
    worse = [
        f"{figure.replace('degrees', 'normals')} of {view} pictures"
        for view in ("lit", "unlit")
        for figure in ("degrees", *maps)
        if part[view]["estimator"][figure] > part[view]["classical"][figure]
    ]
    if worse:
        yield from ("", f"The network is worse than the formulas in: {', '.join(worse)}.")


def _prior(part: dict[str, Any]) -> Iterator[str]:
    yield from opening(
        "Prior",
        f"The judge reads {part['samples']} samples of each of {part['prompts']} held-out prompts: all of",
        "them, and the one of each prompt that the guide likes best.",
    )
    rows = [
        (name, percent(part[key]["family"]), percent(part[key]["colour"]))
        for name, key in (("as drawn", "as_drawn"), ("best by the guide", "ranked"))
    ]
    yield from table(("samples", "family", "colour"), rows)
    before, after = (part[key]["family"] for key in ("as_drawn", "ranked"))
    yield from (
        "",
        f"{_moved(before, after, part['prompts'])}: {percent(before)} as drawn,",
        f"{percent(after)} of the best. Vendi score of the {part['samples']}: {number(part['vendi'])}.",
    )


def _moved(before: float, after: float, prompts: int) -> str:
    """What ranking did to a share of prompts. One prompt more or less is chance."""
    if round(abs(after - before) * prompts, 9) < TELLING:  # a share is no exact number
        return f"Ranking by the guide made no difference beyond chance, of {prompts} prompts"
    return f"Ranking by the guide {'raised' if after > before else 'lowered'} the share of right materials"


def _whole(part: dict[str, Any]) -> Iterator[str]:
    yield from opening(
        "The whole engine",
        "Held-out prompts through the engine. *Start*: `auto` begins from exemplars if the pack has some,",
        "`prior` from what the prior draws, `codes` from random codes, without any of them. *Best* is the",
        "variation that the judge ranks first, *each* is all of them. *Gap* is how much more the guide likes",
        "the results than the judge does, in standard deviations of true materials: above 2, they please the",
        "guide alone. How long a run takes is told under *Time*.",
    )
    unlike = len({f["variations"] for f in part.values()}) > 1  # of more, the best is better
    counted = ("prompts", "variations") if unlike else ("prompts",)
    heads = ("family, best", "colour, best", "family, each", "colour, each", "gap", "Vendi", "largest seam")
    rows = []
    for name, f in part.items():
        named = [percent(f[of][what]) for of in ("best", "each") for what in ("family", "colour")]
        more = [number(f[what]) for what in ("gap", "vendi", "seam_max")]
        rows.append((*name.split("/"), *(str(f[what]) for what in counted), *named, *more))
    yield from table(("start", "steps", *counted, *heads), rows)
    missed = list(part.get(f"auto/{STEPS}", {}).get("missed", {}).items())
    if missed:
        yield from ("", f"Read as something else, from `auto` with {STEPS} steps:", "")
        yield from table(("prompt", "the judge reads"), missed[:MISSED])
    if len(missed) > MISSED:
        yield from ("", f"and {len(missed) - MISSED} more.")


def _diversity(part: dict[str, Any]) -> Iterator[str]:
    yield from opening(
        "Diversity",
        f"Vendi score of {part['variations']} variations in the judge's embeddings: the effective number of",
        "different ones. True materials of the same family and colour, each of its own seed, show what",
        "can be expected: the judge was taught to lay what shares a name close together.",
    )
    rows = [
        (f"mean of {part['prompts']} prompts", number(part["mean"])),
        ("lowest", number(part["min"])),
        ("true materials, mean", number(part["true_materials"])),
    ]
    yield from table(("figure", "value"), rows)
    if part["true_materials"] < DIVERSE:
        yield from (
            "",
            f"True materials reach {number(part['true_materials'])} only: the {DIVERSE} that are wanted are",
            "beyond what this judge can show, whatever the variations are.",
        )


def _speed(part: dict[str, Any]) -> Iterator[str]:
    busy = "What else ran then is not recorded."
    if "load" in part:
        busy = f"When it began, {number(part['load'])} processes wanted the processor."
    yield from opening(
        "Time",
        f"{part['variations']} variations, {part['size_px']} pixels wide, {part['steps']} guided steps, all",
        f"maps written, with the networks in memory. {busy}",
    )
    yield from table(("phase", "seconds"), [(k, number(v)) for k, v in part["seconds"].items()])


def _showcase(part: dict[str, Any]) -> Iterator[str]:
    yield from opening(
        "Eight prompts",
        "The best of each run's variations. Unknown words are those that training never used.",
    )
    rows = [
        (prompt, f["read"], number(f["judge"]), number(f["guide"]), ", ".join(f["unknown_words"]))
        for prompt, f in part["prompts"].items()
    ]
    yield from table(("prompt", "the judge reads", "judge", "guide", "unknown words"), rows)


def trial_section(trial: Trial) -> Iterator[str]:
    """What a trial asked, how it was answered, and what is to be kept in mind."""
    said = f"On {trial.machine}, each variant once, from one seed. {trial.caution}".rstrip()
    yield from opening(f"Trial: {trial.question}", trial.measured, said)
    heads = list(next(iter(trial.variants.values())).figures)
    rows = [
        (name, str(v.steps), number(v.seconds), *(number(v.figures[head]) for head in heads))
        for name, v in trial.variants.items()
    ]
    yield from table(("variant", "steps", "seconds of training", *heads), rows)


SECTIONS: dict[str, Section] = {
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


def opening(title: str, *lines: str) -> Iterator[str]:
    yield from (f"## {title}", "", *lines, "")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|" + " --- |" * len(heads)
    yield from (f"| {' | '.join(row)} |" for row in rows)


def flat(part: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for name, value in part.items():
        if isinstance(value, dict):
            yield from flat(value, f"{above}{name} ")
        else:
            yield f"{above}{name}".replace("_", " "), number(value)


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def number(value: float | str) -> str:
    """Three digits, plainly; tiny numbers by their power of ten."""
    if isinstance(value, (str, int)):
        return str(value)
    if 0 < abs(value) < 0.005:
        return f"{value:.1e}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
