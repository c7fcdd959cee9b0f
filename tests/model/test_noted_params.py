"""Parameters are an ordinary dict that knows which of them were read."""

import argparse
import collections
import copy
import json
import pickle

import pytest
import yaml

from tuner.model.noted_params import NotedParams, own

PARAMS = {"rate": 0.1, "units": [8, 4]}


def everything(**params):
    return params


COPIES = {
    "dict": dict,
    "keywords": lambda p: everything(**p),
    "literal": lambda p: {**p},
    "update": lambda p: (d := {}, d.update(p), d)[2],
    "copy": copy.copy,
    "method": lambda p: p.copy(),
    "or": lambda p: p | {},
    "ror": lambda p: {} | p,
    "items": lambda p: dict(p.items()),
    "loop": lambda p: {key: p[key] for key in p},
    "values": lambda p: dict(zip(p, p.values(), strict=True)),
    "json": lambda p: json.loads(json.dumps(p)),
    "pickle": lambda p: pickle.loads(pickle.dumps(p)),
    "yaml": lambda p: yaml.safe_load(yaml.safe_dump(p)),
    "namespace": lambda p: vars(argparse.Namespace(**p)),
    "chain": lambda p: dict(collections.ChainMap({}, p)),
}


@pytest.mark.parametrize("how", COPIES)
def test_what_is_copied_is_read_and_equal(how):
    noted = own(NotedParams(PARAMS))
    made = COPIES[how](noted)
    assert made == PARAMS
    assert noted.unread == set()


@pytest.mark.parametrize(
    "read", [lambda p: p["rate"], lambda p: p.get("rate"), lambda p: "rate" in p, lambda p: p.pop("rate")]
)
def test_what_is_read_is_noted_also_of_the_copies_that_an_estimator_makes(read):
    noted = NotedParams(PARAMS)
    given = copy.deepcopy(copy.deepcopy(own(noted)))
    assert isinstance(given, dict)
    assert repr(given) == repr(PARAMS)
    assert noted.unread == {"rate", "units"}
    read(given)
    assert noted.unread == {"units"}
    assert noted == PARAMS


def test_what_a_function_changes_is_its_own():
    noted = NotedParams(PARAMS)
    own(noted)["rate"] = 1
    assert noted == PARAMS
