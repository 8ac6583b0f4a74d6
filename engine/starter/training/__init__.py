"""Training of the starter networks, stage after stage: see `pipeline`; its sizes are data, see `sizes`."""
