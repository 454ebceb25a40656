"""Words that other programs have for our verbs, and slips of the pen, are answered with the verb; files are not."""

from pathlib import Path

import pytest

from pynetemu.cli.main import VERBS, main

pytestmark = pytest.mark.pure


@pytest.mark.parametrize(
    ("word", "verb"),
    [
        *(("list", "ps"), ("ls", "ps"), ("status", "ps"), ("show", "plan"), ("graph", "draw"), ("check", "doctor")),
        *(("connect", "attach"), ("pln", "plan"), ("atach", "attach"), ("exce", "exec"), ("version", "--version")),
    ],
)
def test_a_word_that_is_none_of_ours_is_answered_with_ours(
    word: str, verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pynetemu.cli.interrupts.end_process", lambda: None)
    try:
        status = main([word])
    except SystemExit as ended:
        status = int(str(ended.code))
    told = capsys.readouterr().err
    assert status == 2
    assert f"there is no verb or file {word!r}\n    hint: did you mean {verb!r}?" in told


def test_each_verb_is_in_the_help(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pynetemu.cli.interrupts.end_process", lambda: None)
    assert main(["--help"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    for verb, about in VERBS.items():
        assert f"\n  {verb:<12}{about}\n" in shown.out
    assert main([]) == 2
    assert capsys.readouterr() == ("", shown.out)
    assert main(["--version"]) == main(["-V"]) == main(["help"]) == main(["-h"]) == 0
