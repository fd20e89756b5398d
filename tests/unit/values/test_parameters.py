from __future__ import annotations

from decimal import Decimal

import pytest

from cloudzero_provider.exceptions import ConfigurationError
from cloudzero_provider.values.parameters import read_bool, read_number, read_whole_number


@pytest.mark.parametrize("value", ["false", "no", "", "0", 0, 1, None, [], "true"])
def test_only_a_bool_is_a_switch(value):
    with pytest.raises(ConfigurationError, match=r"^check_only is .*: expected True or False\.$"):
        read_bool("check_only", value)


@pytest.mark.parametrize(
    ("text", "expected"), [("true", True), ("True", True), (" TRUE\n", True), ("False", False), ("fAlse", False)]
)
def test_a_template_renders_to_a_switch(text, expected):
    assert read_bool("check_only", text, templated=True) is expected


@pytest.mark.parametrize("value", ["no", "yes", "1", "0", "None", "", "{{ params.dry }}", 1, None])
def test_a_template_that_renders_to_anything_else_is_refused(value):
    with pytest.raises(ConfigurationError, match="or a template that renders to one of them"):
        read_bool("check_only", value, templated=True)


@pytest.mark.parametrize(("value", "expected"), [(0, 0.0), (1, 1.0), (0.25, 0.25), (Decimal("0.5"), 0.5)])
def test_a_number(value, expected):
    assert read_number("min_rows_ratio", value, least=0, most=1) == expected


@pytest.mark.parametrize(("text", "expected"), [("0", 0.0), (" 0.5 ", 0.5), ("1.", 1.0), (".5", 0.5)])
def test_a_template_renders_to_a_number(text, expected):
    assert read_number("min_rows_ratio", text, least=0, most=1, templated=True) == expected


@pytest.mark.parametrize("value", ["0.5", True, None, float("nan"), float("inf"), 1.5, -0.1, 10**400, Decimal("NaN")])
def test_anything_else_is_not_a_number(value):
    with pytest.raises(ConfigurationError, match=r"min_rows_ratio is .*: expected a number, 0 \(off\) to 1\.$"):
        read_number("min_rows_ratio", value, least=0, most=1, meaning="0 (off) to 1")


@pytest.mark.parametrize("value", ["half", "", "1e-1", "0,5", "50%", "nan", "0.5 0.5", "1.5", "None"])
def test_text_that_is_not_a_plain_number_is_refused(value):
    with pytest.raises(ConfigurationError, match="0 to 1, or a template that renders to one"):
        read_number("min_rows_ratio", value, least=0, most=1, templated=True)


@pytest.mark.parametrize("value", ["3", 3.0, True, None, 0, -1, 11])
def test_a_whole_number(value):
    assert read_whole_number("max_batch_records", 10, most=10) == 10
    with pytest.raises(ConfigurationError, match=r"max_batch_records is .*: expected a whole number, 1 to 10\.$"):
        read_whole_number("max_batch_records", value, most=10)


def test_a_long_value_is_shown_in_part():
    with pytest.raises(ConfigurationError) as refused:
        read_bool("verify", "x" * 1000)
    assert len(refused.value.message) < 150
