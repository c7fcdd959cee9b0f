"""Seeds derived from the sweep's, so that a restarted driver derives the same ones."""

from __future__ import annotations

import hashlib


def derive(seed: int, *parts: object) -> int:
    """Return a seed for ``parts`` of a sweep with ``seed``: 0 to 2**31 - 1, the same for ever.

    Example:
        >>> derive(0, "trial", 7) == derive(0, "trial", 7) != derive(0, "trial", 8)
        True
    """
    text = "/".join([str(seed), *map(str, parts)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1
