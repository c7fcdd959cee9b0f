"""Charts of sweeps: what is drawn is said once, and drawn as pictures (PNG) and interactive pages (HTML)."""

from tuner.plots.chart import Chart, Parallel
from tuner.plots.sweep_charts import make_charts

__all__ = ["Chart", "Parallel", "make_charts"]
