"""The sandbox's command line."""

from __future__ import annotations

import argparse
import asyncio
import math
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.anycost.connections import InvalidConnectionError, parse_connection_option
from cloudzero_provider.sandbox.buckets.roots import BucketRoot, InvalidBucketError, parse_bucket_option
from cloudzero_provider.sandbox.server.keys import ApiKey, InvalidKeyOptionError, parse_key
from cloudzero_provider.sandbox.server.server import Address, serve
from cloudzero_provider.sandbox.server.state import Sandbox
from cloudzero_provider.sandbox.settings.all_settings import InvalidSettingError, Settings, changed

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Options:
    """The parsed command line."""

    address: Address
    directory: Path
    keys: tuple[ApiKey, ...]
    streams: tuple[tuple[str, str], ...]
    settings: dict[str, object]
    own_hosts: tuple[str, ...] = ()
    buckets: tuple[BucketRoot, ...] = ()
    bucket_poll_seconds: float = 1.0


class InvalidOptionError(ValueError):
    """An invalid option; the message gives the reason and never contains a key."""


def parse_options(arguments: Sequence[str]) -> Options:
    """Parse the command line; ``--help`` and unknown options end the process, as usual with argparse."""
    parsed = _parser().parse_args(arguments)
    try:
        keys = tuple(parse_key(text) for text in parsed.api_key)
        streams = tuple(parse_connection_option(text) for text in parsed.connection)
        settings = dict(_setting(text) for text in parsed.setting)
        changed(Settings(), settings)
        buckets = _buckets(parsed.bucket, streams)
    except (InvalidKeyOptionError, InvalidConnectionError, InvalidSettingError, InvalidBucketError) as error:
        raise InvalidOptionError(str(error)) from None
    return Options(
        Address(parsed.host, parsed.port),
        parsed.data,
        keys,
        streams,
        settings,
        tuple(parsed.own_host),
        buckets,
        parsed.bucket_poll_seconds,
    )


def _buckets(texts: Sequence[str], streams: Sequence[tuple[str, str]]) -> tuple[BucketRoot, ...]:
    roots = tuple(parse_bucket_option(text) for text in texts)
    names = [*(connection_id for connection_id, _ in streams), *(root.name for root in roots)]
    for root in roots:
        if names.count(root.name) > 1:
            raise InvalidBucketError(f"--bucket {root.name}: two connections have this name; give each its own")
    return roots


def _setting(text: str) -> tuple[str, object]:
    name, _, value = text.partition("=")
    return name, value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cloudzero_provider.sandbox", description="Run a local CloudZero for tests and demos."
    )
    parser.add_argument("--port", type=_port, required=True, help="port to listen on; 0 chooses a free one")
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="directory for the sandbox's state; only one sandbox at a time can use it",
    )
    parser.add_argument(
        "--api-key",
        action="append",
        required=True,
        metavar="KEY[:SCOPE,...]",
        help="an API key to accept, with all scopes or only those listed; repeatable",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--own-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a host name or address by which other machines and containers may use the page and /sandbox, which need"
        " no key; * allows any; repeatable (default: this machine only)",
    )
    parser.add_argument(
        "--connection",
        action="append",
        default=[],
        metavar="ID[=NAME]",
        help="an AnyCost Stream connection to create; repeatable",
    )
    parser.add_argument(
        "--bucket",
        action="append",
        default=[],
        metavar="NAME=ROOT",
        help="an AnyCost Bucket connection to create and poll, with its root folder: /path/of/a/folder or"
        " s3://bucket/folder (needs s3fs; AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and so on apply); repeatable",
    )
    parser.add_argument(
        "--bucket-poll-seconds",
        type=_seconds,
        default=1.0,
        metavar="SECONDS",
        help="pause between polls of the buckets; 0 polls only at POST /sandbox/buckets/poll (default: %(default)g)",
    )
    parser.add_argument(
        "--setting",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="change a setting, such as telemetry_rate=0 for no limit; GET /sandbox/settings lists them; repeatable",
    )
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise ValueError("not a port")
    return port


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < math.inf:
        raise ValueError("not a number of seconds")
    return seconds


def main(arguments: Sequence[str]) -> int:
    """Run a sandbox until SIGTERM or SIGINT; return the exit code."""
    try:
        options = parse_options(arguments)
    except InvalidOptionError as error:
        print(f"cloudzero sandbox: {error}", file=sys.stderr)  # noqa: T201
        return 2
    try:
        sandbox = Sandbox(options.directory, options.keys, list(options.streams), options.settings, options.buckets)
    except (InvalidConnectionError, InvalidBucketError) as error:
        print(f"cloudzero sandbox: {error}", file=sys.stderr)  # noqa: T201
        return 2
    except (OSError, sqlite3.Error) as error:
        print(f"cloudzero sandbox: cannot use {options.directory}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    try:
        # A key that is not printed to a terminal could end up in a log.
        shown_key = options.keys[0].secret.decode() if sys.stdout.isatty() else None
        seconds = options.bucket_poll_seconds if options.buckets else 0
        serving = serve(sandbox, options.address, options.own_hosts, shown_key=shown_key, poll_seconds=seconds)
        asyncio.run(serving)
    except OSError as error:
        print(f"cloudzero sandbox: {error}", file=sys.stderr)  # noqa: T201
        return 1
    finally:
        sandbox.close()
    return 0
