"""The JSON schema that ships is current, and agrees with what is taken."""

import json
from pathlib import Path

import pytest

from tuner.spacefile.schema import schema
from tuner.spacefile.text import parse

SPACES = Path(__file__).parents[2] / "search_spaces"


def test_the_schema_that_ships_is_current():
    assert json.loads((SPACES / "schema.json").read_text()) == schema(), (
        "run: python -m tuner.spacefile.schema > search_spaces/schema.json"
    )


def test_the_search_spaces_that_ship_are_valid_by_it():
    jsonschema = pytest.importorskip("jsonschema")
    for file in SPACES.glob("*.yaml"):
        jsonschema.validate(parse(file.read_text(), str(file)), schema())
