"""
Draw what ``cloudzero-provider check`` shows in a terminal, for docs/cli.md.

``PYTHONPATH=tests:dags_examples .venv/bin/python scripts/cli_pictures.py`` writes docs/images/check-*.svg.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text
from support.command_line_bills import MONTH, write_acme_bill, write_bill_with_mistakes, write_focus_export

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
WIDTH = 100
_FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


def main() -> None:
    """Run the command on each bill, and draw its output."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw("check-bill", folder, "check", write_acme_bill(folder).name, "--month", MONTH)
        draw("check-mistakes", folder, "check", write_bill_with_mistakes(folder).name, "--month", MONTH)
        focus = write_focus_export(folder).name
        draw("check-focus", folder, "check", focus, "--month", MONTH, "--focus", "--month-from", "billing_period")


def draw(name: str, folder: Path, *arguments: str) -> None:
    """Run the command as in a terminal, and write a picture of its output."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FORCE_COLOR": "1", "COLUMNS": str(WIDTH)}
    command = [sys.executable, "-m", "cloudzero_provider.cli", *arguments]
    shown = subprocess.run(
        command,
        cwd=folder,
        env={**environment, "TERM": "xterm-256color"},
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    console.print(Text(f"$ cloudzero-provider {' '.join(arguments)}", style="bold"))
    # With an empty line, since the picture cuts off the lower part of the last one.
    console.print(Text.from_ansi(f"{shown.stdout.rstrip()}\n"))
    path = IMAGES / f"{name}.svg"
    path.write_text(without_hosts(console.export_svg(title="", theme=MONOKAI, unique_id=name)), encoding="utf-8")
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes, exit code {shown.returncode}")


def without_hosts(svg: str) -> str:
    """Take away the fonts that Rich loads from another host, and name those that a machine has."""
    svg = re.sub(r"@font-face\s*{.*?}\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family: ?(Fira Code|arial)[^;]*;", f"font-family: {_FONTS};", svg)
    return re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE)


if __name__ == "__main__":
    main()
