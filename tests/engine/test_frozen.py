"""Values made by `frozen`: what dataclasses of that kind do, these do too."""

import copy
import inspect
import pickle
from dataclasses import FrozenInstanceError, asdict, dataclass, replace
from typing import cast

import pytest

from pynetemu.frozen import as_data, frozen, frozen_but_for, replaced, with_quick_constructor

pytestmark = pytest.mark.pure


@with_quick_constructor
@dataclass(frozen=True, slots=True)
class _Spot:
    """A place with a name."""

    name: str
    y: int = 0


@frozen
class _Point:
    """A place."""

    x: int
    y: int = 0

    @property
    def doubled(self) -> int:
        return 2 * self.x


@frozen
class _Nothing:
    """No fields at all."""


@frozen_but_for(("where",))
class _Said:
    def __init__(self, what: str, where: str = "") -> None: ...  # for type checkers: it is made of the annotations

    what: str
    where: str = ""


def test_it_is_made_in_order_or_by_name() -> None:
    assert (_Point(1).x, _Point(1).y, _Point(y=2, x=1).y, _Point(3).doubled) == (1, 0, 2, 6)
    assert repr(_Nothing()) == "_Nothing()"
    assert (repr(_Point(1, 2)), _Point.__doc__) == ("_Point(x=1, y=2)", "A place.")
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        _Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        _Point(1, z=3)  # type: ignore[call-arg]


def test_it_cannot_change() -> None:
    point = _Point(1)
    for name in ("x", "other"):
        with pytest.raises(AttributeError, match=f"_Point is a value: {name} cannot change"):
            setattr(point, name, 2)
    with pytest.raises(AttributeError, match="_Point is a value: x cannot change"):
        del point.x
    assert not hasattr(point, "__dict__")
    assert "__weakref__" not in vars(_Point), "which would be that of the class as it was written"


def test_it_is_equal_when_it_says_the_same() -> None:
    assert _Point(1) == _Point(1, 0) != _Point(2)
    assert (_Point(1) == cast("object", (1, 0))) is False
    assert {_Point(1): "a"}[_Point(1, 0)] == "a"
    assert _Said("a", "here") == _Said("a", "there") != _Said("b", "here")
    assert hash(_Said("a", "here")) == hash(_Said("a", "there"))
    assert _Nothing() == _Nothing() != cast("object", _Point(1))


def test_it_can_be_copied_matched_and_asked_for_its_signature() -> None:
    point = _Point(1, 2)
    assert copy.deepcopy(point) == pickle.loads(pickle.dumps(point)) == point
    match point:
        case _Point(x, y):
            assert (x, y) == (1, 2)
    assert str(inspect.signature(_Point)) == "(x: int, y: int = 0)"


def test_a_dataclass_with_the_quick_constructor_is_what_it_was() -> None:
    assert str(inspect.signature(_Spot)) == "(name: str, y: int = 0) -> None"
    assert _Spot("a") == _Spot("a", 0) == _Spot(name="a", y=0) != _Spot("a", y=3)
    assert repr(_Spot("a", y=3)) == "_Spot(name='a', y=3)" and asdict(_Spot("b", 4)) == {"name": "b", "y": 4}
    assert replace(_Spot("a"), y=5) == pickle.loads(pickle.dumps(_Spot("a", 5)))
    with pytest.raises(FrozenInstanceError):
        _Spot("a").y = 2  # type: ignore[misc]
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'name'"):
        _Spot()  # type: ignore[call-arg]


def test_another_differs_in_some_fields() -> None:
    point = _Point(1, 2)
    assert as_data(point) == {"x": 1, "y": 2}
    assert (replaced(point, y=3), point) == (_Point(1, 3), _Point(1, 2))
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        replaced(point, z=3)
