"""The engine process as Blender sees it. Nothing in here imports bpy, so it is tested without Blender."""

from .engine import Engine, State
from .errors import EngineError
from .events import Cancelled, Event, Failed, Finished, Preview, Progress
from .process import Launch

__all__ = [
    "Cancelled",
    "Engine",
    "EngineError",
    "Event",
    "Failed",
    "Finished",
    "Launch",
    "Preview",
    "Progress",
    "State",
]
