"""Downloads, from servers on this computer that behave well and badly."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from medview.core.errors import CancelledError, PackError
from medview.core.job import Inline
from medview.ml.download import Address, download
from tests.helpers.file_server import Served, http_files, https_files, proxy

DATA = np.random.default_rng(0).integers(0, 256, 3_000_000, dtype=np.uint8).tobytes()
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class CancelAfter(Inline):
    """Cancels once so many bytes' worth of progress was told."""

    def __init__(self, fraction: float) -> None:
        super().__init__()
        self._at = fraction
        self.told: list[tuple[float, str]] = []

    def progress(self, fraction: float, text: str) -> None:
        self.told.append((fraction, text))
        if fraction >= self._at:
            self.cancel()


def test_a_file_arrives_whole_under_its_own_name_with_progress(tmp_path: Path) -> None:
    watch = CancelAfter(2.0)
    with http_files(Served(DATA)) as url:
        path = download(Address.parse(url, SHA256), tmp_path, watch)
    assert path == tmp_path / "organs-1.0.zip"
    assert path.read_bytes() == DATA
    assert [p.name for p in tmp_path.iterdir()] == ["organs-1.0.zip"]
    assert watch.told[-1] == (1.0, "3 / 3 MB from 127.0.0.1")


def test_broken_connections_are_taken_up_where_they_broke(tmp_path: Path) -> None:
    served = Served(DATA, breaks=[1_000_000, 700_000, 5])
    with http_files(served) as url:
        path = download(Address.parse(url, SHA256), tmp_path, Inline())
    assert path.read_bytes() == DATA
    assert served.asked == ["", "bytes=1000000-", "bytes=1700000-", "bytes=1700005-"]


def test_what_was_fetched_before_a_cancel_is_gone_on_with_in_the_next_attempt(tmp_path: Path) -> None:
    served = Served(DATA)
    with http_files(served) as url:
        with pytest.raises(CancelledError):
            download(Address.parse(url, SHA256), tmp_path, CancelAfter(0.4))
        path = download(Address.parse(url, SHA256), tmp_path, Inline())
    assert path.read_bytes() == DATA
    begun = int(served.asked[1].removeprefix("bytes=").rstrip("-"))
    assert 0.4 * len(DATA) <= begun < len(DATA)


def test_another_version_on_the_server_is_fetched_from_its_start(tmp_path: Path) -> None:
    served = Served(DATA)
    with http_files(served) as url:
        with pytest.raises(CancelledError):
            download(Address.parse(url), tmp_path, CancelAfter(0.5))
        served.data, served.etag = DATA[::-1], '"two"'
        path = download(Address.parse(url), tmp_path, Inline())
    assert path.read_bytes() == DATA[::-1]


@pytest.mark.parametrize("change", [{"ranges": False}, {"etag": 'W/"weak"'}, {"says_length": False}])
def test_servers_that_cannot_begin_in_the_middle_are_asked_again_from_the_start(
    tmp_path: Path, change: dict[str, object]
) -> None:
    served = Served(DATA)
    for name, value in change.items():
        setattr(served, name, value)
    with http_files(served) as url:
        with pytest.raises(CancelledError):
            download(Address.parse(url), tmp_path, CancelAfter(0.0 if "says_length" in change else 0.5))
        path = download(Address.parse(url, SHA256), tmp_path, Inline())
    assert path.read_bytes() == DATA


def test_a_server_that_only_breaks_is_given_up_in_words_and_what_came_is_kept(tmp_path: Path) -> None:
    served = Served(DATA, breaks=[500_000, *[0] * 20])
    with (
        http_files(served) as url,
        pytest.raises(PackError, match=r"The connection to 127.0.0.1 broke; what was fetched is kept"),
    ):
        download(Address.parse(url, SHA256), tmp_path, Inline())
    assert [p.stat().st_size for p in tmp_path.glob("*.part")] == [500_000]


def test_a_file_with_another_checksum_is_deleted(tmp_path: Path) -> None:
    with http_files(Served(DATA)) as url, pytest.raises(PackError, match="its checksum differs"):
        download(Address.parse(f"{url}#sha256={'0' * 64}"), tmp_path, Inline())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, "asks for a name and a password"),
        (403, "does not give the file out"),
        (404, "has no such file"),
        (503, "answered with error 503"),
    ],
)
def test_refusals_are_one_sentence(tmp_path: Path, status: int, sentence: str) -> None:
    with http_files(Served(DATA, status=status)) as url, pytest.raises(PackError) as caught:
        download(Address.parse(url), tmp_path, Inline())
    assert sentence in caught.value.sentence
    assert caught.value.sentence.startswith("127.0.0.1")


