"""
The command ``cloudzero-provider``: what people do outside a DAG.

It needs the extra ``cli``, so that workers don't install libraries that only a person uses.
"""

from __future__ import annotations

import importlib.util
import sys
from io import TextIOWrapper

_NEEDED = ("rich", "typer")


def main() -> None:
    """Run the command, and end the process with its exit code."""
    if missing := [name for name in _NEEDED if importlib.util.find_spec(name) is None]:
        sys.stderr.write(
            f"cloudzero-provider needs {' and '.join(missing)}: pip install 'airflow-provider-cloudzero[cli]'\n"
        )
        sys.exit(2)
    for stream in (sys.stdout, sys.stderr):
        # In an encoding without bars and check marks, they are replaced rather than an error.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    from cloudzero_provider.cli.app import app

    app(prog_name="cloudzero-provider")
