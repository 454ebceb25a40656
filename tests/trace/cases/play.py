"""Plays a case on one of the engines, and judges what its trace says."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.support.pynetemu import CLONE
from tests.support.users import ALICE, pynetemu_as
from tests.support.wait import PATIENCE

Engine = Literal["kernel", "sockets"]
State = Literal["right", "vague", "wrong", "silent", "not triggered"]

_HERE = Path(__file__).parent
_FILES = ("cases.toml", "own.toml", "healthy.toml", "more.toml")
_SELDOM = "more.toml"
_LABS = (_HERE / "labs.py").relative_to(CLONE)
_HEADLINE = re.compile(r"^ (✗|✔|!) (.*)|^   (no packet was seen.*)", re.MULTILINE)
_HINT = re.compile(r"^   try: (.*?)(?: · why)?$", re.MULTILINE)
# What names a place, or less, and no reason.
_VAGUE = re.compile(
    r"dropped in|vanished in|lost |did not answer|but not seen at|dropped by the firewall of|no route for what|sent nothing"
)
_WAIT = re.compile(r"^(\w+ sleep )([\d.]+)$")
_SECONDS = 60 * PATIENCE
_TOOLS = ("curl", "dig", "ipset", "iptables", "iptables-legacy", "nc", "socat", "wg")


@dataclass(frozen=True, slots=True)
class CaseOfTrace:
    """One lab, what breaks it, and what its trace should say; `states` has the engines that do not say it yet.

    A `seldom` one is played with every twelfth commit, others with every third.
    """

    name: str
    lab: str
    truth: str
    breaks: tuple[str, ...]
    traced: str
    says: str = ""
    lies: str = ""
    hides: bool = False
    headline: str = ""
    needs: tuple[str, ...] = ()
    cures: bool = False
    seldom: bool = False
    states: dict[Engine, State] = field(default_factory=dict)

    @property
    def is_healthy(self) -> bool:
        return self.truth.startswith("healthy")

    def broken(self, patience: float) -> list[str]:
        """The lines that break the lab; so many times as long is waited for its programs."""
        return ["set +e", *(_WAIT.sub(lambda found: f"{found[1]}{float(found[2]) * patience:g}", line) for line in self.breaks)]

    @property
    def lacks(self) -> list[str]:
        """The tools that it needs and this machine has not."""
        words = set(re.findall(r"[\w-]+", " ".join([*self.breaks, self.traced])))
        return [tool for tool in _TOOLS if tool in words and shutil.which(tool) is None]


@dataclass(frozen=True, slots=True)
class Played:
    """What an engine's trace said: `state` is what that is worth."""

    state: State
    headline: str
    hint: str
    output: str


def cases() -> list[CaseOfTrace]:
    """All of them, in the order of their numbers."""
    texts = ((file, (_HERE / file).read_text()) for file in _FILES)
    return [_case(name, facts, file == _SELDOM) for file, text in texts for name, facts in tomllib.loads(text).items()]


def _case(name: str, facts: dict[str, str], seldom: bool) -> CaseOfTrace:
    states: dict[Engine, State] = {engine: facts[engine] for engine in ("kernel", "sockets") if engine in facts}  # type: ignore[misc]
    return CaseOfTrace(
        name,
        *(facts["lab"], facts["truth"], tuple(facts.get("breaks", ())), facts["traced"]),
        says=facts.get("says", ""),
        lies=facts.get("lies", ""),
        hides=bool(facts.get("hides")),
        headline=facts.get("headline", ""),
        needs=tuple(facts.get("needs", "").split()),
        cures=bool(facts.get("cures")),
        seldom=seldom,
        states=states,
    )


def play(case: CaseOfTrace, engine: Engine, patience: float = 1) -> Played:
    """Runs a case as root with the kernel's engine, or as a user without privileges with packet sockets.

    Where the hint should cure, it is typed as it is in another lab with the same fault, and the line must then succeed.
    """
    done = _run(case, engine, [*case.broken(patience), f"trace {case.traced}"])
    played = judge(case, done.stdout, done.stderr)
    if played.state != "right" or not case.cures:
        return played
    cured = _run(case, engine, [*case.broken(patience), played.hint or "false", case.traced])
    if cured.returncode == 0:
        return played
    text = f"{played.headline} · and the hint cures nothing: {played.hint}"
    return Played("wrong", text, played.hint, f"{played.output}\n{cured.stdout}\n{cured.stderr}")


def _run(case: CaseOfTrace, engine: Engine, lines: list[str]) -> "subprocess.CompletedProcess[str]":
    words = [word for line in lines for word in ("-c", line)]
    if engine == "sockets" and os.getuid() == 0:
        return pynetemu_as(ALICE, f"{_LABS}:{case.lab}", *words)
    command = [sys.executable, "-m", "pynetemu", f"{_LABS}:{case.lab}", *words]
    return subprocess.run(
        command, cwd=CLONE, capture_output=True, text=True, errors="replace", timeout=_SECONDS * PATIENCE, check=False
    )


def judge(case: CaseOfTrace, output: str, errors: str) -> Played:
    headlines = [found[0].strip() for found in _HEADLINE.finditer(output)]
    hint = _HINT.findall(output)
    headline = headlines[-1] if headlines else f"no headline: {errors.strip()[-200:]}"
    state = "not triggered" if case.lacks else _state(case, headline, hint[-1:], output)
    return Played(state, headline, "".join(hint[-1:]), f"{output}\n{errors}")


def _state(case: CaseOfTrace, headline: str, hints: list[str], output: str) -> State:
    if case.is_healthy:
        if case.headline:  # what is expected on the way may be told
            return "right" if any(re.search(case.headline, " ".join(found)) for found in _HEADLINE.findall(output)) else "wrong"
        return "right" if headline.startswith("✔") and "✗" not in output else "wrong"
    if case.lies and re.search(case.lies, " · ".join([headline, *hints])):
        return "wrong"
    if case.says and re.search(case.says, headline):
        return "right"
    if headline.startswith(("✔", "no packet")):
        return "not triggered" if case.hides else "silent"
    return "vague" if _VAGUE.search(headline) else "wrong"
