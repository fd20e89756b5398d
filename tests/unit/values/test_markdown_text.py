from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st
from support.rendered_markdown import TAGS, rendered, text_of

from cloudzero_provider.values.markdown_text import shown


@given(st.text(alphabet=st.sampled_from("ab |\\`<>[]()!*_~&#;:/@.$\n\r\t-=+'\"{}1wW"), min_size=1, max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_text_stays_text_within_a_cell_and_a_sentence(value):
    page = rendered(f"| a | b |\n| --- | --- |\n| {shown(value)} | x |\n\nA {shown(value)} z\n")
    assert page.tags <= TAGS - {"strong", "em", "code"}
    assert not set("<>|") & set(shown(value))
    words = value.split() or ["(blank)"]
    assert text_of(page.tables[0][1][0]).split() == words
    assert page.tables[0][1][1] == "x"
    assert text_of(page.text).split()[-len(words) - 2 :] == ["A", *words, "z"]


@pytest.mark.parametrize(
    ("value", "visible"),
    [
        ("a\nb\r\nc\x00d\x1b[0me\u2028f\x85g", "a b c d [0me f g"),
        ("paid \u202elaoppa", "paid \ufffdlaoppa"),
        (" \t\n", "(blank)"),
        ("x" * 100, "x" * 79 + "…"),
        ("https://evil.example", "https:\u2060//evil.example"),
        ("see WWW.evil.example", "see WWW\u2060.evil.example"),
        ("a@evil.example", "a@\u2060evil.example"),
    ],
)
def test_control_characters_long_values_and_addresses(value, visible):
    assert rendered(shown(value)).text == f"{visible}\n"


def test_usual_values_are_as_they_are():
    for value in ("Amazon EC2 (us-east-1)", "São Paulo", "arn:aws:s3:::a-b/c", "CC 4000 + x = 7 %"):
        assert shown(value) == value
