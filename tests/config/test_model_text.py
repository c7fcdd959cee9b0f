"""The texts that a model has had, and which of them trained a trial."""

from tuner.config.model_text import digest, text_at, with_text
from tuner.domain.spec import ModelRef


def test_a_trial_was_trained_by_the_text_of_its_time_also_if_that_came_back():
    texts = with_text(with_text(with_text((), "one", 10.0), "two", 20.0), "one", 30.0)
    assert with_text(texts, "one", 40.0) == with_text(texts, "", 40.0) == texts
    assert [text_at(texts, time) for time in (5.0, 10.0, 25.0, 99.0)] == ["", "one", "two", "one"]


def test_a_model_has_the_text_of_its_file_or_of_its_module_which_is_not_imported(tmp_path):
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("raise RuntimeError\n")
    file = tmp_path / "package" / "model.py"
    file.write_text("raise RuntimeError\n")
    folders = (str(tmp_path),)
    found = digest(ModelRef(file=str(file)))
    assert found == digest(ModelRef(module="package.model", object="Model", import_paths=folders)) != ""
    file.write_text("other = 1\n")
    assert digest(ModelRef(file=str(file))) != found
    missing = (ModelRef(module="package.none", import_paths=folders), ModelRef(file=str(tmp_path / "none.py")), None)
    assert [digest(model) for model in missing] == ["", "", ""]
