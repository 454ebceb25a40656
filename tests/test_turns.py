"""What CI leaves to one kind of user runs as the other: nothing is left to nobody."""

import pytest

from tests.support import turns


@pytest.mark.parametrize("commit", ["0", "1", "abc7"])
def test_root_and_user_share_what_neither_runs_alone(commit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"tests/test_{number}.py" for number in range(40)]
    monkeypatch.delenv("PYNETEMU_ALL_CASES", raising=False)
    monkeypatch.setenv("PYNETEMU_REQUIRE_ALL", "1")
    monkeypatch.setenv("PYNETEMU_COMMIT", commit)
    turns._commit.cache_clear()
    taken = []
    for user in 0, 1000:
        monkeypatch.setattr("os.getuid", lambda user=user: user)
        taken += [turns.shared(names), [name for name in names if turns.is_ours(name)]]
    assert sorted(taken[0] + taken[2]) == sorted(taken[1] + taken[3]) == sorted(names)
    assert all(taken)
    monkeypatch.delenv("PYNETEMU_REQUIRE_ALL")
    assert turns.shared(names) == names == [name for name in names if turns.is_ours(name)]
    turns._commit.cache_clear()
