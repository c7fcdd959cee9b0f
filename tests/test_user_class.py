"""Classes named by their place, and what of them may be set in a file."""

import re
from collections.abc import Mapping, Sequence

import pytest

from tuner.errors import InvalidInput
from tuner.user_class import (
    ANYTHING,
    NUMBER,
    constructor_options,
    is_place,
    load_class,
    registered_class,
    required_options,
)


class Base:
    """What a class must be of."""


class Mine(Base):
    def __init__(
        self,
        train,
        rate: float,
        units: int | None = None,
        either: int | str = 1,
        names: Sequence[str] = (),
        more: Mapping[str, int] | None = None,
        odd: object = None,
        *rest,
        on: bool = False,
        **others,
    ):
        """Nothing is done with them."""


HERE = __name__


def test_a_class_is_found_by_its_place():
    assert is_place(f"{HERE}:Mine") and not is_place("asha")
    assert load_class("search.scheduler", f"{HERE}:Mine", Base) is Mine
    assert registered_class("search.scheduler", {"mine": f"{HERE}:Mine"}, "mine", Base) is Mine


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("gone.module:Mine", "gone.module cannot be imported: ModuleNotFoundError"),
        (f"{HERE}:Other", f"{HERE} has no Other, expected a subclass of {HERE}.Base"),
        (f"{HERE}:Mien", f"{HERE} has no Mien, expected a subclass of {HERE}.Base (did you mean 'Mine'?)"),
        (f"{HERE}:HERE", f"{HERE}:HERE is a str, expected a subclass"),
        (f"{HERE}:InvalidInput", "is another class, expected a subclass"),
        ("a b:C", "found 'a b:C', expected package.module:Class"),
        ("module:", "expected package.module:Class"),
    ],
)
def test_what_is_no_such_class_is_refused(place, said):
    with pytest.raises(InvalidInput) as caught:
        load_class("search.scheduler", place, Base)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("ahsa", "did you mean 'asha'?"),
        ("moon_phase", "expected one of: asha, none"),
        ("my_package.schedulers.Mine", "did you mean 'my_package.schedulers:Mine'?"),
    ],
)
def test_a_name_of_no_registry_is_refused_with_what_is_meant(name, hint):
    with pytest.raises(InvalidInput, match=re.escape(f"search.scheduler: unknown scheduler {name!r} ({hint})")):
        registered_class("search.scheduler", {"none": "x:Z", "asha": "x:Y"}, name, Base)


def test_a_module_beside_the_file_is_found_and_the_path_is_as_before(tmp_path):
    import sys

    (tmp_path / "beside_the_file.py").write_text("class Late(dict):\n    pass\n")
    before = list(sys.path)
    assert load_class("x", "beside_the_file:Late", dict, [str(tmp_path)]).__name__ == "Late"
    assert sys.path == before
    del sys.modules["beside_the_file"]


def test_a_module_of_the_same_name_in_another_folder_is_not_taken_for_it(tmp_path):
    for folder, bound in (("one", 1), ("other", 2)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "named_alike.py").write_text(f"class Own(dict):\n    bound = {bound}\n")
    one, other = str(tmp_path / "one"), str(tmp_path / "other")
    assert load_class("w", "named_alike:Own", dict, [one]).bound == 1
    assert load_class("w", "named_alike:Own", dict, [one]).bound == 1
    with pytest.raises(InvalidInput, match=r"imported another module named_alike, .*one.named_alike\.py: rename"):
        load_class("w", "named_alike:Own", dict, [other])


def test_options_are_the_arguments_of_the_constructor_with_their_types():
    assert constructor_options(Mine, given=["train"]) == {
        "rate": NUMBER,
        "units": int,
        "either": (int, str),
        "names": list,
        "more": dict,
        "odd": ANYTHING,
        "on": bool,
    }


def test_options_without_a_default_are_required():
    assert required_options(Mine, given=["train"]) == ["rate"]
    assert required_options(Base) == []
