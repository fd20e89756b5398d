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
