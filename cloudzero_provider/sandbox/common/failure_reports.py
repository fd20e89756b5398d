"""How the sandbox tells that it failed."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloudzero_provider.sandbox.server.keys import KeyRing


def failure_report(error: BaseException, keys: KeyRing) -> str:
    """The traceback without any key: messages of errors may have parts of a request in them."""
    return keys.without_keys("".join(traceback.format_exception(type(error), error, error.__traceback__)))
