"""The engine process as Blender sees it. Nothing in here imports bpy, so it is tested without Blender."""

from .engine import Cancelled, Engine, Failed, Finished, Preview, Progress, State
from .errors import EngineError
from .process import Launch

__all__ = [
    "Cancelled",
    "Engine",
    "EngineError",
    "Failed",
    "Finished",
    "Launch",
    "Preview",
    "Progress",
    "State",
]
