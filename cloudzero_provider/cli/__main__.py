"""``python -m cloudzero_provider.cli``"""

from __future__ import annotations

from cloudzero_provider.cli import main

if __name__ == "__main__":
    main()
