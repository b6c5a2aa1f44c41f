"""Fetches one file over https: resumable, through proxies, checked. Nothing in it is opened or run here."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import re
import shutil
import socket
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import unquote, urlsplit, urlunsplit

from medview.core.atomic import write_error
from medview.core.errors import MedViewError, PackError
from medview.core.job import JobContext
from medview.core.language import _
from medview.ml.packs import LARGEST_PACK_BYTES, sha256_of

_TIMEOUT_S = 30.0
_CHUNK = 1 << 18
_TRIES = 3
"""A connection that breaks is taken up again from where it broke, so often in a row without a byte gained."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a file is, and what it must be.

    Attributes
    ----------
    sha256 : str
        Hexadecimal checksum that the file must have, or empty.
    """

    url: str
    sha256: str = ""

    @classmethod
    def parse(cls, text: str, sha256: str = "") -> Address:
        """Read an https address; a checksum may stand behind it as ``#sha256=<64 hexadecimal digits>``.

        Raises
        ------
        PackError
            When it is no https address (http is for this computer itself only), or the checksum is none.
        """
        try:
            parts = urlsplit(text.strip())
            host, _port = parts.hostname or "", parts.port
        except ValueError as error:
            raise PackError(f"{text.strip()} is not a web address.", detail=str(error)) from error
        if parts.scheme not in ("https", "http") or not host:
            raise PackError(f"{text.strip()} is not a web address; give one that begins with https://.")
        if parts.scheme == "http" and not _is_this_computer(host):
            raise PackError(f"Over http anybody on the way to {host} can change the file; give an https address.")
        if parts.username is not None or parts.password is not None:
            raise PackError(f"The address at {host} holds a name or a password; give it without.")
        said = parts.fragment.removeprefix("sha256=") if parts.fragment.startswith("sha256=") else ""
        checksum = (sha256.strip() or said).lower()
        if checksum and not _SHA256.fullmatch(checksum):
            raise PackError(f"The checksum for {host} is not one; a SHA-256 has 64 hexadecimal digits.")
        return cls(urlunsplit(parts._replace(fragment="")), checksum)

    @property
    def host(self) -> str:
        """For messages."""
        return urlsplit(self.url).hostname or ""

    @property
    def file_name(self) -> str:
        """A plain file name made of the end of the address."""
        name = PurePosixPath(unquote(urlsplit(self.url).path)).name
        return _SAFE.sub("_", name).strip("._")[:80] or "download"


def download(address: Address, folder: Path, context: JobContext) -> Path:
    """Fetch a file into a folder and return its path; what an earlier attempt got is kept and gone on from.

    Proxies and certificates are those of the environment (``HTTPS_PROXY``, ``NO_PROXY``, ``SSL_CERT_FILE``).

    Raises
    ------
    PackError
        When it cannot be had, is larger than a pack may be, or has another checksum. What is whole so far stays on the
        disk for the next attempt, except after a wrong checksum.
    CancelledError
        When the job was cancelled; what is there stays.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part = _Part.of(address, folder)
        _fetch(address, part, context)
        context.raise_if_cancelled()
        if address.sha256 and sha256_of(part.path) != address.sha256:
            part.forget()
            raise PackError(
                f"What {address.host} sent is not the file that was asked for: its checksum differs. It was deleted; "
                "ask whoever gave you the address."
            )
        target = folder / address.file_name
        part.path.replace(target)
        part.forget()
    except OSError as error:
        raise write_error(folder, error) from error
    return target


