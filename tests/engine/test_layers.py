"""Arrows go one way: who lives where never imports what, and only commands speak to a person."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

HEAVY = ["torch", "torchvision", "kornia", "open_clip"]
ABOVE_MODELS = [
    "engine.jobs",
    "engine.generation",
    "engine.server",
    "engine.desk",
    "engine.mapping",
    "engine.maps",
    "engine.protocol",
    "engine.stdio",
    "engine.cli",
    "engine.pictures",
    "engine.models_cli",
    "engine.models_server",
    "engine.selfcheck",
    "engine.cli_edits",
    "engine.quality",
    "engine.refine",
    "engine.remake",
    "engine.thumbnails",
    "engine.resume",
    "engine.checkpoint",
    "engine.verdict",
    "engine.cli_stop",
    "engine.cli_report",
    "engine.cli_guiding",
    "engine.cli_jobs",
    "engine.cli_make",
    "engine.cli_rank",
    "engine.cli_vary",
    "engine.host",
    "engine.judging",
    "engine.previews",
    "engine.rank",
    "engine.results",
    "engine.sources",
    "engine.bench",
]

NEVER = {  # who lives here (file or folder) never imports that, nor anything in it
    "engine": ["bpy", "addon"],
    "engine/synthesis": [
        *ABOVE_MODELS,
        "engine.params",
        "engine.presets",
        "engine.progress",
        "pathlib",
        "os",
    ],
    "engine/models": [
        *ABOVE_MODELS,
        "engine.synthesis",
        "engine.material",
        "engine.params",
        "engine.presets",
    ],
    "engine/material": [*ABOVE_MODELS, "engine.synthesis", "engine.params", "engine.presets"],
    "engine/library": [*ABOVE_MODELS, "engine.synthesis", "engine.presets"],
    "engine/library/store.py": [*HEAVY, "engine.models", "engine.starter"],
    "engine/library/requests.py": [*HEAVY, "numpy"],
    "engine/generation.py": ["engine.server", "engine.protocol", "engine.stdio", "engine.cli", "engine.jobs"],
    "engine/models/packs.py": ["engine.models.install", "engine.models.download", "huggingface_hub"],
    "engine/models/offers.py": [*HEAVY, "numpy", "huggingface_hub", "engine.models.packs"],
    "engine/desk.py": [*HEAVY, "numpy", "engine.server", "engine.cli", "engine.synthesis"],
    "engine/maps.py": [*HEAVY, "numpy", "engine.jobs", "engine.server", "engine.generation"],
    "engine/mapping.py": ["engine.server", "engine.protocol", "engine.stdio", "engine.cli", "engine.jobs"],
    "engine/models_server.py": [*HEAVY, "numpy", "engine.server", "engine.generation", "engine.cli"],
    "engine/rank.py": [*HEAVY, "numpy", "engine.jobs", "engine.server", "engine.generation"],
    "engine/judging.py": ["engine.server", "engine.protocol", "engine.stdio", "engine.cli", "engine.jobs"],
    "engine/results.py": ["engine.server", "engine.protocol", "engine.stdio", "engine.cli", "engine.jobs"],
    "engine/home.py": ["engine", "pydantic"],
    "engine/cli_edits.py": [*HEAVY, "numpy", "PIL", "pydantic", "engine"],  # the handshake waits for it
    "engine/cli_guiding.py": [*HEAVY, "numpy", "pydantic", "engine"],
    "engine/cli_report.py": [*HEAVY, "numpy", "engine"],
    "engine/resume.py": [*HEAVY, "numpy", "engine.synthesis", "engine.generation"],
    "engine/sources.py": [*(m for m in ABOVE_MODELS if m != "engine.sources"), "engine.params"],
    "engine/jobs.py": [*HEAVY, "numpy", "engine.synthesis", "engine.material", "engine.server", "engine.cli"],
    "engine/protocol.py": ["engine.jobs", "engine.server", "engine.params", "pydantic"],
    "engine/pictures.py": [*HEAVY, *ABOVE_MODELS[:-1], "engine.models"],
    "engine/synthesis/prompts.py": [*HEAVY, "numpy", "pydantic"],
    "engine/quality.py": [*HEAVY, "numpy", "engine.params", "engine.presets"],
    "engine/settings.py": [*HEAVY, "numpy", "engine"],
    "engine/map_settings.py": [*HEAVY, "numpy", "engine"],
    "addon": [*HEAVY, "pydantic", "engine"],
    "addon/link": ["bpy"],
}
SPEAK = [  # commands, the last of build.py
    *("engine/cli.py", "engine/models_cli.py", "engine/selfcheck.py"),
    *("engine/cli_jobs.py", "engine/cli_make.py", "engine/cli_vary.py"),
    "addon/demo/__main__.py",
]


def modules(place: str) -> list[Path]:
    path = ROOT / place
    return [path] if path.suffix else sorted(path.rglob("*.py"))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def imports(path: Path) -> Iterator[str]:
    """Every name that a module imports, wherever in it, in full: relative ones as well."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*start, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def below(name: str, parent: str) -> bool:
    return f"{name}.".startswith(f"{parent}.")


@pytest.mark.parametrize(("place", "forbidden"), NEVER.items(), ids=list(NEVER))
def test_arrows_go_one_way(place, forbidden):
    found = modules(place)
    assert found, f"{place} is not there any more: mend the table"
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in found
        for name in imports(path)
        if any(below(name, other) for other in forbidden)
    ]
    assert not wrong


def test_only_commands_print():
    """A print in a library reaches the log of an artist at best, and the protocol at worst."""
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for place in ("engine", "addon")
        for path in modules(place)
        if str(path.relative_to(ROOT)) not in SPEAK
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not wrong


def test_a_bug_is_caught_in_two_places_only():
    """A job's frame and a request's: anywhere else it would hide what went wrong."""
    broad = [
        str(path.relative_to(ROOT))
        for path in modules("engine")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "Exception"))
    ]
    assert sorted(broad) == ["engine/jobs.py", "engine/server.py"]


def test_nothing_that_makes_materials_takes_the_textbook():
    takers = [
        str(path.relative_to(ROOT))
        for path in modules("engine")
        if "engine.synthesis.textbook.Textbook" in imports(path)
    ]
    assert takers == ["engine/bench/contenders.py"]


def test_the_walk_sees_every_kind_of_import(tmp_path, monkeypatch):
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    path = tmp_path / "addon" / "link" / "x.py"
    path.parent.mkdir(parents=True)
    path.write_text(
        "import a.b\nfrom c import d\nfrom . import e\nfrom ..f import g\ndef late():\n    import bpy.types\n"
    )
    assert set(imports(path)) == {"a.b", "c.d", "addon.link.e", "addon.f.g", "bpy.types"}
    assert below("bpy.types", "bpy")
    assert not below("bpyx", "bpy")
