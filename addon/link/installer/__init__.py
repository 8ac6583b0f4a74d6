"""Installs the engine: a program of its own, run by any Python with nothing but the standard library.

The add-on starts it (see `installation` beside this package) and reads one JSON message a line from its
stdout: "progress", and at the end one of "done", "failed" and "cancelled". When its stdin closes, because
somebody cancels or Blender dies, it stops; the next run goes on where this one stopped.

What it makes is one folder: `program` (engine/, presets/, requirements/), `tools` (uv), `python` (an
interpreter of uv's, where the machine has no suitable one), `cache` (downloads, until all is done), `env`
(the engine's packages), `patina` (the engine as a command), the record of how far it is, and a log.
"""
