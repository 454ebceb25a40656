"""The reference of the Python API is that of the code."""

import re

import pytest

import pynetemu
from pynetemu import errors
from tests.support.api_reference import reference
from tests.support.pynetemu import CLONE

pytestmark = pytest.mark.pure


def test_the_page_is_what_the_code_says() -> None:
    """If not: python -m tests.support.api_reference > docs/reference/api.md."""
    assert (CLONE / "docs" / "reference" / "api.md").read_text() == reference()


@pytest.mark.parametrize("name", pynetemu.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert f"\n### {name}" in reference()


@pytest.mark.parametrize(
    "text", [errors.__doc__, (CLONE / "docs" / "reference" / "python.md").read_text()], ids=["module", "page"]
)
def test_every_error_is_in_the_trees_of_errors(text: str) -> None:
    classes = {name for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, errors.PynetemuError)}
    named = set(re.findall(r"[├└]── (\w+) ", text))
    assert named == classes - {"PynetemuError"}
