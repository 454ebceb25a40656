"""What a description says that its links do to packets, and what is to do it."""

from collections.abc import Callable, Iterable, Mapping

from pynetemu.plan.operations.values import Kernel
from pynetemu.plan.problems import Problems, Wrong
from pynetemu.plan.resolve.network import ResolvedDirection
from pynetemu.plan.shaping.impairment import SETTINGS, Impairment, read_impairment
from pynetemu.plan.shaping.mechanisms import RELAY_RATE, choose_for_link
from pynetemu.plan.units import rate
from pynetemu.topology.impairments import Preset, presets
from pynetemu.topology.links import IMPAIRING, Link
from pynetemu.topology.part import quoted
from pynetemu.topology.tunnels import Tunnel
from pynetemu.wording import near_or_all

Directions = tuple[ResolvedDirection | None, ResolvedDirection | None]
_SIDES = "a_to_b", "b_to_a"
_PLAIN: Directions = (None, None)


def read_directions(part: Link, nodes: Iterable[str], kernel: Callable[[], Kernel], problems: Problems) -> Directions:
    """Both directions, with their mechanism; one that does nothing is None. `nodes` are the names of all."""
    if isinstance(part, Tunnel):
        given = next(name for name in IMPAIRING if getattr(part, name) is not None)
        hint = "its packets go over the links below it: set it on one of those"
        problems.add(part.declaration, f"{given}: a tunnel is not a wire, and does nothing to packets itself", hint)
        return _PLAIN
    count = len(problems)
    wanted = [_read(part, side, problems) for side in _SIDES]
    for wrong in unknown_nodes(wanted, nodes):
        problems.add(part.declaration, wrong.text, wrong.hint)
    if len(problems) > count:
        return _PLAIN
    return problems.check(part.declaration, _with_mechanisms, part, wanted, kernel(), problems) or _PLAIN


def unknown_nodes(wanted: Iterable[Impairment], nodes: Iterable[str]) -> list[Wrong]:
    """What is wrong with packets towards nodes that there are not."""
    known = sorted(nodes)
    named = [node for direction in wanted for node, _ in direction.towards if node not in known]
    return [Wrong(f"towards: there is no node {quoted(node)}", near_or_all(node, known)) for node in named]


def _with_mechanisms(part: Link, wanted: list[Impairment], kernel: Kernel, problems: Problems) -> Directions:
    """Raises Wrong."""
    chosen = choose_for_link(wanted, kernel, part.mechanism)
    if "relay" in chosen and (fastest := max(direction.rate for direction in wanted)) > RELAY_RATE:
        text = f"rate={rate(fastest)} is more than the relay carries, about {rate(RELAY_RATE)} on an idle machine"
        problems.warn(part.declaration, text, "the kernel's tbf does rates without delay; see docs/limitations.md")
    if part.mechanism is not None and not any(wanted):
        raise Wrong(f"mechanism={part.mechanism!r} has nothing to do", 'for instance: delay="20ms"')
    made = [ResolvedDirection(w.words, how) if how else None for w, how in zip(wanted, chosen, strict=True)]
    return made[0], made[1]


def _read(part: Link, side: str, problems: Problems) -> Impairment:
    settings = problems.check(part.declaration, _settings, part, side)
    if settings is None:
        return Impairment()
    return read_impairment(settings, lambda wrong: problems.add(part.declaration, wrong.text, wrong.hint))


def _settings(part: Link, side: str) -> Mapping[str, object]:
    """Those of one direction: its own, else those of both, else the preset's. Raises Wrong."""
    return {**_preset(part, side), **_common(part), **_own(part, side)}


def _common(part: Link) -> Mapping[str, object]:
    return {name: value for name in SETTINGS if (value := getattr(part, name)) is not None}


def _preset(part: Link, side: str) -> Mapping[str, object]:
    if part.preset is None:
        return {}
    preset: Preset | None = presets().get(part.preset) if isinstance(part.preset, str) else None
    if preset is None:
        raise Wrong(f"preset={quoted(part.preset)} is not known", near_or_all(str(part.preset), presets(), "there are"))
    return preset.up if side == "a_to_b" else preset.down


def _own(part: Link, side: str) -> Mapping[str, object]:
    own = getattr(part, side)
    if own is None:
        return {}
    if not isinstance(own, Mapping):
        raise Wrong(f"{side}={quoted(own)} is not a table", f'it has settings: {side}={{"rate": "1mbit"}}')
    return {str(name): value for name, value in own.items()}
