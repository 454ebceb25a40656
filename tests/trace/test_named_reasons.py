"""What the tables of a node add to the reasons that the kernel names."""

from types import SimpleNamespace
from typing import Any

import pytest

from pynetemu.trace.verdicts import case, drop_reasons
from tests.trace.test_causes import _case, _decision, _link, _sighting

pytestmark = pytest.mark.pure


@pytest.mark.parametrize(
    ("reason", "made", "kind", "text"),
    [
        *((f"NEIGH_{end}", {}, "arp", "for 10.2.0.2 (web) on eth1") for end in ("FAILED", "QUEUEFULL", "DEAD")),
        ("PKT_TOO_BIG", {}, "mtu", "1500 bytes, its MTU is 1400"),
        *(
            (f"QDISC_{end}", {"queue": (SimpleNamespace(kind="tbf", waiting=5), 3)}, "queue", "(tbf) was full: it dropped 3")
            for end in ("DROP", "OVERLIMIT", "CONGESTED")
        ),
    ],
)
def test_what_the_tables_add_to_a_reason_that_the_kernel_names(reason: str, made: dict[str, Any], kind: str, text: str) -> None:
    """Each of the kernel's names leads to the cause that knows more than the name says."""
    leaf = _sighting("r1", "eth0", "drop")
    leaf.event.reason, leaf.event.place = reason, "some_function < another"
    found = drop_reasons.reason_of_kernel(_case(_decision(), _link(), leaf=leaf, code=reason, **made))
    assert found.kind == kind and text in found.text
    assert (found.source, found.proof) == (case.KERNEL, f"{reason} in some_function < another")
