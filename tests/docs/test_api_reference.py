"""The reference of the Python API is that of the code."""

import pytest

import pynetemu
from tests.support.api_reference import reference
from tests.support.pynetemu import CLONE

pytestmark = pytest.mark.pure


def test_the_page_is_what_the_code_says() -> None:
    """If not: python -m tests.support.api_reference > docs/reference/api.md."""
    assert (CLONE / "docs" / "reference" / "api.md").read_text() == reference()


@pytest.mark.parametrize("name", pynetemu.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert f"\n### {name}" in reference()
