"""The commands that ran while a trace was on: what they wanted to reach, and whether they succeeded."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

_PROBING = ("traceroute", "traceroute6", "tracepath", "mtr", "nmap")
_WORD = re.compile(r"[\w:.%-]+")


@dataclass(frozen=True, slots=True)
class TracedLine:
    """A command in a node, with its words and its exit status (None while it runs, or where nobody has waited for it)."""

    node: str
    words: tuple[str, ...]
    status: int | None = None

    def targets(self, addresses_of: Callable[[str], Sequence[str]]) -> list[str]:
        """The addresses that its words name, themselves or by the name of a node, in the order of the words."""
        found: list[str] = []
        for word in _words(self.words):
            address = _address(word)
            found += [address] if address else [one for one in addresses_of(word) if word != self.node]
        return list(dict.fromkeys(found))

    def words_after(self, *options: str) -> Iterator[str]:
        """What follows one of these options: `-I ADDRESS`, `-IADDRESS`, `--interface=ADDRESS`."""
        words = self.separated
        for word, following in zip(words, (*words[1:], ""), strict=True):
            for option in options:
                if word == option:
                    yield following
                elif word.startswith(option):
                    yield word.removeprefix(option).removeprefix("=")

    @property
    def separated(self) -> tuple[str, ...]:
        """Its words, and those of lines of a shell among them."""
        return tuple(word.strip("'\"") for text in self.words for word in text.split())

    @property
    def is_ping(self) -> bool:
        """Whether it is an echo request by ping(8), whose options are known."""
        return any(program in text.split() for text in self.words for program in ("ping", "ping6"))

    @property
    def is_probing(self) -> bool:
        """Whether it sends packets that shall not arrive, to learn who refuses them."""
        return any(program in text.split() for text in self.words for program in _PROBING)


def is_address(word: str) -> bool:
    """Whether a word is an IP address."""
    try:
        ip_address(word.partition("%")[0])
    except ValueError:
        return False
    return True


def _words(words: Sequence[str]) -> Iterator[str]:
    for text in words:
        for word in _WORD.findall(text):
            yield word
            if ":" in word:  # a host and a port, or a scheme and a host
                yield from word.split(":")


def _address(word: str) -> str:
    """An IP address that can be gone to, as the kernel writes it; "" for other words."""
    if len(word) < 3 or word.count(":") + word.count(".") < 2:
        return ""
    try:
        return str(ip_address(word.partition("%")[0]))
    except ValueError:
        return ""
