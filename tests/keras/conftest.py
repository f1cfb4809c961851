"""The checks run once for each backend, in a process of its own that `test_backends.py` starts."""

from __future__ import annotations

import os

collect_ignore_glob = [] if os.environ.get("KERAS_BACKEND") else ["check_*.py"]
