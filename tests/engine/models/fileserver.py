"""A web server of this machine's own, with files and faults, and as much of the hub as needed."""

from __future__ import annotations

import hashlib
import http.server
import re
import threading
from dataclasses import dataclass, field

import huggingface_hub

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Served:
    """One file. `cuts`: after how many bytes of each answer in turn the connection breaks; None: not."""

    data: bytes
    cuts: list = field(default_factory=list)
    ranges: bool = True
    etag: str | None = None
    status: int | None = None
    content_type: str = "application/octet-stream"
    location: str | None = None


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, *, body):
        server = self.server
        path = re.sub(rf"/resolve/(main|{COMMIT})/", "/", self.path)
        served = server.files.get(path)
        asked = self.headers.get("Range")
        server.asked.append((self.command, path, asked))
        if served is None or served.status:
            self.send_response(404 if served is None else served.status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if served.location:
            self.send_response(302)
            self.send_header("Location", served.location)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        etag = served.etag or f'"{hashlib.sha256(served.data).hexdigest()}"'
        start = 0
        if asked and served.ranges and self.headers.get("If-Range", etag) == etag:
            start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
        if start >= len(served.data) and start:
            self.send_response(416)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(served.data) - 1}/{len(served.data)}")
        self.send_header("Content-Length", str(len(served.data) - start))
        self.send_header("Content-Type", served.content_type)
        self.send_header("ETag", etag)
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if body:
            rest = served.data[start:]
            cut = served.cuts.pop(0) if served.cuts else None
            self.wfile.write(rest if cut is None else rest[:cut])
            self.close_connection = True


class FileServer(http.server.ThreadingHTTPServer):
    """Files by path. `asked`: (method, path, Range) of every request."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.asked = {}, []
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def close(self):
        self.shutdown()
        self.server_close()
        self.thread.join()


def settle_hub(monkeypatch, url, cache):
    """A server as huggingface_hub's hub, a folder as its cache, as HF_ENDPOINT and HF_HUB_CACHE do."""
    constants = huggingface_hub.constants
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
