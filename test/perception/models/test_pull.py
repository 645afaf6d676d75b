"""Pulling from a server on this machine: cut connections, wrong files, servers without ranges, a full disk."""

from __future__ import annotations

import errno
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from adas_runtime.perception.models import pull as pulling
from adas_runtime.perception.models.pull import PullError, pull

BODY = hashlib.shake_256(b"a model").digest(700_000)
SHA = hashlib.sha256(BODY).hexdigest()


@dataclass
class Server:
    """A server on this machine, and how it behaves.

    Args:
        url: Of the file.
        body: What it sends.
        cuts: How many bytes each answer sends before it hangs up; afterwards all.
        has_ranges: It knows Range.
        status: It answers this instead.
        asked: Range of each request, empty without one.
    """

    url: str = ""
    body: bytes = BODY
    cuts: list[int] = field(default_factory=list)
    has_ranges: bool = True
    status: int = 200
    is_mute: bool = False
    is_length_told: bool = True
    shifts: int = 0
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.headers.get("Range", ""))
            if state.status != 200:
                self.send_error(state.status)
                return
            start = 0
            if state.has_ranges and self.headers.get("Range"):
                start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
                if start >= len(state.body):
                    self.send_error(416)
                    return
                start = max(start - state.shifts, 0)
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(state.body) - 1}/{len(state.body)}")
            else:
                self.send_response(200)
            if state.is_length_told:
                self.send_header("Content-Length", str(len(state.body) - start))
            self.end_headers()
            rest = state.body[start:]
            self.wfile.write(rest[: state.cuts.pop(0)] if state.cuts else rest)

        def log_message(self, *_args: Any) -> None:
            pass

    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{web.server_address[1]}/model.onnx"
    yield state
    web.shutdown()
    web.server_close()
    thread.join()


def fetch(server: Server, target: Path, **changed: Any) -> pulling.Pulled:
    more = {"sha256": SHA, "size_bytes": len(BODY), "timeout_s": 5.0, **changed}
    return pull(server.url, target=target, **more)


def part_of(target: Path) -> Path:
    return target.with_name(f"{SHA}.part")


def assert_refused(server: Server, target: Path, words: str, **changed: Any) -> None:
    with pytest.raises(PullError) as caught:
        fetch(server, target, **changed)
    assert words in caught.value.line()
    assert caught.value.where and caught.value.mend
    assert not target.exists(), "what is not proven never has the name of a whole file"


