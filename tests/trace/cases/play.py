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

Engine = Literal["kernel", "sockets"]
State = Literal["right", "vague", "wrong", "silent", "not triggered"]

_HERE = Path(__file__).parent
_LABS = (_HERE / "labs.py").relative_to(CLONE)
_HEADLINE = re.compile(r"^ (✗|✔|!) (.*)|^   (no packet was seen.*)", re.MULTILINE)
_HINT = re.compile(r"^   try: (.*?)(?: · why)?$", re.MULTILINE)
# What names a place, or less, and no reason.
_VAGUE = re.compile(
    r"dropped in|vanished in|lost |did not answer|but not seen at|dropped by the firewall of|no route for what|sent nothing"
)
_TOOLS = ("curl", "dig", "ipset", "iptables", "iptables-legacy", "nc", "socat")


@dataclass(frozen=True, slots=True)
class CaseOfTrace:
    """One lab, what breaks it, and what its trace should say; `states` has the engines that do not say it yet."""

    name: str
    lab: str
    truth: str
    breaks: tuple[str, ...]
    traced: str
    says: str = ""
    lies: str = ""
    hides: bool = False
    states: dict[Engine, State] = field(default_factory=dict)

    @property
    def is_healthy(self) -> bool:
        return self.truth.startswith("healthy")

    @property
    def lines(self) -> list[str]:
        return ["set +e", *self.breaks, f"trace {self.traced}"]

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
    with (_HERE / "cases.toml").open("rb") as file:
        told = tomllib.load(file)
    return [_case(name, facts) for name, facts in told.items()]


def _case(name: str, facts: dict[str, str]) -> CaseOfTrace:
    states: dict[Engine, State] = {engine: facts[engine] for engine in ("kernel", "sockets") if engine in facts}  # type: ignore[misc]
    words = (facts["lab"], facts["truth"], tuple(facts.get("breaks", ())), facts["traced"])
    return CaseOfTrace(name, *words, facts.get("says", ""), facts.get("lies", ""), bool(facts.get("hides")), states)


def play(case: CaseOfTrace, engine: Engine) -> Played:
    """Runs a case as root with the kernel's engine, or as a user without privileges with packet sockets."""
    words = [word for line in case.lines for word in ("-c", line)]
    if engine == "sockets" and os.getuid() == 0:
        done = pynetemu_as(ALICE, f"{_LABS}:{case.lab}", *words)
    else:
        command = [sys.executable, "-m", "pynetemu", f"{_LABS}:{case.lab}", *words]
        done = subprocess.run(command, cwd=CLONE, capture_output=True, text=True, errors="replace", timeout=60, check=False)
    return judge(case, done.stdout, done.stderr)


def judge(case: CaseOfTrace, output: str, errors: str) -> Played:
    headlines = [found[0].strip() for found in _HEADLINE.finditer(output)]
    hint = _HINT.findall(output)
    headline = headlines[-1] if headlines else f"no headline: {errors.strip()[-200:]}"
    state = "not triggered" if case.lacks else _state(case, headline, hint[-1:], output)
    return Played(state, headline, "".join(hint[-1:]), f"{output}\n{errors}")


def _state(case: CaseOfTrace, headline: str, hints: list[str], output: str) -> State:
    if case.is_healthy:
        return "right" if headline.startswith("✔") and "✗" not in output else "wrong"
    if case.lies and re.search(case.lies, " · ".join([headline, *hints])):
        return "wrong"
    if case.says and re.search(case.says, headline):
        return "right"
    if headline.startswith(("✔", "no packet")):
        return "not triggered" if case.hides else "silent"
    return "vague" if _VAGUE.search(headline) else "wrong"
