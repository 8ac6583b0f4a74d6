"""An engine's body becomes a process, and an Engine that talks to it."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

ADDON = Path(__file__).resolve().parents[3] / "addon"

try:
    import bpy  # noqa: F401
except ImportError:  # the add-on's own __init__ needs it; what is tested here does not
    package = ModuleType("addon")
    package.__path__ = [str(ADDON)]
    sys.modules["addon"] = package

from addon.link import Engine, Launch  # noqa: E402
from tests.addon.link.fake import TALK, Clock  # noqa: E402


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def launch_of(tmp_path: Path) -> Callable[[str], Launch]:
    """Writes an engine with the given body and says how to start it."""

    def make(body: str) -> Launch:
        package = tmp_path / "engine"
        package.mkdir(exist_ok=True)
        (package / "__init__.py").write_text("")
        (package / "__main__.py").write_text(TALK + textwrap.dedent(body))
        return Launch(Path(sys.executable), tmp_path, tmp_path / "logs")

    return make


@pytest.fixture
def engine_of(launch_of: Callable[[str], Launch], clock: Clock) -> Iterator[Callable[[str], Engine]]:
    """An Engine with the given body, closed when the test is over."""
    made: list[Engine] = []

    def make(body: str) -> Engine:
        launch = launch_of(body)
        made.append(Engine(lambda: launch, clock))
        return made[-1]

    yield make
    for engine in made:
        engine.close()
