"""
Run ``pip install`` with pinned requirements, and say what is installed and how much, while it takes minutes.

All numbers are measured: the size of each download is in pip's output, and what was installed is counted in the
environment afterwards. ``make`` runs this with the environment's own Python, so it needs nothing but pip.

    python scripts/install.py -r requirements/airflow-3.3.txt -r requirements/build.txt
"""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass, field
from importlib.metadata import distributions
from itertools import pairwise
from pathlib import Path

#: Seconds between two lines.
PAUSE = 5.0
#: Lines of pip's output that are shown if it fails.
SHOWN_LINES = 25
_FOUND = re.compile(r"(?:Collecting|Processing) (\S+)")
_FETCHED = re.compile(r"\s*(Downloading|Using cached) \S+\.(?:whl|tar\.gz) \(([\d.]+) ([kMG]?B)\)")
_UNITS = {"B": 1e-6, "kB": 1e-3, "MB": 1.0, "GB": 1e3}


@dataclass
class Progress:
    """
    What pip has done so far.

    :param pinned: number of pinned packages, some of which other Pythons or systems need.
    """

    pinned: int
    names: set[str] = field(default_factory=set)
    downloaded: float = 0.0
    local: float = 0.0
    is_installing: bool = False

    def read(self, line: str) -> None:
        """
        Read a line of pip's output.

        :param line: without its end.
        """
        if found := _FOUND.match(line):
            # Processing: a wheel in a folder of this machine, whose size pip does not say.
            if (file := Path(found[1])).is_file():
                self.local += file.stat().st_size / 1e6
            named = file.name.split("-")[0] if file.suffix == ".whl" else re.split(r"[\[=<>~!;(]", found[1])[0]
            self.names.add(re.sub(r"[-_.]+", "-", named).lower())
        elif fetched := _FETCHED.match(line):
            size = float(fetched[2]) * _UNITS[fetched[3]]
            if fetched[1] == "Downloading":
                self.downloaded += size
            else:
                self.local += size
        elif line.startswith("Ignoring "):
            self.pinned -= 1
        elif line.startswith("Installing collected packages"):
            self.is_installing = True

    def __str__(self) -> str:
        local = f", {self.local:,.0f} MB found on this machine" if self.local >= 1 else ""
        doing = "; now writing them to disk" if self.is_installing else ""
        count = len(self.names)
        of = f" of {self.pinned:,}" if self.pinned > count else ""
        noun = "package" if max(count, self.pinned) == 1 else "packages"
        return f"{count:,}{of} {noun}: {self.downloaded:,.0f} MB downloaded{local}{doing}"


def main(arguments: list[str]) -> int:
    """Install, and return pip's exit status."""
    files = [Path(value) for name, value in pairwise(arguments) if name == "-r"]
    pinned = [line for file in files for line in file.read_text(encoding="utf-8").splitlines() if "==" in line]
    what = next(
        (f"{line} and what it needs" for line in pinned if line.startswith("apache-airflow==")), "what is pinned"
    )
    environment = Path(sys.prefix)
    _say(f"Installing {what}, into {_shown(environment)}: once, and nothing outside of it")
    began = time.monotonic()
    status, output = _pip(arguments, Progress(len(pinned)), began)
    if status:
        _say("\n".join([*output[-SHOWN_LINES:], f"pip ended with {status}."]))
        return status
    count, size = _installed()
    _say(f"Installed: {count:,} packages, {size:,.0f} MB in {_shown(environment)}, in {time.monotonic() - began:.0f} s")
    return 0


def _pip(arguments: list[str], progress: Progress, began: float) -> tuple[int, list[str]]:
    output: list[str] = []
    said = began
    command = [sys.executable, "-m", "pip", "install", "--progress-bar", "off", "--disable-pip-version-check"]
    with subprocess.Popen(
        [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pip:
        for line in pip.stdout or ():
            output.append(line.rstrip())
            was_installing = progress.is_installing
            progress.read(output[-1])
            if progress.is_installing > was_installing or time.monotonic() - said > PAUSE:
                said = time.monotonic()
                _say(f"  [{said - began:4.0f} s] {progress}")
    return pip.returncode, output


def _installed() -> tuple[int, float]:
    """Count the packages of the environment, and the size of its libraries in MB."""
    libraries = Path(sysconfig.get_paths()["purelib"])
    count = len({distribution.metadata["Name"] for distribution in distributions(path=[str(libraries)])})
    return count, sum(file.lstat().st_size for file in libraries.rglob("*") if file.is_file()) / 1e6


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
