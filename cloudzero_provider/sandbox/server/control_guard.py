"""
Access control for the page and the control API under ``/sandbox``, which need no API key.

Otherwise a web page of another origin could reset a developer's sandbox, and through DNS rebinding also read it.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from cloudzero_provider.sandbox.server.keys import KeyRing

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: Allows any host.
ANY_HOST = "*"
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def is_control_path(path: str) -> bool:
    """Whether a path belongs to the page or the control API rather than to CloudZero."""
    return path in ("/", "/favicon.ico", "/sandbox") or path.startswith("/sandbox/")


class ControlGuard:
    """Allows requests from this machine and the same origin; ``--own-host`` allows others."""

    def __init__(self, keys: KeyRing, hosts: Sequence[str]) -> None:
        self._keys = keys
        self._hosts = frozenset(host.lower() for host in hosts)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not is_control_path(request.path):
            return await handler(request)
        refusal = self._refusal(request)
        if refusal:
            return web.json_response({"error": {"message": f"Refused: {refusal}."}}, status=403)
        try:
            return await handler(request)
        except web.HTTPException as error:
            error.text = self._keys.without_keys(error.text or "")
            raise

    def _refusal(self, request: web.Request) -> str | None:
        if not self._hosts and not _is_loopback(request.remote or ""):
            return "the page and /sandbox are for this machine only; --own-host NAME allows other machines"
        hosts = [host.lower() for host in request.headers.getall("Host", [])]
        if len(hosts) != 1 or not self._is_allowed(hosts[0]):
            return "the Host header does not name this machine; --own-host NAME allows it for the page and /sandbox"
        if any(not _is_same_origin(origin, hosts[0]) for origin in request.headers.getall("Origin", [])):
            return "the request comes from a web page of another origin"
        site = request.headers.get("Sec-Fetch-Site", "none")
        if request.method not in _SAFE_METHODS and site not in ("none", "same-origin"):
            return "the request comes from a web page of another site"
        return None

    def _is_allowed(self, host: str) -> bool:
        name = _name(host)
        return ANY_HOST in self._hosts or (
            bool(name) and (name in self._hosts or name == "localhost" or _is_loopback(name))
        )


def _name(host: str) -> str:
    """Return the name or address in ``Host`` without the port; blank if it is invalid."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_same_origin(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin.lower())
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc == host


def _is_loopback(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
