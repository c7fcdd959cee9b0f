"""What is served imports nothing of this package."""

from pathlib import Path


def test_what_is_served_imports_nothing_of_tuner():
    import tuner.export

    for name in ("served_model.py", "parity_check.py"):
        text = Path(tuner.export.__file__).with_name(name).read_text()
        assert "import tuner" not in text
        assert "from tuner" not in text
