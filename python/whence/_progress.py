"""A ready-made receiver of progress."""
from __future__ import annotations

import sys
import time

_last = [0.0, ""]


def print_progress(stage: str, step: int, total: int) -> None:
    """For progress=...: one line on standard error that changes, at most four times a second."""
    now, done = time.monotonic(), total and step >= total
    if not done and now - _last[0] < 0.25 and stage == _last[1]:
        return
    _last[:] = [now, stage]
    print(f"\r{stage}: {step}{f' of {total}' if total else ''}   ", end="\n" if done else "", file=sys.stderr, flush=True)
