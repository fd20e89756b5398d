from __future__ import annotations

import pytest

from cloudzero_provider.anycost.guards.row_count import read_max_rows_ratio, read_min_rows_ratio
from cloudzero_provider.exceptions import ConfigurationError


@pytest.mark.parametrize(
    ("read", "good", "rule"),
    [
        (read_min_rows_ratio, [0, "0.5", 1], "min_rows_ratio is {}: expected a number, 0 (off) to 1"),
        (read_max_rows_ratio, [1, "1.5", 20], "max_rows_ratio is {}: expected a number, at least 1"),
    ],
)
def test_ratios_are_numbers_within_their_range_as_text_too_if_templated(read, good, rule):
    assert [read(value, templated=True) for value in good] == [float(value) for value in good]
    with pytest.raises(ConfigurationError, match="expected a number"):
        read("1")
    with pytest.raises(ConfigurationError) as error:
        read(-1, templated=True)
    assert rule.format(-1) in str(error.value)


def test_the_limits_and_their_errors():
    for wrong in (-0.01, 1.01, True, "1", None):
        with pytest.raises(ConfigurationError) as error:
            read_min_rows_ratio(wrong)
        assert str(error.value) == f"min_rows_ratio is {wrong!r}: expected a number, 0 (off) to 1."
    for wrong in (0.99, True, "1"):
        with pytest.raises(ConfigurationError) as error:
            read_max_rows_ratio(wrong)
        assert str(error.value) == f"max_rows_ratio is {wrong!r}: expected a number, at least 1."
    assert read_max_rows_ratio(None) is None
    assert read_max_rows_ratio(1_000_000) == 1_000_000
    for read in (read_min_rows_ratio, read_max_rows_ratio):
        with pytest.raises(ConfigurationError, match="or a template that renders to one"):
            read(-1, templated=True)
