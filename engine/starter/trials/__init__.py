"""Trials: two ways to train a network, at a size that two cores carry, measured side by side.

python -m engine trial teacher
"""
