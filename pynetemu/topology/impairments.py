"""What links between real machines do to packets: models of loss, queues, and links as they are found in the field.

    Link(a, b, delay="20ms", loss=gilbert_elliott("1%", "25%"), rate="10mbit", queue=codel())
    Link(home, isp, preset="dsl", loss="0.5%")

Models are written as text, and these functions only help to write it: `gilbert_elliott("1%", "25%")` is
"gilbert_elliott 1% 25% 100% 0%", as the shell takes it too.
"""

from collections.abc import Mapping

from pynetemu.frozen import frozen

Settings = Mapping[str, object]


def gilbert_elliott(to_bad: str, to_good: str, bad: str = "100%", good: str = "0%") -> str:
    """Losses in bursts: a link is good or bad, and loses in both states its share of packets.

        Link(a, b, loss=gilbert_elliott("1%", "25%"))     # bursts of 4 packets, 3.8 % lost in all

    With each packet a good link becomes bad with the probability `to_bad`, a bad one good with `to_good`; `bad` and `good`
    are the shares lost in these states. (Gilbert, Bell System Technical Journal 39, 1960; Elliott, BSTJ 42, 1963; `loss
    gemodel` of tc-netem(8), whose 1-h is `bad` and 1-k `good`.)
    """
    return f"gilbert_elliott {to_bad} {to_good} {bad} {good}"


def four_state(p13: str, p31: str, p32: str = "0%", p23: str = "100%", p14: str = "0%") -> str:
    """Losses in bursts and gaps: the Markov chain of four states that tc-netem(8) has as `loss state`.

    States: 1 received, 2 received within a burst, 3 lost within a burst, 4 lost alone. `p13` is the probability to go from
    state 1 to 3, and so on. (Salsano, Ludovici, Ordine, Giannuzzi: Definition of a general and intuitive loss model for
    packet networks and its implementation in the Netem module, 2009.)
    """
    return f"four_state {p13} {p31} {p32} {p23} {p14}"


def schedule(*steps: tuple[object, Settings], every: str = "", linear: bool = False) -> str:
    """What a link does over time, from the lab's start on: each step is a time and all settings that hold from then.

        Link(a, b, schedule=schedule((0, {"delay": "20ms"}), ("5s", {"delay": "80ms", "loss": "1%"})))
        Link(a, b, schedule=schedule((0, {}), (9, {"loss": "100%"}), every="10s"))            # gone for a second, every ten
        Link(a, b, schedule=schedule((0, {"delay": "20ms"}), ("30s", {"delay": "300ms"}), linear=True))

    Times are seconds, or text with a unit. It begins again after `every`; with `linear` numbers change evenly from each step to
    the next. Of a running lab: `net.link("wire").schedule(...)`.
    """
    parts = [_step(*step) if isinstance(step, tuple) and len(step) == 2 else repr(step) for step in steps]
    return " | ".join([*parts, *([f"every {_seconds(every)}"] if every else []), *(["linear"] if linear else [])])


def _step(time: object, settings: object) -> str:
    words = [f"{name} {value}" for name, value in settings.items()] if isinstance(settings, Mapping) else [repr(settings)]
    return f"{_seconds(time)} does {'; '.join(words)}".rstrip()


def _seconds(time: object) -> str:
    return f"{time}s" if isinstance(time, int | float) else str(time)


def codel(target: str = "5ms", interval: str = "100ms", *, ecn: bool = False) -> str:
    """A queue that drops what has waited for more than `target` during an `interval` (CoDel, RFC 8289).

    With `ecn` it marks the packets of senders that know congestion marks (RFC 3168), instead of dropping them.
    """
    return f"codel target {target} interval {interval}{' ecn' if ecn else ''}"


def red(least: str, most: str, probability: str = "10%", *, ecn: bool = False) -> str:
    """A queue that drops at random, the more the fuller it is on average (Random Early Detection, RFC 2309).

        Link(a, b, rate="10mbit", queue=red("15kb", "45kb"), limit="90kb")

    Nothing is dropped below `least` bytes of average length, `probability` at `most`, everything above. With `ecn` it marks.
    (Floyd and Jacobson: Random Early Detection Gateways for Congestion Avoidance, 1993.)
    """
    return f"red {least} {most} {probability}{' ecn' if ecn else ''}"


@frozen
class Preset:
    """A link as it is found in the field: `up` are the settings from its first end, the customer, to the second, `down` back.

    `source` says where the figures are from.
    """

    up: Settings
    down: Settings
    source: str


def _both(source: str, **settings: object) -> Preset:
    return Preset(settings, settings, source)


_WEBPAGETEST = "WebPageTest's connectivity profile of that name (its round trip halved)"
_PRESETS: Mapping[str, Preset] = {
    "lan": _both("IEEE 802.3ab (1000BASE-T); the delay is a round figure", delay="100us", rate="1gbit"),
    "wifi": _both("round figures, of a home with neighbors", delay="3ms", jitter="2ms", loss="0.1%", rate="50mbit"),
    "dsl": Preset({"delay": "25ms", "rate": "384kbit"}, {"delay": "25ms", "rate": "1.5mbit"}, _WEBPAGETEST),
    "cable": Preset({"delay": "14ms", "rate": "1mbit"}, {"delay": "14ms", "rate": "5mbit"}, _WEBPAGETEST),
    "lte": _both(_WEBPAGETEST, delay="35ms", rate="12mbit"),
    "5g": Preset(
        {"delay": "15ms", "jitter": "4ms", "rate": "50mbit"},
        {"delay": "15ms", "jitter": "4ms", "rate": "300mbit"},
        "round figures, of a band below 6 GHz",
    ),
    "geo": Preset(
        {"delay": "279ms", "rate": "3mbit"},
        {"delay": "279ms", "rate": "20mbit"},
        "RFC 2488, section 2 (558 ms both ways at the edge of a satellite's view); the rates are round figures",
    ),
    "leo": Preset(
        {"delay": "20ms", "jitter": "5ms", "loss": "0.4%", "rate": "17mbit"},
        {"delay": "20ms", "jitter": "5ms", "loss": "0.4%", "rate": "178mbit"},
        "Michel and others: A first look at Starlink performance, IMC 2022, rounded",
    ),
    "intercontinental": _both("ITU-T G.114, annex A: 5 us per km of fiber, over 15,000 km", delay="75ms"),
}


def presets() -> Mapping[str, Preset]:
    """Links as they are found in the field, by the names that `Link(preset=...)` takes, each with the source of its figures.

    presets()["geo"].down["delay"] == "279ms"
    """
    return _PRESETS
