"""The documentation's examples do what it says, and its links lead somewhere."""

import re
from pathlib import Path

import pytest

from pynetemu.plan.values import _RESERVED_NODE_NAMES
from tests.support.examples import Page
from tests.support.pynetemu import CLONE
from tests.support.turns import shared

PAGES = [CLONE / "README.md", *sorted((CLONE / "docs").rglob("*.md"))]
_EXAMPLES = re.compile(r"^```(console|python)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", shared(page for page in PAGES if _EXAMPLES.search(page.read_text())), ids=lambda page: str(page.relative_to(CLONE))
)
def test_examples_print_what_the_page_says(page: Path, tmp_path: Path) -> None:
    assert not (differences := Page(page, tmp_path).differences()), "\n".join(differences)


@pytest.mark.pure
def test_links_lead_to_files() -> None:
    broken = [f"{page}: {link}" for page in PAGES for link in _links(page) if not (page.parent / link).exists()]
    assert not broken


@pytest.mark.pure
def test_every_page_can_be_reached_from_the_index() -> None:
    seen: set[Path] = set()
    waiting = [CLONE / "docs" / "index.md"]
    while waiting:
        if (page := waiting.pop().resolve()) not in seen:
            seen.add(page)
            waiting += [page.parent / link for link in _links(page) if link.endswith(".md")]
    assert not {page.resolve() for page in PAGES[1:]} - seen


def _links(page: Path) -> list[str]:
    return _LINK.findall(page.read_text())


@pytest.mark.pure
def test_the_reference_has_all_names_that_no_node_has() -> None:
    text = (CLONE / "docs" / "reference" / "topology.md").read_text()
    paragraph = next(part for part in text.split("\n\n") if part.startswith("Names of nodes:"))
    assert [name for name in _RESERVED_NODE_NAMES if f"`{name}`" not in paragraph] == []
