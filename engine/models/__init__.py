"""Networks and their weights. Nothing here knows of prompts, files of results or messages."""
