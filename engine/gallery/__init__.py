"""The gallery: every feature on a sheet of its own, made by the commands that stand beside it."""