def test_a_file_comes_whole_and_once(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "store" / "model.onnx"
    seen: list[int] = []
    done = fetch(server, target, progress=lambda now, _whole: seen.append(now))
    assert target.read_bytes() == BODY
    assert done.fetched_bytes == len(BODY)
    assert seen == sorted(seen) and seen[-1] == len(BODY)
    assert [path.name for path in target.parent.iterdir()] == ["model.onnx"]
    assert fetch(server, target).fetched_bytes == 0
    assert len(server.asked) == 1, "what is here is not fetched again"


def test_a_cut_connection_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    server.cuts = [300_000, 100_000]
    target = tmp_path / "model.onnx"
    assert fetch(server, target).fetched_bytes == len(BODY)
    assert target.read_bytes() == BODY
    assert server.asked == ["", "bytes=300000-", "bytes=400000-"]


def test_a_pull_that_gave_up_goes_on_the_next_time(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "model.onnx"
    server.cuts = [300_000, 0, 0]
    assert_refused(server, target, f"at 300000 of {len(BODY)} bytes", tries=2)
    assert part_of(target).stat().st_size == 300_000
    done = fetch(server, target)
    assert (done.resumed_bytes, done.fetched_bytes) == (300_000, 400_000)
    assert target.read_bytes() == BODY


def test_a_server_without_ranges_sends_all_again(server: Server, tmp_path: Path) -> None:
    server.has_ranges = False
    server.cuts = [300_000]
    target = tmp_path / "model.onnx"
    fetch(server, target)
    assert target.read_bytes() == BODY


def test_a_server_that_never_gets_through_without_ranges_is_given_up(server: Server, tmp_path: Path) -> None:
    server.has_ranges = False
    server.cuts = [300_000] * 50
    assert_refused(server, tmp_path / "model.onnx", "cut", tries=3)
    assert len(server.asked) <= 4


def test_a_server_that_sends_another_part_does_not_spoil_the_file(server: Server, tmp_path: Path) -> None:
    server.cuts, server.shifts = [300_000], 1
    target = tmp_path / "model.onnx"
    fetch(server, target)
    assert target.read_bytes() == BODY


def test_another_file_is_thrown_away(server: Server, tmp_path: Path) -> None:
    server.body = BODY[:-1] + bytes([BODY[-1] ^ 1])
    target = tmp_path / "model.onnx"
    assert_refused(server, target, "another sha256")
    assert list(tmp_path.iterdir()) == []


def test_a_bad_half_of_an_earlier_try_is_fetched_anew(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "model.onnx"
    part_of(target).write_bytes(b"x" * 1000)
    fetch(server, target)
    assert target.read_bytes() == BODY


@pytest.mark.parametrize("size", [len(BODY), len(BODY) + 5])
def test_an_earlier_part_that_is_full_but_wrong_is_fetched_anew(server: Server, tmp_path: Path, size: int) -> None:
    target = tmp_path / "model.onnx"
    part_of(target).write_bytes(b"x" * size)
    fetch(server, target)
    assert target.read_bytes() == BODY


def test_a_whole_file_of_another_hash_is_replaced_only_by_the_right_one(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "model.onnx"
    target.write_bytes(b"older")
    server.status = 404
    with pytest.raises(PullError):
        fetch(server, target)
    assert target.read_bytes() == b"older"
    server.status = 200
    fetch(server, target)
    assert target.read_bytes() == BODY


@pytest.mark.parametrize(("status", "asked"), [(404, 1), (403, 1), (503, 3)])
def test_a_server_that_says_no(server: Server, tmp_path: Path, status: int, asked: int) -> None:
    server.status = status
    assert_refused(server, tmp_path / "model.onnx", f"the server answers {status}", tries=3)
    assert len(server.asked) == asked, "only what may pass is tried again"


@pytest.mark.parametrize("is_length_told", [True, False])
def test_a_server_that_sends_more_is_stopped(server: Server, tmp_path: Path, is_length_told: bool) -> None:
    server.body, server.is_length_told = BODY * 3, is_length_told
    target = tmp_path / "model.onnx"
    assert_refused(server, target, f"{len(BODY)}")
    assert not part_of(target).exists() or part_of(target).stat().st_size <= len(BODY)


def test_no_server_there(server: Server, tmp_path: Path) -> None:
    server.url = "http://127.0.0.1:9/model.onnx"
    assert_refused(server, tmp_path / "model.onnx", "cut", tries=2)


def test_a_full_disk_is_told_and_the_part_kept(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The full disk is simulated: the second write fails as it does there."""
    real, calls = pulling._write, 0

    def filling(stream: Any, chunk: bytes) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(stream, chunk)

    monkeypatch.setattr(pulling, "_write", filling)
    target = tmp_path / "model.onnx"
    assert_refused(server, target, "the disk is full")
    kept = part_of(target).stat().st_size
    assert 0 < kept < len(BODY)
    monkeypatch.setattr(pulling, "_write", real)
    assert fetch(server, target).resumed_bytes == kept
    assert target.read_bytes() == BODY


def test_a_folder_that_cannot_be_written_is_one_line(server: Server, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("x")
    assert_refused(server, blocked / "model.onnx", "cannot be written")


def test_two_pulls_of_one_file_do_not_mix(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "model.onnx"
    refused: list[str] = []

    def once(now: int, _whole: int) -> None:
        if not refused:
            with pytest.raises(PullError) as caught:
                fetch(server, target)
            refused.append(caught.value.line())

    fetch(server, target, progress=once)
    assert "another pull of this file is under way" in refused[0]
    assert target.read_bytes() == BODY


def test_https_is_never_left_for_plain_http() -> None:
    import io
    import urllib.error
    import urllib.request
    from email.message import Message

    handler = pulling._NoDowngrade()
    secure = urllib.request.Request("https://example.org/model.onnx")
    with pytest.raises(urllib.error.HTTPError, match="insecure"):
        handler.redirect_request(secure, io.BytesIO(), 302, "Found", Message(), "http://example.org/model.onnx")
    further = handler.redirect_request(secure, io.BytesIO(), 302, "Found", Message(), "https://other.org/model.onnx")
    assert further.full_url == "https://other.org/model.onnx"