class _Part:
    """What is there of a file, and which version of it on the server that is of."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._facts = path.with_suffix(".json")

    @classmethod
    def of(cls, address: Address, folder: Path) -> _Part:
        key = hashlib.sha256(f"{address.url}#{address.sha256}".encode()).hexdigest()[:24]
        return cls(folder / f"{key}.part")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    @property
    def version(self) -> str:
        """The server's word for this version of the file; without one nothing can be gone on with."""
        try:
            found = json.loads(self._facts.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ""
        return found if isinstance(found, str) else ""

    def note(self, version: str) -> None:
        self._facts.write_text(json.dumps(version), encoding="utf-8")

    def forget(self) -> None:
        for path in (self.path, self._facts):
            path.unlink(missing_ok=True)


def _fetch(address: Address, part: _Part, context: JobContext) -> None:
    opener = urllib.request.build_opener(_NoDowngrade())
    vain = 0
    while True:
        before = part.size
        try:
            with _asked(opener, address, part) as answer:
                if _take(address, answer, part, context):
                    return
            trouble: Exception = ConnectionError("the connection ended early")
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416 and part.size:
                if address.sha256 and sha256_of(part.path) == address.sha256:
                    return
                # There is no more than what is there, or the file is another one now: from the start, once.
                part.forget()
                vain += 1
                trouble = error
            else:
                raise _refused(address, error) from error
        except (urllib.error.URLError, HTTPException, ConnectionError, TimeoutError, ssl.SSLError) as error:
            if _hopeless(error):
                raise _unreachable(address, error) from error
            trouble = error
        vain = 0 if part.size > before else vain + 1
        if vain >= _TRIES:
            raise _unreachable(address, trouble) from trouble
        context.raise_if_cancelled()


def _asked(opener: urllib.request.OpenerDirector, address: Address, part: _Part) -> HTTPResponse:
    request = urllib.request.Request(address.url, headers={"User-Agent": "MedView", "Accept-Encoding": "identity"})
    if part.size and part.version:
        request.add_header("Range", f"bytes={part.size}-")
        request.add_header("If-Range", part.version)
    answer = opener.open(request, timeout=_TIMEOUT_S)
    assert isinstance(answer, HTTPResponse)
    return answer


def _take(address: Address, answer: HTTPResponse, part: _Part, context: JobContext) -> bool:
    """Write what comes; return whether that was all of it."""
    goes_on = answer.status == 206 and _start(answer) == part.size
    if not goes_on and answer.status == 206:
        part.forget()
        return False
    have = part.size if goes_on else 0
    length = answer.headers.get("Content-Length", "")
    whole = have + int(length) if length.isdigit() else None
    if whole is not None and whole > LARGEST_PACK_BYTES:
        raise PackError(f"The file at {address.host} has {whole / 1e9:.0f} GB, more than a model may have.")
    if whole is not None and shutil.disk_usage(part.path.parent).free < whole - have:
        raise PackError(f"There is no room for the {whole / 1e6:.0f} MB from {address.host}; free some and try again.")
    part.note(_version(answer))
    with part.path.open("ab" if goes_on else "wb") as file:
        got = _copy(address, answer, file, have, whole, context)
        file.flush()
        os.fsync(file.fileno())
    return got == whole if whole is not None else True


def _copy(
    address: Address, answer: HTTPResponse, file: IO[bytes], have: int, whole: int | None, context: JobContext
) -> int:
    """Write chunks until there are no more; return how many bytes of the file are there then."""
    while True:
        context.raise_if_cancelled()
        chunk = answer.read1(_CHUNK)
        if not chunk:
            return have
        file.write(chunk)
        have += len(chunk)
        if have > (LARGEST_PACK_BYTES if whole is None else whole):
            raise PackError(f"{address.host} sends more than a model may have; it was stopped.")
        megabytes = f"{have / 1e6:.0f}" if whole is None else f"{have / 1e6:.0f} / {whole / 1e6:.0f}"
        fraction = have / whole if whole else 0.0
        context.progress(fraction, _("{megabytes} MB from {host}").format(megabytes=megabytes, host=address.host))


def _version(answer: HTTPResponse) -> str:
    """Return what tells this version of the file from another (RFC 9110, 13.1.5): a strong ETag, else its date."""
    tag = answer.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")


def _start(answer: HTTPResponse) -> int:
    found = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return int(found.group(1)) if found else -1


class _NoDowngrade(urllib.request.HTTPRedirectHandler):
    """Follows redirects from https to https only."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        """Return the request for the next address. Raises PackError where that is less safe than the first."""
        Address.parse(newurl)
        if req.type == "https" and not newurl.startswith("https:"):
            raise PackError(f"{req.host} sends the download on to {newurl}, which is not https; it was not followed.")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _hopeless(error: Exception) -> bool:
    """Whether trying again at once cannot help."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return isinstance(reason, ssl.SSLCertVerificationError | socket.gaierror) or "407" in str(reason)


def _refused(address: Address, error: urllib.error.HTTPError) -> MedViewError:
    if error.code == 407:
        return _unreachable(address, error)
    said = {
        401: "asks for a name and a password, which MedView does not send",
        403: "does not give the file out",
        404: "has no such file",
        410: "no longer has the file",
        429: "has had too many requests; try again later",
    }
    why = said.get(error.code, f"answered with error {error.code}; try again later")
    return PackError(f"{address.host} {why}.", detail=f"{error.code} {error.reason} {address.url}")


def _unreachable(address: Address, error: Exception) -> MedViewError:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, ssl.SSLCertVerificationError):
        text = (
            f"{address.host} cannot prove who it is, so nothing was fetched; where a proxy of your network looks into "
            "connections, set SSL_CERT_FILE to its certificate."
        )
    elif "407" in str(reason):
        text = f"The proxy on the way to {address.host} asks for a password; set HTTPS_PROXY with one."
    elif isinstance(reason, TimeoutError):
        text = f"{address.host} does not answer; what was fetched is kept, try again later."
    elif isinstance(reason, socket.gaierror):
        text = f"{address.host} is not found; check the address, the network and HTTPS_PROXY."
    else:
        text = f"The connection to {address.host} broke; what was fetched is kept, try again later."
    return PackError(text, detail=f"{type(reason).__name__}: {reason}")


def _is_this_computer(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
