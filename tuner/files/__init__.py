"""The files of a sweep: their names, whole writes, locks."""
