"""The drawings of the documentation are those that scripts/pictures.py makes now, and every page says what they show."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from pictures import IMAGES, PICTURES
from support.documentation import PAGES

SHOWN = {
    (page.parent / target).resolve(): text
    for page in PAGES
    for text, target in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
}


@pytest.mark.parametrize("name", PICTURES)
def test_the_drawing_is_up_to_date(name, tmp_path):
    PICTURES[name]().write(tmp_path / "made.svg")
    made = (tmp_path / "made.svg").read_text(encoding="utf-8")
    assert (IMAGES / f"{name}.svg").read_text(encoding="utf-8") == made, "run make pictures"
    assert ElementTree.fromstring(made).get("aria-label")


def test_every_picture_is_shown_and_described_and_small():
    files = {path for path in IMAGES.iterdir() if path.suffix in {".svg", ".png"}}
    assert files == set(SHOWN)
    assert all(len(text) > 20 for text in SHOWN.values())
    assert [path.name for path in files if path.stat().st_size > 150_000] == []
