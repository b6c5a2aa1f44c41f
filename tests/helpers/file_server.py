"""A server of files on the loopback that fails on request, and a proxy in front of it."""

from __future__ import annotations

import select
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


@dataclass
class Served:
    """What the server gives out and how it behaves.

    Attributes
    ----------
    breaks : list of int
        After how many bytes each of the next answers ends early.
    status : int
        Answers with this error instead, or 0.
    ranges : bool
        Whether it can begin in the middle.
    asked : list of str
        The Range header of each request, or empty.
    """

    data: bytes = b""
    etag: str = '"one"'
    breaks: list[int] = field(default_factory=list)
    status: int = 0
    redirect: str = ""
    ranges: bool = True
    says_length: bool = True
    asked: list[str] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)


class _Files(BaseHTTPRequestHandler):
    served: Served

    def do_GET(self) -> None:
        served = self.served
        wanted = self.headers.get("Range", "")
        served.asked.append(wanted)
        served.agents.append(self.headers.get("User-Agent", ""))
        if served.status or served.redirect:
            self.send_response(served.status or 302)
            if served.redirect:
                self.send_header("Location", served.redirect)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = 0
        if wanted and served.ranges and self.headers.get("If-Range") == served.etag:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(served.data):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(served.data) - 1}/{len(served.data)}")
        else:
            self.send_response(200)
        self.send_header("ETag", served.etag)
        if served.says_length:
            self.send_header("Content-Length", str(len(served.data) - start))
        self.end_headers()
        end = start + served.breaks.pop(0) if served.breaks else len(served.data)
        self.wfile.write(served.data[start:end])
        if end < len(served.data):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_args: object) -> None:
        """Keep quiet."""


class _Proxy(BaseHTTPRequestHandler):
    """Passes tunnels on (CONNECT) and notes where to."""

    asked: list[str]
    password_wanted: bool

    def do_CONNECT(self) -> None:
        self.asked.append(self.path)
        if self.password_wanted:
            self.send_error(407)
            return
        host, port = self.path.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=10) as far:
            self.send_response(200)
            self.end_headers()
            self._relay(far)

    def _relay(self, far: socket.socket) -> None:
        ends = {self.connection: far, far: self.connection}
        while True:
            ready, _, _ = select.select(list(ends), [], [], 10)
            for one in ready:
                data = one.recv(1 << 16)
                if not data:
                    return
                ends[one].sendall(data)
            if not ready:
                return

    def log_message(self, *_args: object) -> None:
        """Keep quiet."""


@contextmanager
def _running(handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None = None) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    # A browser that goes away is no error of the server.
    server.handle_error = lambda *_args: None  # type: ignore[method-assign]  # the class says to override it
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def http_files(served: Served) -> Iterator[str]:
    """Serve over http; yield the address of the file."""
    with _running(type("Files", (_Files,), {"served": served})) as port:
        yield f"http://127.0.0.1:{port}/packs/organs-1.0.zip"


@contextmanager
def https_files(served: Served, folder: Path) -> Iterator[tuple[str, Path]]:
    """Serve over https with a certificate of our own making; yield the address and the certificate."""
    if shutil.which("openssl") is None:
        pytest.skip("making a certificate needs openssl")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    wanted = "-x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", "req", *wanted.split(), *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with _running(type("Files", (_Files,), {"served": served}), context) as port:
        yield f"https://localhost:{port}/packs/organs-1.0.zip", certificate


@contextmanager
def proxy(asked: list[str], *, password_wanted: bool = False) -> Iterator[str]:
    """Run a proxy that notes where it was asked to go; yield its address."""
    with _running(type("Proxy", (_Proxy,), {"asked": asked, "password_wanted": password_wanted})) as port:
        yield f"http://127.0.0.1:{port}"
