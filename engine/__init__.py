"""Patina's engine: a prompt goes in, ranked and seamless PBR materials come out. No bpy here."""

__version__ = "0.1.0"