def test_nobody_there_is_said(tmp_path: Path) -> None:
    with http_files(Served(DATA)) as url:
        pass
    with pytest.raises(PackError, match="broke"):
        download(Address.parse(url), tmp_path, Inline())


@pytest.mark.parametrize("said", [9 << 30, 1 << 62])
def test_more_than_a_model_may_have_is_refused_before_a_byte_is_kept(
    tmp_path: Path, said: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Large(bytes):
        def __len__(self) -> int:
            return said

    with http_files(Served(Large(b"x"))) as url, pytest.raises(PackError, match="more than a model may have"):
        download(Address.parse(url), tmp_path, Inline())
    assert list(tmp_path.glob("*.part")) == []


def test_a_disk_without_room_is_said_before_anything_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        free = 1000

    monkeypatch.setattr("medview.ml.download.shutil.disk_usage", lambda _path: Full)
    with http_files(Served(DATA)) as url, pytest.raises(PackError, match="no room for the 3 MB"):
        download(Address.parse(url), tmp_path, Inline())


def test_https_is_believed_only_with_a_certificate_that_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with https_files(Served(DATA), tmp_path) as (url, certificate):
        with pytest.raises(PackError, match="localhost cannot prove who it is"):
            download(Address.parse(url, SHA256), tmp_path / "one", Inline())
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        path = download(Address.parse(url, SHA256), tmp_path / "two", Inline())
        assert path.read_bytes() == DATA


def test_the_proxy_of_the_environment_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    with https_files(Served(DATA), tmp_path) as (url, certificate):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with proxy(asked) as through:
            monkeypatch.setenv("HTTPS_PROXY", through)
            path = download(Address.parse(url, SHA256), tmp_path / "files", Inline())
        assert path.read_bytes() == DATA
        assert asked == [url.removeprefix("https://").split("/")[0]]


def test_a_proxy_that_wants_a_password_is_said_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    with proxy(asked, password_wanted=True) as through:
        monkeypatch.setenv("HTTPS_PROXY", through)
        with pytest.raises(PackError, match=r"The proxy on the way to models.example asks for a password"):
            download(Address.parse("https://models.example/organs.zip"), tmp_path, Inline())
    assert asked == ["models.example:443"]


def test_a_redirect_away_from_https_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Served(DATA)
    with http_files(plain) as target, https_files(Served(DATA, redirect=target), tmp_path) as (url, certificate):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with pytest.raises(PackError, match="is not https; it was not followed"):
            download(Address.parse(url), tmp_path / "files", Inline())
    assert plain.asked == []


def test_a_redirect_within_the_rules_is_followed(tmp_path: Path) -> None:
    with http_files(Served(DATA)) as target, http_files(Served(redirect=target)) as url:
        assert download(Address.parse(url, SHA256), tmp_path, Inline()).read_bytes() == DATA


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("http://models.example/organs.zip", "Over http anybody on the way to models.example can change the file"),
        ("ftp://models.example/organs.zip", "is not a web address"),
        ("file:///etc/passwd", "is not a web address"),
        ("https://", "is not a web address"),
        ("https://[::1", "is not a web address"),
        ("https://me:secret@models.example/organs.zip", "holds a name or a password"),
        ("https://models.example/organs.zip#sha256=12ab", "64 hexadecimal digits"),
    ],
)
def test_addresses_that_are_none_are_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(PackError) as caught:
        Address.parse(text)
    assert sentence in caught.value.sentence
    assert "secret" not in caught.value.sentence


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://m.example/a/organs-1.0.zip?download=1", "organs-1.0.zip"),
        ("https://m.example/", "download"),
        ("https://m.example/%2e%2e%2fpasswd", "passwd"),
        ("https://m.example/a%00b%20c.zip", "a_b_c.zip"),
        ("https://m.example/..", "download"),
    ],
)
def test_nothing_of_an_address_builds_a_path(url: str, name: str) -> None:
    assert Address.parse(url).file_name == name


def test_the_checksum_may_stand_behind_the_address() -> None:
    address = Address.parse(f"https://m.example/x.zip#sha256={SHA256.upper()}")
    assert address == Address("https://m.example/x.zip", SHA256)
