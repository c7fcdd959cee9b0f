"""Parameters on scales of their own."""

from tuner.space import Discrete, Float, Int, Space

KEEP = Float("keep", 0.01, 0.999, log=True, reverse=True)
UNITS = Int("units", 3, 700, log=True, reverse=True)
BATCH = Discrete("batch", (16, 32, 100, 0.5e3))
SPACE = Space((KEEP, UNITS, BATCH))
