"""Published weights: read without running anything in them, and written once in our own form."""
