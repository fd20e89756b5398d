"""``python -m cloudzero_provider.sandbox``"""

from __future__ import annotations

import importlib.util
import sys

if __name__ == "__main__":
    if importlib.util.find_spec("aiohttp") is None:
        print("The sandbox needs aiohttp: pip install 'airflow-provider-cloudzero[sandbox]'", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    from cloudzero_provider.sandbox.cli import main

    sys.exit(main(sys.argv[1:]))
