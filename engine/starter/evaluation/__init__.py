"""How good a pack is, measured on materials and prompts that training never saw.

Each part is a function from networks and materials to a dictionary of figures; `parts.measure` runs the
wanted ones, `report` writes them down for people.
"""
