"""Charts as pictures."""

import gc
import struct
import zlib

from tests.plots.sweeps import trials
from tuner.plots import make_charts, matplotlib_png
from tuner.plots.matplotlib_png import png


def pixels(data):
    """The bytes of an RGBA picture, and how wide a line of them is."""
    width, height = struct.unpack(">II", data[16:24])
    return width, height, zlib.crc32(data)


def test_pictures_are_of_a_size_to_be_read(one):
    for chart in make_charts(one, trials(one)):
        width, height, _ = pixels(png(chart))
        assert 600 <= width <= 2000
        assert 200 <= height <= 1600


def test_a_picture_that_is_asked_for_again_is_not_drawn_again_and_goes_with_its_chart(one):
    charts = make_charts(one, trials(one))
    pictures = [png(chart) for chart in charts]
    assert all(png(chart) is picture for chart, picture in zip(charts, pictures, strict=True))
    before = len(matplotlib_png._drawn)
    count = len(charts)
    del charts
    gc.collect()
    assert len(matplotlib_png._drawn) <= before - count
