"""What links do to packets: read from descriptions, written into plans, and who does it."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynetemu import Host, Impairment, Limit, Link, Loss, Queue, Topology, codel, four_state, gilbert_elliott, presets, red
from pynetemu.plan.as_shell import as_shell
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.operations import AddVeth, Impair
from pynetemu.plan.problems import Wrong
from pynetemu.plan.shaping.distributions import SIZE, table
from pynetemu.plan.shaping.impairment import DISTRIBUTIONS, from_words, read_impairment
from pynetemu.plan.shaping.mechanisms import choose, choose_for_link, netem_limit, takes_buffers

pytestmark = pytest.mark.pure

_ALL = frozenset({"netem", "tbf", "fq_codel", "cake", "pie", "ingress", "cls_bpf"})
_WITHOUT_NETEM = _ALL - {"netem"}
_SHARES = st.integers(0, 10**6).map(lambda millionths: Fraction(millionths, 10**6))
_TIMES = st.integers(0, 600 * 10**9)
_LOSSES = st.one_of(
    st.builds(Loss, st.just("random"), st.tuples(_SHARES)),
    st.builds(Loss, st.just("gilbert_elliott"), st.tuples(*[_SHARES] * 4)),
    st.builds(Loss, st.just("four_state"), st.tuples(*[_SHARES] * 5)),
)


@given(
    _TIMES, _TIMES, st.sampled_from(DISTRIBUTIONS), _LOSSES, st.integers(1, 10**12), _SHARES, st.integers(1, 10**6),
    st.integers(0, 2**64 - 1),
)  # fmt: skip
def test_words_are_read_back_to_the_same_value(
    delay: int, jitter: int, distribution: str, loss: Loss, rate: int, share: Fraction, packets: int, seed: int
) -> None:
    wanted = Impairment(
        delay=max(delay, jitter, 1),
        jitter=min(delay, jitter),
        distribution=distribution if min(delay, jitter) else "normal",  # type: ignore[arg-type]
        loss=loss,
        rate=rate,
        limit=Limit(packets=packets),
        duplicate=share,
        reorder=share,
        slot=(min(delay, jitter), max(delay, jitter, 1)),
        seed=seed,
    )
    assert from_words(wanted.words) == wanted


def test_settings_are_read_as_users_write_them() -> None:
    wanted = read_impairment(
        {"delay": "20ms", "jitter": "2ms", "loss": gilbert_elliott("1%", "25%"), "rate": "10mbit", "queue": codel(ecn=True)}
    )
    assert (wanted.delay, wanted.jitter, wanted.rate) == (20_000_000, 2_000_000, 10_000_000)
    assert wanted.loss == Loss("gilbert_elliott", (Fraction(1, 100), Fraction(1, 4), Fraction(1), Fraction(0)))
    assert wanted.queue == Queue("codel", ecn=True)
    assert read_impairment({"loss": four_state("1%", "90%")}).loss == Loss(
        "four_state", (Fraction(1, 100), Fraction(9, 10), Fraction(0), Fraction(1), Fraction(0))
    )
    assert read_impairment({"queue": red("15kb", "45kb"), "rate": "1mbit"}).queue == Queue(
        "red", least=15360, most=46080, probability=Fraction(1, 10)
    )
    assert not read_impairment({"loss": "0%", "delay": "0ms"})
    with pytest.raises(Wrong, match="jitter 2ms is more than the delay of 1ms"):
        read_impairment({"delay": "1ms", "jitter": "2ms"})


@pytest.mark.parametrize(
    ("settings", "kernel", "mechanism"),
    [
        ({"delay": "20ms"}, _ALL, "netem"),
        ({"delay": "20ms"}, _WITHOUT_NETEM, "relay"),
        ({"delay": "20ms"}, None, "relay"),
        ({"delay": "20ms", "seed": 1}, _ALL, "relay"),
        ({"rate": "1mbit"}, _ALL, "tbf"),
        ({"rate": "1mbit"}, frozenset({"netem"}), "netem"),
        ({"rate": "1mbit"}, frozenset(), "relay"),
        ({"rate": "1mbit", "queue": "codel"}, _ALL, "relay"),
        ({"rate": "1mbit", "queue": "fq_codel"}, _ALL, "tbf"),
        ({"rate": "1mbit", "delay": "1ms", "limit": "20 packets"}, _ALL, "relay"),
        ({"loss": "1%"}, _ALL, "netem"),
        ({"loss": "1%"}, _WITHOUT_NETEM, "filter"),
        ({"loss": "1%"}, frozenset({"ingress"}), "relay"),
        ({"loss": gilbert_elliott("1%", "9%")}, _WITHOUT_NETEM, "relay"),
    ],
)
def test_the_first_mechanism_that_can_is_taken(
    settings: dict[str, object], kernel: frozenset[str] | None, mechanism: str
) -> None:
    assert choose(read_impairment(settings), kernel) == mechanism


def test_both_directions_go_through_the_relay_if_one_needs_it_but_for_the_kernels_queues() -> None:
    plain, rate, delay = (read_impairment(settings) for settings in ({}, {"rate": "1mbit"}, {"delay": "1ms", "seed": 1}))
    fair = read_impairment({"rate": "1mbit", "queue": "fq_codel"})
    assert choose_for_link([rate, plain], _WITHOUT_NETEM) == ["tbf", None]
    assert choose_for_link([rate, delay], _WITHOUT_NETEM) == ["relay", "relay"]
    assert choose_for_link([fair, delay], _WITHOUT_NETEM) == ["tbf", "relay"]
    assert choose_for_link([fair, rate], _WITHOUT_NETEM, relayed=True) == ["tbf", "relay"]
    assert choose_for_link([rate, plain], _WITHOUT_NETEM, "tbf", relayed=True) == ["tbf", None]
    with pytest.raises(Wrong, match="has no queue fq_codel"):
        choose_for_link([fair, delay], _WITHOUT_NETEM, "relay")


def test_the_relay_takes_buffers_of_tcp_whole_where_all_packets_are_treated_alike() -> None:
    for settings in {}, {"delay": "20ms", "seed": 4}, {"rate": "1gbit"}, {"rate": "2gbit", "delay": "5ms", "limit": "2mb"}:
        assert takes_buffers(read_impairment(settings)), settings
    each: list[dict[str, object]] = [
        {"delay": "20ms", "jitter": "1ms"},
        {"loss": "1%"},
        {"loss": gilbert_elliott("1%", "25%")},
        {"duplicate": "1%"},
        {"corrupt": "1%"},
        {"delay": "20ms", "reorder": "1%"},
        {"slot": "10ms"},
        {"rate": "999mbit"},
        {"rate": "1gbit", "queue": "drop-head"},
        {"rate": "1gbit", "queue": codel()},
        {"rate": "1gbit", "limit": "900kb"},
        {"rate": "1gbit", "limit": "5000 packets"},
        {"towards": {"h2": {"delay": "1ms"}}},
        {"schedule": "0s does delay 20ms"},
    ]
    for settings in each:
        assert not takes_buffers(read_impairment(settings)), settings


def test_netem_has_room_for_what_is_on_its_way() -> None:
    at_rate = read_impairment({"delay": "100ms", "rate": "100mbit"})
    assert netem_limit(at_rate) * 1514 >= 100e6 / 8 * 0.2 - 1514  # 100 ms on the way, and as much in the queue
    assert netem_limit(read_impairment({"delay": "100ms"})) >= 100_000


class Lab(Topology):
    h1, h2 = Host(), Host()
    one_way = Link(h1, h2, a_to_b={"delay": "5ms"})
    home = Link(h1, h2, preset="dsl", rate="2mbit", b_to_a={"loss": "1%"})
    plain = Link(h1, h2)
    lossy = Link(h1, h2, loss="12.5%")
    rated = Link(h1, h2, rate="8mbit")


def test_plans_say_each_direction_and_what_does_it() -> None:
    plan = compile_plan(Lab, kernel=lambda: _WITHOUT_NETEM)
    found = [(op.node, op.interface, op.mechanism, op.settings) for op in plan.operations if isinstance(op, Impair)]
    assert found == [
        ("h1", "eth0", "relay", ("delay 5ms",)),
        ("h1", "eth1", "relay", ("delay 25ms", "rate 2mbit")),
        ("h2", "eth1", "relay", ("delay 25ms", "loss 1%", "rate 2mbit")),
        ("h1", "eth3", "filter", ("loss 12.5%",)),
        ("h2", "eth3", "filter", ("loss 12.5%",)),
        ("h1", "eth4", "tbf", ("rate 8mbit",)),
        ("h2", "eth4", "tbf", ("rate 8mbit",)),
    ]
    assert [op.relayed for op in plan.operations if isinstance(op, AddVeth)] == [True, True, False, False, False]
    script = as_shell(plan)
    assert "# the relay, a process of pynetemu's, is left out: from h1 eth0 to h2 eth0: delay 5ms\n" in script
    code = "'4,32 0 0 4294963256,53 1 0 536870912,6 0 0 2,6 0 0 4294967295'"
    assert f"tc -n h2 filter replace dev eth3 ingress pref 1 handle 1 bpf da bytecode {code}\n" in script
    assert "tc -n h1 qdisc replace dev eth4 root handle 1: tbf rate 8mbit burst 3028b limit 103028b\n" in script


def test_plans_print_netem_without_what_is_nothing() -> None:
    script = as_shell(compile_plan(Lab, kernel=lambda: _ALL))
    assert "tc -n h2 qdisc replace dev eth1 root netem delay 25ms loss random 1% rate 2mbit limit 21\n" in script
    assert "ip netns exec h2 ethtool -K eth1 tso off gso off tx-udp-segmentation off\n" in script
    assert "0%" not in script


def test_presets_can_all_be_read_and_say_where_they_are_from() -> None:
    assert len(presets()) > 5
    for preset in presets().values():
        assert read_impairment(preset.up)
        assert read_impairment(preset.down)
        assert preset.source


def test_jitter_has_the_mean_and_the_deviation_that_are_asked() -> None:
    for distribution, deviation in (("normal", 1.0), ("pareto", 1.0), ("uniform", 3**-0.5)):
        values = table(distribution)
        assert abs(sum(values)) / SIZE < 0.001
        assert (sum(value**2 for value in values) / SIZE) ** 0.5 == pytest.approx(deviation, rel=0.1)
