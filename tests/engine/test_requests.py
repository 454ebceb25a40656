"""What an engine can be asked: every request survives the way, what is none is refused, and versions are told apart."""

from pathlib import Path
from typing import Any, get_args, get_origin

import pytest

from pynetemu import __version__
from pynetemu.engine.protocol.channel import Behind, read_body
from pynetemu.engine.protocol.codec import Descriptor, NotUnderstood, from_data, to_data
from pynetemu.engine.protocol.envelope import (
    Refusal,
    Refused,
    pack_answer,
    pack_refusal,
    pack_request,
    unpack_answer,
    unpack_request,
)
from pynetemu.engine.protocol.requests import (
    PROTOCOL,
    REQUESTS,
    OpenNode,
    OpenSocket,
    Request,
    Resume,
    Signal,
    Spawn,
    Started,
    TakeRing,
)

pytestmark = pytest.mark.pure

_KNOWN = Path(__file__).with_name("requests.txt")


def _example(kind: Any, descriptors: list[int]) -> Any:
    """A value of what an annotation says, in which no two descriptors are equal."""
    if kind is Descriptor:
        descriptors.append(100 + len(descriptors))
        return Descriptor(descriptors[-1])
    match get_origin(kind), get_args(kind):
        case (origin, (inner, *_)) if origin is tuple:
            return (_example(inner, descriptors), _example(inner, descriptors))
        case (origin, (_, inner)) if origin is dict:
            return {"a": _example(inner, descriptors), "ä\udc80": _example(inner, descriptors)}
        case (None, ()):
            pass
        case (_, (inner, *_)):  # X | None
            return _example(inner, descriptors)
    if hasattr(kind, "__match_args__"):
        return kind(**{name: _example(kind.__annotations__[name], descriptors) for name in kind.__match_args__})
    return {
        str: "x\udc80\n",
        bytes: b"\0\xff",
        int: 7,
        float: 0.25,
        bool: True,
        None: None,
        type(None): None,
        Any: [1, {"a": None}],
    }[kind]


def _travelled(message: Any) -> Any:
    behind = Behind()
    return read_body(bytearray(behind.body(behind.text(message))))


@pytest.mark.parametrize("kind", REQUESTS.values(), ids=REQUESTS)
def test_requests_and_answers_survive_the_way(kind: type[Request[Any]]) -> None:
    inside: list[int] = []
    request = _example(kind, inside)
    message, descriptors = pack_request(request, 3)
    assert descriptors == inside
    arrived = [number + 100 for number in descriptors]
    unpacked = unpack_request(_travelled(message), arrived)
    assert _travelled(pack_request(unpacked, 3)[0]) == _travelled(message)
    assert pack_request(unpacked)[1] == arrived
    inside = []
    answer = _example(kind.answer_kind(), inside)
    message, descriptors = pack_answer(request, answer, 3)
    assert descriptors == inside
    assert unpack_answer(request, _travelled(message), descriptors) == answer


@pytest.mark.parametrize("kind", REQUESTS.values(), ids=REQUESTS)
def test_every_field_is_required_and_checked(kind: type[Any]) -> None:
    descriptors: list[int] = []
    fields = to_data(_example(kind, []), descriptors)
    for name in kind.__match_args__:
        if name not in kind.__defaults__:
            with pytest.raises(NotUnderstood, match=f"^{kind.__name__} lacks {name}$"):
                from_data(kind, {key: value for key, value in fields.items() if key != name}, descriptors)
        with pytest.raises(NotUnderstood, match=rf"^{kind.__name__}\.{name}: "):
            from_data(kind, {**fields, name: [[{}]]}, descriptors)
    with pytest.raises(NotUnderstood, match=f"^{kind.__name__} has no 'more'$"):
        from_data(kind, {**fields, "more": 1}, descriptors)
    with pytest.raises(NotUnderstood, match=f"^{kind.__name__}: \\[\\] is not an object$"):
        from_data(kind, [], descriptors)


@pytest.mark.parametrize(
    ("kind", "data", "reason"),
    [
        (int, True, "True is not a whole number"),
        (int, 1.0, "1.0 is not a whole number"),
        (float, "1", "'1' is not a number"),
        (bool, 0, "0 is not true or false"),
        (str, None, "None is not text"),
        (tuple[str, ...], "ab", "'ab' is not a list"),
        (tuple[str, ...], ["a", 1], "1 is not text"),
        (dict[str, int], [], r"\[\] is not an object"),
        (dict[str, int], {"a": "b"}, "'b' is not a whole number"),
        (Descriptor, 2, "2 is none of the 2 descriptors that came with it"),
        (Descriptor, -1, "-1 is none of the 2 descriptors"),
        (Descriptor, True, "True is none of the 2 descriptors"),
        (Descriptor | None, "x", "'x' is none of the 2 descriptors"),
        (type(None), 0, "0 is not null"),
        (str, ["x" * 1000] * 1000, "'xxx.*[.][.][.] is not text"),
    ],
)
def test_what_a_field_may_not_be_is_told(kind: Any, data: Any, reason: str) -> None:
    with pytest.raises(NotUnderstood, match=f"^.?{reason}"):
        from_data(kind, data, [3, 4])


