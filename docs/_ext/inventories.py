"""The names of other projects that the pages refer to, so that intersphinx links to them without the network."""

from __future__ import annotations

import tempfile
import zlib
from pathlib import Path

HEADER = """\
# Sphinx inventory version 2
# Project: {name}
# Version:
# The remainder of this file is compressed using zlib.
"""


def mapping(folder: Path, *, online: bool) -> dict[str, tuple[str, str | None]]:
    """
    Return ``intersphinx_mapping`` for the lists in a folder.

    :param folder: of text files: the project's address, then a line per name, as in an ``objects.inv``.
    :param online: use the project's own inventories instead.
    """
    compiled = Path(tempfile.mkdtemp(prefix="cloudzero-inventories-"))
    found: dict[str, tuple[str, str | None]] = {}
    for path in sorted(folder.glob("*.txt")):
        address, *names = path.read_text(encoding="utf-8").splitlines()
        inventory = compiled / f"{path.stem}.inv"
        lines = "".join(f"{name} -\n" for name in names).encode()
        inventory.write_bytes(HEADER.format(name=path.stem).encode() + zlib.compress(lines))
        found[path.stem] = (address, None if online else str(inventory))
    return found
