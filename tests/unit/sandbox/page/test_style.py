"""Colors and letters can be told from what is behind them, in the light and in the dark scheme."""

from __future__ import annotations

import itertools
import re

import pytest
from support.paths import ROOT

from cloudzero_provider.sandbox.page.breakdown import MAX_NAMED

STYLE = (ROOT / "cloudzero_provider" / "sandbox" / "page" / "static" / "style.css").read_text(encoding="utf-8")
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    for block in re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
)
SERIES = [*(f"s{number}" for number in range(1, MAX_NAMED + 1)), "rest"]
#: What happens to red, green and blue in the eyes of people who see no red, no green or no blue (Machado et al., 2009).
SIGHTS = {
    "all colors": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "no green": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "no blue": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def linear(color):
    parts = (int(color[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def contrast(first, second):
    """https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio"""
    dark, light = sorted(sum(map(float.__mul__, (0.2126, 0.7152, 0.0722), linear(color))) for color in (first, second))
    return (light + 0.05) / (dark + 0.05)


def oklab(color, sight):
    """https://bottosson.github.io/posts/oklab/"""
    rgb = [max(0.0, sum(a * b for a, b in zip(row, linear(color), strict=True))) for row in sight]
    to_cones = ((0.4122214708, 0.5363325363, 0.0514459929), (0.2119034982, 0.6806995451, 0.1073969566), (0.0883024619, 0.2817188376, 0.6299787005))  # fmt: skip
    cones = [sum(a * b for a, b in zip(row, rgb, strict=True)) ** (1 / 3) for row in to_cones]
    to_lab = ((0.2104542553, 0.7936177850, -0.0040720468), (1.9779984951, -2.4285922050, 0.4505937099), (0.0259040371, 0.7827717662, -0.8086757660))  # fmt: skip
    return [sum(a * b for a, b in zip(row, cones, strict=True)) for row in to_lab]


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
class TestScheme:
    @pytest.mark.parametrize("name", SERIES)
    def test_a_bar_can_be_told_from_the_card(self, scheme, name):
        assert contrast(scheme[name], scheme["card"]) >= 3

    @pytest.mark.parametrize(
        ("letters", "behind"),
        [
            *itertools.product(("ink", "soft", "link"), ("card", "page")),
            ("good", "card"), ("bad", "card"), ("good", "good-card"), ("bad", "bad-card"), ("soft", "soft-card"),
            ("card", "link"),
        ],
    )  # fmt: skip
    def test_letters_can_be_read(self, scheme, letters, behind):
        assert contrast(scheme[letters], scheme[behind]) >= 4.5

    @pytest.mark.parametrize("sight", SIGHTS)
    def test_neighbors_in_a_bar_differ(self, scheme, sight):
        seen = [oklab(scheme[name], SIGHTS[sight]) for name in SERIES]
        for (first, one), (second, other) in itertools.pairwise(zip(SERIES, seen, strict=True)):
            distance = sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5
            assert distance > 0.05, (first, second, distance)
