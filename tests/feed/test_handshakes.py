"""Who only knocks at the door in the cluster keeps nobody else out, and a renewed certificate is served."""

from __future__ import annotations

import asyncio
import gc
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from opsroom.domain.board import Room
from opsroom.feed import handshakes, listening
from opsroom.feed.address import Address
from opsroom.feed.listening import Door, ListenError, listen
from opsroom.feed.published import Published, Viewer
from opsroom.feed.server import FeedApp

PATIENCE = 60.0


async def known(_token: str) -> Viewer:
    return Viewer()


def made(folder: Path) -> tuple[str, str]:
    """A certificate for this machine, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    names = str(folder / "tls.crt"), str(folder / "tls.key")
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    words += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", names[1], "-out", names[0]]
    subprocess.run(["openssl", *words], check=True, capture_output=True)
    return names


@asynccontextmanager
async def opened(certificate: tuple[str, str], make_room: Callable[[float], Room]) -> AsyncIterator[Door]:
    published = Published()
    published.publish(make_room(1.0), [])
    app = FeedApp(published, metrics=str, authorize=known)
    door = await listen(app, Address(host="127.0.0.1", tls=True), certificate=certificate)
    try:
        yield door
    finally:
        await door.close()


async def peer(door: Door) -> bytes:
    """The certificate that is shown to who shakes hands; ConnectionError where the door does not."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection("127.0.0.1", door.address.port, ssl=context)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 200")
    found: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return found


async def served(door: Door) -> bool:
    try:
        await peer(door)
    except (ConnectionError, ssl.SSLError):
        return False
    return True


async def silent(door: Door) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", door.address.port)


def test_who_knocks_and_says_nothing_is_counted_and_gives_way_when_it_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_room: Callable[[float], Room]
) -> None:
    monkeypatch.setattr(handshakes, "HANDSHAKES_MAX", 3)
    monkeypatch.setattr(handshakes, "HANDSHAKE_SECONDS", 10 * PATIENCE)
    monkeypatch.setattr(listening, "HANDSHAKE_SECONDS", 10 * PATIENCE)

    async def run() -> None:
        async with asyncio.timeout(PATIENCE), opened(made(tmp_path), make_room) as door:
            for _ in range(5):
                # Those that have shaken hands do not count.
                await peer(door)
            callers = [await silent(door) for _ in range(3)]
            while await served(door):  # until all three have been accepted
                pass
            for _, writer in callers:
                writer.close()
            while not await served(door):
                gc.collect()  # at the latest they count no more after HANDSHAKE_SECONDS

    asyncio.run(run())


def test_a_handshake_that_does_not_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_room: Callable[[float], Room]
) -> None:
    monkeypatch.setattr(listening, "HANDSHAKE_SECONDS", 0.2)

    async def run() -> None:
        async with asyncio.timeout(PATIENCE), opened(made(tmp_path), make_room) as door:
            reader, writer = await silent(door)
            assert await reader.read() == b""
            writer.close()

    asyncio.run(run())


def test_a_renewed_certificate_is_served_and_a_broken_one_is_not(
    tmp_path: Path, make_room: Callable[[float], Room]
) -> None:
    async def run() -> None:
        names = made(tmp_path)
        async with asyncio.timeout(PATIENCE), opened(names, make_room) as door:
            first = await peer(door)
            await asyncio.to_thread(Path(names[0]).write_text, "half a cert")
            assert await peer(door) == first
            made(tmp_path)
            assert await peer(door) != first

    asyncio.run(run())


def test_files_that_are_no_certificate_are_named(tmp_path: Path) -> None:
    files = tmp_path / "tls.crt", tmp_path / "tls.key"
    for file in files:
        file.write_text("nothing")

    async def run() -> None:
        app = FeedApp(Published(), metrics=str, authorize=known)
        await listen(app, Address(host="127.0.0.1", tls=True), certificate=(str(files[0]), str(files[1])))

    with pytest.raises(ListenError, match="no certificate and its key") as error:
        asyncio.run(run())
    assert error.value.fix
