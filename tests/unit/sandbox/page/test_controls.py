"""The page offers the faults that there are."""

from __future__ import annotations

from cloudzero_provider.sandbox.page import controls
from cloudzero_provider.sandbox.page.requests import FAULTS
from cloudzero_provider.sandbox.server import faults


def test_the_form_has_every_kind_operation_and_method():
    kinds = {kind.value for kind in faults.FaultKind}
    assert set(controls.KINDS) == set(FAULTS) == kinds
    assert (controls.OPERATIONS, set(controls.METHODS)) == (faults._OPERATIONS, set(faults._METHODS))
