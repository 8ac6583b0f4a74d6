"""The starter pack: procedural materials, their captions, and the training of its networks."""
