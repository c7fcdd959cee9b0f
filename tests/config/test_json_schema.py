"""The JSON schema that ships is current, and agrees with what is taken."""

import json
from pathlib import Path

import pytest
from pydantic import VERSION

from tuner.config.json_schema import schema
from tuner.config.yaml_text import parse

SPACES = Path(__file__).parents[2] / "search_spaces"


WORDS_IT = (2, 12)  # pydantic before says the same in other words: allOf around one $ref, no additionalProperties: true


@pytest.mark.skipif(
    tuple(map(int, VERSION.split(".")[:2])) < WORDS_IT, reason="the schema is worded by a newer pydantic"
)
def test_the_schema_that_ships_is_current():
    assert json.loads((SPACES / "schema.json").read_text()) == schema(), (
        "run: python -m tuner.config.json_schema > search_spaces/schema.json"
    )


def test_the_search_spaces_that_ship_are_valid_by_it():
    jsonschema = pytest.importorskip("jsonschema", reason="the schema is not tested: pip install jsonschema")
    for file in SPACES.glob("*.yaml"):
        jsonschema.validate(parse(file.read_text(), str(file)), schema())
