"""Every sentence of the engine that an artist may meet, as templates with {} for what is filled in."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENGINE = ROOT / "engine"
ERRORS = {
    "BadIndex", "BadWeights", "CannotDownload", "CannotWrite", "DeviceUnavailable", "InvalidRequest",
    "OutOfMemory", "PatinaError", "UnknownPack", "UnknownPreset", "UnreadablePicture",
}  # fmt: skip
FAULTS = {"_refused", "_bad"}  # functions that put a fault into a sentence
MET = (  # what runs, or refuses to, when a button is pressed
    "artifacts.py", "checkpoint.py", "compute.py", "desk.py", "generation.py", "jobs.py", "judging.py",
    "library/pictures.py", "library/service.py", "library/store.py", "library/words.py", "mapping.py",
    "material/files.py", "models/download.py", "models/guide.py", "models/install.py", "models/known.py",
    "models/offers.py", "models/packs.py", "models/priors.py", "models/stream.py", "params.py", "pictures.py",
    "presets.py", "quality.py", "refine.py", "remake.py", "resume.py", "sources.py", "synthesis/groups.py",
    "synthesis/propose.py", "synthesis/run.py", "vary.py",
)  # fmt: skip
TELLING = {  # functions that make sentences, beside those that raise
    "params.py": {"_explain"},
    "synthesis/run.py": {"_warnings", "_strange"},
    "synthesis/groups.py": {"synthesize_in_groups"},
}

LIMITS = (  # params.Limits puts these together
    "{} must be between {} and {}; {} was given.",
    "{} must be between {} and {}, in steps of {}; {} was given.",
)


def of_engine() -> dict[str, str]:
    """Template → where it is said."""
    found = dict.fromkeys(LIMITS, "engine/params.py")
    for name in MET:
        path = ENGINE / name
        tree = ast.parse(path.read_text("utf-8"))
        constants = dict(_constants(tree))
        for node in _said(tree, TELLING.get(name, set())):
            text = template(node, constants)
            if text and _is_sentence(text):
                found.setdefault(text, f"engine/{name}:{node.lineno}")
    return found


def template(node: ast.expr, constants: dict[str, str]) -> str:
    """A text with {} in the place of whatever is filled in; "" where it is none."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.BinOp):
        return template(node.left, constants) + template(node.right, constants)
    if not isinstance(node, ast.JoinedStr):
        return ""
    parts = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(part.value)
        elif isinstance(part.value, ast.Name) and part.value.id in constants:
            parts.append(constants[part.value.id])
        else:
            parts.append("{}")
    return "".join(parts)


def _is_sentence(text: str) -> bool:
    return " " in text.strip()


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            value = node.value.value
            if isinstance(value, str):
                yield from ((target.id, value) for target in node.targets if isinstance(target, ast.Name))


def _said(tree: ast.Module, telling: set[str]) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in ERRORS and node.args:
                yield node.args[0]
            elif name in FAULTS:
                yield from (part for part in node.args[1:2] if not isinstance(part, ast.Name))
                yield from (part for part in node.args[2:3] if isinstance(part, ast.Constant | ast.JoinedStr))
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "REASONS":
            yield from node.value.values  # by number of the system's error
        elif isinstance(node, ast.FunctionDef) and node.name in telling:
            yield from _texts(node)


def _texts(function: ast.FunctionDef) -> Iterator[ast.expr]:
    """Whole texts in a function, not the parts of which a text is put together."""
    inner = {
        id(part)
        for node in ast.walk(function)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    for node in ast.walk(function):
        known = isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value[-1:] == "."
        )
        if known and id(node) not in inner and node is not getattr(function.body[0], "value", None):
            yield node
