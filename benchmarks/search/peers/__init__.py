"""Others' search methods, each by its own library, on the tables of ``benchmarks.search.regret``.

A peer's own objects decide: which trial a free worker takes, and what becomes of a trial after each evaluation.
``loop`` asks them on a virtual clock, in one process. What each library is given is the space, the steps of a
full training and the seed; all else is as it comes.
"""