def test_what_may_be_missing_is_none() -> None:
    assert from_data(Resume, {"job": 1}, ()) == Resume(1)
    assert to_data(Resume(1), []) == {"job": 1, "terminal": None}
    assert unpack_answer(TakeRing("a"), pack_answer(TakeRing("a"), None)[0], ()) is None


def test_a_request_is_a_value() -> None:
    assert Signal(1, 15) == Signal(signal=15, job=1) != Signal(1, 9)
    assert len({Signal(1, 15), Signal(1, 15)}) == 1
    assert repr(Signal(1, 15)) == "Signal(job=1, signal=15)"
    with pytest.raises(AttributeError, match="Signal is a value: job cannot change"):
        Signal(1, 15).job = 2  # type: ignore[misc]
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'signal'"):
        Signal(1)  # type: ignore[call-arg]
    assert (Spawn.answer_kind(), OpenSocket.answer_kind()) == (Started, Descriptor)


@pytest.mark.parametrize(
    "message",
    [{}, {"protocol": PROTOCOL + 1, "do": "Describe"}, {"do": "describe"}, {"protocol": str(PROTOCOL), "do": "Describe"}],
)
def test_a_client_of_another_version_is_told(message: dict[str, Any]) -> None:
    with pytest.raises(NotUnderstood, match=f"was started by another version of pynetemu, {__version__}: use the same version"):
        unpack_request(message, ())


@pytest.mark.parametrize("name", ["describe", "", None, 1, [], "Request"])
def test_an_unknown_request_is_told_with_the_version(name: object) -> None:
    with pytest.raises(NotUnderstood, match=f"started by pynetemu {__version__}, which does not know the request"):
        unpack_request({"protocol": PROTOCOL, "do": name, "fields": {}}, ())


def test_an_engine_of_another_version_is_told() -> None:
    with pytest.raises(Refused, match=f"another version of pynetemu than this, {__version__}"):
        unpack_answer(Signal(1, 2), {"protocol": PROTOCOL + 1, "answer": None}, ())
    with pytest.raises(
        Refused, match=r"^the lab's engine does not know the request$"
    ):  # in its own words, of the first version
        unpack_answer(Signal(1, 2), {"error": "lab", "message": "the lab's engine does not know the request"}, ())
    with pytest.raises(Refused, match=r"^the lab's answer is not understood: NodeNamespaces lacks mnt$"):
        unpack_answer(OpenNode("a"), {"protocol": PROTOCOL, "answer": {"net": 0, "uts": 0, "pid": 0}}, (3,))


def test_a_refusal_survives_the_way() -> None:
    refusal = Refusal("privilege", step="unshare", errno=1)
    with pytest.raises(Refused) as caught:
        unpack_answer(Signal(1, 2), {**_travelled(pack_refusal(refusal, 3)), "of a later version": 1}, ())
    assert caught.value.refusal == refusal


def _signature(kind: type[Any]) -> str:
    fields = ", ".join(
        f"{name}: {_name(kind.__annotations__[name])}"
        + (f" = {kind.__defaults__[name]!r}" if name in kind.__defaults__ else "")
        for name in kind.__match_args__
    )
    return f"{kind.__name__}({fields})" + (f" -> {_name(kind.answer_kind())}" if issubclass(kind, Request) else "")


def _name(kind: Any) -> str:
    """As it is written, but for frozen values, which are written with their fields."""
    if hasattr(kind, "__match_args__"):
        return _signature(kind)
    inner = ["..." if one is ... else _name(one) for one in get_args(kind)]
    if (origin := get_origin(kind)) in (tuple, dict):
        return f"{origin.__name__}[{', '.join(inner)}]"
    return " | ".join(inner) or ("None" if kind in (None, type(None)) else str(kind.__name__))


def test_the_requests_of_this_version_stay_as_they_are() -> None:
    """New requests need nothing. Where another changes: raise PROTOCOL, and run `python -m tests.engine.test_requests`."""
    number, *known = _KNOWN.read_text().splitlines()
    assert int(number) == PROTOCOL
    assert set(known) <= set(map(_signature, REQUESTS.values()))


if __name__ == "__main__":
    _KNOWN.write_text("\n".join([str(PROTOCOL), *sorted(map(_signature, REQUESTS.values()))]) + "\n")
