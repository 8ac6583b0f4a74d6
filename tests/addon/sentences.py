"""Every text of the add-on that an artist may read: what its code says, and what its classes tell Blender."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import bpy

ROOT = Path(__file__).resolve().parents[2]
ADDON = ROOT / "addon"
CODE = sorted(path for path in ADDON.rglob("*.py") if not path.is_relative_to(ADDON / "demo"))

# Functions that take a text to be shown: which argument by position, and by name.
SHOWN = {
    "label": (None, "text"),
    "prop": (None, "text"),
    "prop_search": (None, "text"),
    "operator": (None, "text"),
    "operator_menu_enum": (None, "text"),
    "menu": (None, "text"),
    "popover": (None, "text"),
    "column": (None, "heading"),
    "prop_with_hint": (3, "hint"),
    "paragraph": (2, "text"),
    "_section": (1, "title"),
    "report": (1, "message"),
    "poll_message_set": (0, "message"),
    "holds": (2, "otherwise"),
    "tr": (0, "text"),
    "mark": (0, "text"),
    "Remedy": (1, "text"),
    "setting": (2, "text"),
    "RefusedError": (0, "sentence"),
    "EngineError": (0, "message"),
    "MissingFilesError": (0, None),
    "DamagedError": (0, None),
    "UnusableError": (0, None),
    "UnknownVersionError": (0, None),
    "Failure": (0, "message"),
    "phase": (1, "text"),  # of the installer's work
    "run": (0, "title"),  # a step of it
}
STORED = {"status", "message", "text", "title", "words"}  # attributes that panels draw
INSTALLER = ADDON / "link" / "installer"  # runs in any Python, by itself: it says some things put together
PRESET_TEXTS = ("label", "description")


def said(path: Path) -> Iterator[tuple[int, ast.expr]]:
    """Every expression of a file that is shown: line and node, alternatives of a condition one by one."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        for shown in _shown_by(node):
            yield from ((node.lineno, part) for part in alternatives(shown))


def _shown_by(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        position, keyword = SHOWN.get(name, (None, None))
        if position is not None and len(node.args) > position:
            yield node.args[position]
        yield from (item.value for item in node.keywords if keyword and item.arg == keyword)
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Attribute) and target.attr in STORED:
                yield node.value


def alternatives(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.IfExp):
        yield from (*alternatives(node.body), *alternatives(node.orelse))
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from alternatives(value)
    else:
        yield node


def is_language(text: str) -> bool:
    """Whether there is a word in it, other than in placeholders."""
    return bool(re.search(r"[^\W\d_]{2}", re.sub(r"\{[^{}]*\}", "", text)))


def of_code() -> dict[str, str]:
    """Text → where it is said."""
    found = {}
    for path in CODE:
        for line, node in said(path):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and is_language(node.value):
                found.setdefault(node.value, f"{path.relative_to(ROOT)}:{line}")
    return found | of_installer()


def of_installer() -> dict[str, str]:
    """The table of its sentences."""
    path = INSTALLER / "failure.py"
    tree = ast.parse(path.read_text("utf-8"))
    table = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "SENTENCES"
    )
    return dict.fromkeys(table.values(), str(path.relative_to(ROOT)))


def of_presets() -> dict[str, str]:
    """Labels, descriptions and groups of the presets that ship."""
    found = {}
    for path in sorted((ROOT / "presets").glob("*.json")):
        content = json.loads(path.read_text("utf-8"))
        texts = [content.get(name, "") for name in PRESET_TEXTS]
        found |= {text: str(path.relative_to(ROOT)) for text in texts if text}
    return found


def classes() -> list[type]:
    """Every class that the add-on has registered."""
    kinds = (bpy.types.Operator, bpy.types.Panel, bpy.types.Menu, bpy.types.UIList, bpy.types.PropertyGroup)
    kinds += (bpy.types.AddonPreferences,)
    ours = [cls for kind in kinds for cls in kind.__subclasses__()]
    return [cls for cls in ours if _is_ours(cls)]


def _is_ours(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == "patina" and cls.is_registered


def properties_of(cls: type) -> list:
    """Its own properties, less those that Blender gives every class of its kind."""
    kind = next(base for base in cls.__mro__ if base.__module__ in {"bpy_types", "_bpy_types"})
    inherited = set(kind.bl_rna.properties.keys())
    rna = cls.bl_rna
    if issubclass(cls, bpy.types.Operator):
        rna = getattr(bpy.ops.patina, cls.bl_idname.partition(".")[2]).get_rna_type()
    return [item for item in rna.properties if item.identifier not in inherited]


def of_classes() -> dict[str, str]:
    """Names and descriptions of classes, properties and enum items."""
    found = {}
    for cls in classes():
        for name in ("bl_label", "bl_description"):
            found[getattr(cls, name, "")] = cls.__name__
        for item in properties_of(cls):
            where = f"{cls.__name__}.{item.identifier}"
            entries = [item, *(getattr(item, "enum_items", ()))]
            for entry in entries:
                named = entry.name != entry.identifier  # else Blender has made the name, for nobody to read
                found |= {entry.name if named else "": where, entry.description: where}
    return {text: where for text, where in found.items() if is_language(text or "")}


def everything() -> dict[str, str]:
    return {**of_presets(), **of_classes(), **of_code()}


def put_together() -> Iterator[tuple[str, str]]:
    """Where a text is shown that is made at run time and not through `tr`: place and code."""
    for path in CODE:
        for line, node in said(path):
            if any(_makes_words(part) for part in _outside_tr(node)):
                yield f"{path.relative_to(ROOT)}:{line}", ast.unparse(node)


def _outside_tr(node: ast.AST) -> Iterator[ast.AST]:
    """The node and what is in it, less what is handed to a function: that is looked at where it is said."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(node, ast.Call):
            yield from _outside_tr(child)


def _makes_words(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr):
        return is_language("".join(part.value for part in node.values if isinstance(part, ast.Constant)))
    if isinstance(node, ast.BinOp):
        return any(_is_words(side) for side in (node.left, node.right))
    return (
        isinstance(node, ast.Call)
        and getattr(node.func, "attr", "") == "format"
        and _is_words(node.func.value)
    )


def _is_words(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and is_language(node.value)


def filled() -> Iterator[tuple[str, str, set[str]]]:
    """Every `tr` and `Failure` with values: place, sentence and the names of the values."""
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in {"tr", "Failure"}:
                continue
            names = {item.arg for item in node.keywords}
            for text in alternatives(node.args[0]):
                if isinstance(text, ast.Constant) and None not in names:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", text.value, names
