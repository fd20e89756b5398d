"""What an Airflow connection of type ``cloudzero`` says, checked as far as it can be without a client."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cloudzero_provider.exceptions import ConfigurationError
from cloudzero_provider.get_provider_info import EXTRA_FIELDS
from cloudzero_provider.values.parameters import read_bool

if TYPE_CHECKING:
    from airflow.sdk import Connection

#: What Airflow raises over a connection that it can't read.
UNREADABLE = (ConfigurationError, ValueError, TypeError, AttributeError)
_NUMBERS = ("timeout", "max_retry_seconds", "settle_seconds")


def why_unreadable(error: Exception) -> str:
    """Say what is wrong with a connection; never in Airflow's words, which may show the key."""
    if isinstance(error, ConfigurationError):
        return error.message
    return "it can't be read. A URI must be quoted where it holds / : @ ? # or %, and JSON must be well-formed."


@dataclass(frozen=True)
class ConnectionFields:
    """The fields of a connection."""

    password: str | None = field(repr=False)
    host: str | None
    port: int | None
    schema: str | None
    extra: dict[str, Any]

    @classmethod
    def of(cls, connection: Connection) -> ConnectionFields:
        """
        Read a connection.

        :raises ConfigurationError: when its extra is not one of ours.
        """
        from cloudzero_provider.client.config import Secret

        extra = connection.extra_dejson
        is_lost = connection.extra and not extra and str(connection.extra).strip() not in ("{}", "null")
        if is_lost or not isinstance(extra, dict):
            raise ConfigurationError("the extra is no JSON object.")
        password = None if connection.password is None else Secret(connection.password)
        given = {name: value for name, value in extra.items() if value not in (None, "")}
        host = (connection.host or "").strip().removeprefix("https://")
        if password and password.strip() in {host, connection.schema, *given, *map(str, given.values())}:
            raise ConfigurationError(
                "the API key stands in another field, too: it belongs into the password field only."
            )
        _check_extra(given)
        return cls(password, connection.host, connection.port, connection.schema, given)

    def options(self) -> dict[str, Any]:
        """
        Return what a client is made with, but for the key.

        :raises ConfigurationError: when the connection says something that can't be one.
        """
        from cloudzero_provider.client.config import read_seconds

        given = {name: self.extra[name] for name in _NUMBERS if name in self.extra}
        # Airflow's forms write numbers and switches as text.
        options: dict[str, Any] = {name: read_seconds(name, value, as_text=True) for name, value in given.items()}
        if base_url := self._base_url():
            options["base_url"] = base_url
        return options | {"allow_http": read_bool("allow_http", self.extra.get("allow_http", False), as_text=True)}

    def _base_url(self) -> str | None:
        from cloudzero_provider.client.config import DEFAULT_BASE_URL

        host, port = (self.host or "").strip(), self.port
        if not port and not host:
            return None
        host = host or DEFAULT_BASE_URL
        if "://" not in host:
            host = f"{self.schema or 'https'}://{host}"
        named = _port_of(host)
        if port and named and named != port:
            raise ConfigurationError(f"the host names port {named}, and the port field {port}.")
        return f"{host.rstrip('/')}:{port}" if port and not named else host


def _check_extra(extra: dict[str, Any]) -> None:
    if unknown := sorted(set(extra) - set(EXTRA_FIELDS)):
        raise ConfigurationError(
            f"nothing reads {', '.join(map(repr, unknown))} in the extra. Expected: {', '.join(EXTRA_FIELDS)}."
        )


def _port_of(url: str) -> int | None:
    try:
        return urlsplit(url).port
    except ValueError:  # The client refuses it, and says what it expects.
        return None
