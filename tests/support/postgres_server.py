"""A real PostgreSQL in a temporary folder, run by an unprivileged user: ``initdb`` refuses root."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg2
from demo_airflow import free_port

USER, PASSWORD, DATABASE = "warehouse", "warehouse-password-5d1e", "postgres"
#: The user of the server if the tests run as root.
ORDINARY_USERS = ("postgres", "nobody")
#: For a small, disposable server.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "max_connections": 20,
    "shared_buffers": "32MB",
    "timezone": "UTC",
}


class PostgresServer:
    """
    A running PostgreSQL, on a free port of this machine.

    :param settings: of the server, beside ``SETTINGS``.
    """

    def __init__(self, **settings: object) -> None:
        self.port = free_port()
        self._settings = {**SETTINGS, **settings}
        self._user = ordinary_user()
        # Not in pytest's folder, which other users can't enter. Short, since the path of a socket is limited.
        self.folder = Path(tempfile.mkdtemp(prefix="cloudzero-pg-"))
        self.log = self.folder / "server.log"
        try:
            self._create()
            self.start()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def _create(self) -> None:
        password = self.folder / "password"
        password.write_text(PASSWORD)
        if self._user:
            for path in (self.folder, password):
                os.chown(path, self._user.pw_uid, self._user.pw_gid)
        who = ("--username", USER, "--pwfile", password, "--auth", "scram-sha-256")
        self._run("initdb", *who, "--encoding", "UTF8", "--no-locale", "--no-sync")

    def start(self) -> None:
        """Start the server, also after ``halt``."""
        settings = {**self._settings, "port": self.port, "unix_socket_directories": self.folder}
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self._run("pg_ctl", "start", "--wait", "--timeout", "60", "--log", self.log, "--options", options)

    def halt(self) -> None:
        """Stop the server as a crash does: connections are cut, and it recovers its data when it starts again."""
        self._run("pg_ctl", "stop", "--wait", "--mode", "immediate")

    def stop(self) -> None:
        """Stop the server and remove its files."""
        try:
            self.halt()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        """The process of the server, which is the parent of those of its connections."""
        return int((self.folder / "data/postmaster.pid").read_text().split()[0])

    def connect(self) -> psycopg2.extensions.connection:
        """Open a connection that commits each statement."""
        opened = psycopg2.connect(host="127.0.0.1", port=self.port, user=USER, password=PASSWORD, dbname=DATABASE)
        opened.autocommit = True
        return opened

    def sqlalchemy_url(self, driver: str = "psycopg2") -> str:
        """Its address for SQLAlchemy."""
        return f"postgresql+{driver}://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{DATABASE}"

    def airflow_connection(self) -> str:
        """An Airflow connection to it, as JSON."""
        fields = {"conn_type": "postgres", "host": "127.0.0.1", "port": self.port, "schema": DATABASE}
        return json.dumps({**fields, "login": USER, "password": PASSWORD})

    def _run(self, program: str, *arguments: object) -> None:
        # To a file: the server inherits the output of pg_ctl, so a pipe would never close.
        printed = self.folder / f"{program}.out"
        with printed.open("ab") as output:
            done = subprocess.run(
                [str(part) for part in (find(program), "--pgdata", self.folder / "data", *arguments)],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"},
                **({"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []} if self._user else {}),
            )
        if done.returncode:
            outputs = [path.read_text(errors="replace") for path in (printed, self.log) if path.exists()]
            raise RuntimeError("\n".join([f"{program} exited with {done.returncode}:", *outputs]))


def find(program: str) -> str:
    """Find a program of the server: Debian does not put them on the PATH."""
    newest_first = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=_version, reverse=True)
    found = shutil.which(program) or next(map(str, newest_first), None)
    assert found, f"{program} is missing: 'make postgresql' installs it"
    return found


def _version(path: Path) -> float:
    return float(path.parents[1].name)


def ordinary_user() -> pwd.struct_passwd | None:
    """Return the user for the server, or None for the current user, unless that is root."""
    if os.getuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return next(known[name] for name in ORDINARY_USERS if name in known)
