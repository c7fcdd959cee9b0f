"""Inputs made to break their reader, by seeded generators; ``python -m tests.fuzz SECONDS`` tries as many as fit into that time."""
