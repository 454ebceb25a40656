"""Wrong descriptions and the exact text that tells what is wrong: wrong/*.txt, each a file, a line `---`, and the text.

A first line `# pynetemu lab.py:Lab -p n=x` says how the file is loaded, if not as `lab.py`. After a change of wording, let
`pytest tests/plan/test_wrong.py --write-goldens` write the texts anew, and read the difference.
"""

import linecache
import re
import shlex
from pathlib import Path

import pytest

from pynetemu.errors import DescriptionError
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.load import load

_FOLDER = Path(__file__).parent / "wrong"
_BREAK = "---\n"
_HOW = "# pynetemu "
# Python 3.12 makes no function of one.
_COMPREHENSION = re.compile(r'^ +File "lab.py", line \d+, in <listcomp>\n.*\n', re.MULTILINE)


@pytest.mark.parametrize("golden", sorted(_FOLDER.glob("*.txt")), ids=lambda golden: golden.stem)
def test_a_wrong_description_is_told_in_these_words(
    golden: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    description, _, expected = golden.read_text().partition(_BREAK)
    (tmp_path / "lab.py").write_text(description)
    monkeypatch.chdir(tmp_path)
    told = _told(description)
    if pytestconfig.getoption("--write-goldens"):
        golden.write_text(description + _BREAK + told)
    else:
        assert told == expected
    assert list(tmp_path.iterdir()) == [tmp_path / "lab.py"]  # reading a file writes nothing beside it


def _told(description: str) -> str:
    first = description.partition("\n")[0]
    spec, *options = shlex.split(first.removeprefix(_HOW)) if first.startswith(_HOW) else ["lab.py"]
    parameters = dict(option.split("=", 1) for option in options if option != "-p")
    linecache.clearcache()  # every description is a file of the same name
    with pytest.raises(DescriptionError) as error:
        compile_plan(load(spec, parameters))
    return _COMPREHENSION.sub("", f"{error.value}\n")
