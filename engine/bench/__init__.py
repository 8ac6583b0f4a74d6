"""How fast our loop is beside the published one: `python -m engine bench`."""
