"""A memory allocator for the processes that train, if the machine has a faster one than its C library's.

TensorFlow allocates and frees small aligned blocks all the time, which glibc's malloc is slow at: with
tcmalloc a short trial takes about four fifths of the CPU time, with mimalloc and jemalloc somewhat more
(``python -m benchmarks throughput`` has rows for it). Results are the same to the last bit. The allocator is
put in place when a process starts, by ``LD_PRELOAD``; it is not for the programs that such a process starts.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

FASTEST_FIRST = ("tcmalloc_minimal", "tcmalloc", "mimalloc", "jemalloc")
# Else tcmalloc has a line in the trial's log for each block of a gigabyte.
_QUIET = {"TCMALLOC_LARGE_ALLOC_REPORT_THRESHOLD": "0"}


def allocator(environment: Mapping[str, str] = os.environ, folders: Iterable[Path] | None = None) -> dict[str, str]:
    """Return the variables with which a process gets the fastest allocator that is found, or none.

    Args:
        environment: Of this process. One that has ``LD_PRELOAD``, were it empty, has chosen already.
        folders: Where libraries are looked for; None means where the system and this environment have them.
    """
    if sys.platform != "linux" or "LD_PRELOAD" in environment:
        return {}
    found = next(_libraries(_system() if folders is None else folders), None)
    if found is None:
        return {}
    return {"LD_PRELOAD": str(found), **{name: value for name, value in _QUIET.items() if name not in environment}}


def _system() -> list[Path]:
    prefix = Path(sys.prefix, "lib")  # conda's
    usual = [Path("/usr/local/lib"), Path("/usr/lib64"), Path("/usr/lib")]
    architecture = sysconfig.get_config_var("MULTIARCH")
    return [prefix, *([Path("/usr/lib", architecture)] if architecture else []), *usual, *_brought_by_ray()]


def _brought_by_ray() -> list[Path]:
    """Return the folder in which Ray, if it is installed, brings jemalloc."""
    spec = importlib.util.find_spec("ray")
    return [Path(place, "core") for place in (spec.submodule_search_locations or [])] if spec else []


def _libraries(folders: Iterable[Path]) -> Iterator[Path]:
    folders = list(folders)
    ours = _kind(Path(sys.executable))
    for name in FASTEST_FIRST:
        for file in (file for folder in folders for file in sorted(folder.glob(f"lib{name}.so*"))):
            if ours is not None and _kind(file) == ours and not set(str(file)) & set(": "):  # LD_PRELOAD's separators
                yield file


def _kind(file: Path) -> bytes | None:
    """Return the word size and machine that a file in the format ELF is for, or None."""
    try:
        with file.open("rb") as stream:
            header = stream.read(20)
    except OSError:
        return None
    return header[4:6] + header[18:20] if header[:4] == b"\x7fELF" and len(header) == 20 else None
