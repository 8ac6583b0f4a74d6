"""The CLIP-guided loop: numbers in, numbers out."""
