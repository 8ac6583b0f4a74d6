"""An artist's textures: what is on them, and finding them again by words or by a picture."""
