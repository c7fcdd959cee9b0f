"""Benchmarks that anyone can run: ``python -m benchmarks NAME [--quick] [--json FILE]``.

Each is a module with one function, ``run(quick: bool) -> Result``. All contenders of a benchmark are
measured in that one run; a peer that is not installed is left out with a line.
"""
