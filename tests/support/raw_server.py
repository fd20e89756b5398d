"""A minimal server, for replies that no real server sends."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

#: The name of a thread that serves a connection.
SERVER_THREAD = "raw server"

Behaviour = Callable[[socket.socket, bytes], None]


@contextlib.contextmanager
def raw_server(behave: Behaviour, certificate: Path | None = None) -> Iterator[str]:
    """
    Serve on loopback.

    :param behave: called with each connection and the head of its request (and any part of the body received with it).
    :param certificate: key and certificate, for TLS.
    :return: the base URL.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)

    def one(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            served = context.wrap_socket(connection, server_side=True) if context else connection
            with served:
                if head := read_head(served):
                    behave(served, head)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=one, args=(connection,), daemon=True, name=SERVER_THREAD).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


def read_head(connection: socket.socket) -> bytes:
    """Read the head of a request, with any part of the body; blank if the connection ends first."""
    head = b""
    while b"\r\n\r\n" not in head:
        part = connection.recv(65536)
        if not part:
            return b""
        head += part
    return head


def read_all(connection: socket.socket, head: bytes) -> bytes:
    """Read the rest of a request after its head, and return its body."""
    headers, _, body = head.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in headers.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
    )
    while len(body) < length:
        part = connection.recv(65536)
        if not part:
            break
        body += part
    return body


def answer(status: int, body: bytes = b"", length: int | None = None, *headers: str) -> bytes:
    """A whole reply, or one with a wrong ``Content-Length``."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


def self_signed(folder: Path, *, host: str = "127.0.0.1", days: int = 1) -> Path:
    """A key and a self-signed certificate in one file, valid for an address and a number of days."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=3))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
