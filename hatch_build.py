"""Makes the description of the distribution from README.md, whose links are relative to the repository."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

IMAGE = re.compile(r"!\[([^\]]*)\]\((?!https?:)([^)]+)\)\n*")
LINK = re.compile(r"\[([^\]]+)\]\((?!https?:|#)([^)]+)\)")


class DescriptionHook(MetadataHookInterface):
    """Sets the readme, which an index shows as the project's page."""

    def update(self, metadata: dict[str, Any]) -> None:
        """
        Make links lead to the repository.

        :param metadata: of the project; ``urls.Source`` is the repository, if it has been published.
        """
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        source = metadata.get("urls", {}).get("Source")
        metadata["readme"] = {"content-type": "text/markdown", "text": description(text, source)}


def description(text: str, source: str | None) -> str:
    """
    Return the text with links that are right anywhere.

    :param text: of README.md.
    :param source: where the repository is; without it, a link becomes its text, and an image is left out.
    """
    if source is None:
        return LINK.sub(r"\1", IMAGE.sub("", text))
    repository = source.rstrip("/")
    return LINK.sub(rf"[\1]({repository}/blob/main/\2)", IMAGE.sub(rf"![\1]({repository}/raw/main/\2)\n\n", text))
