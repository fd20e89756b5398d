"""Facts about the machine that figures depend on. They name neither the machine nor its user."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.model import Environment

if TYPE_CHECKING:
    from benchmarks.measure import Interpreters

_PACKAGES = {
    Environment.MAIN: ("airflow-provider-cloudzero", "polars"),
    Environment.PEERS: ("pandas", "pyarrow", "orjson", "ll2cz"),
    Environment.UCA_TOOLS: ("cloudzero-uca-tools",),
}
_VERSIONS = """
import importlib.metadata, json, sys
def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
print(json.dumps({name: version(name) for name in sys.argv[1:]}))
"""


@dataclass(frozen=True)
class Machine:
    """
    Facts about the machine.

    :param cpus: how many this process may use.
    :param cpu: their model.
    :param memory_gb: in billions of bytes.
    :param system: such as ``Linux x86_64``.
    :param python: version of Python.
    :param packages: name → version of what is measured.
    """

    cpus: int
    cpu: str
    memory_gb: float
    system: str
    python: str
    packages: dict[str, str]

    def differences(self, other: Machine) -> list[str]:
        """Describe how another machine differs from this one."""
        return [
            f"{name}: {getattr(self, name)} → {getattr(other, name)}"
            for name in ("cpus", "cpu", "memory_gb", "system", "python", "packages")
            if getattr(self, name) != getattr(other, name)
        ]


def this_machine(interpreters: Interpreters) -> Machine:
    """Collect the facts."""
    packages: dict[str, str] = {}
    for environment, names in _PACKAGES.items():
        packages |= _versions(interpreters.of(environment), names)
    return Machine(
        cpus=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        cpu=_cpu_model(),
        memory_gb=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        packages=packages,
    )


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")


def _versions(python: Path, names: tuple[str, ...]) -> dict[str, str]:
    if not python.exists():
        return {}
    ran = subprocess.run([str(python), "-c", _VERSIONS, *names], capture_output=True, text=True, check=True)
    found: dict[str, str | None] = json.loads(ran.stdout)
    return {name: version for name, version in found.items() if version}
