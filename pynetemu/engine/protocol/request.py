"""What all requests have in common: they are frozen values, made known to engines, and their class says what the answer is."""

from types import GenericAlias
from typing import TYPE_CHECKING, Any, Generic, TypeVar, dataclass_transform, get_args

from pynetemu.frozen import frozen

A_co = TypeVar("A_co", covariant=True)
_T = TypeVar("_T")


if TYPE_CHECKING:

    class _Answered(Generic[A_co]):
        """Says what is answered."""
else:

    class _Answered:
        """What of typing.Generic is needed: making dozens of classes with that takes half a millisecond longer, twice."""

        __slots__ = ()
        __class_getitem__ = classmethod(GenericAlias)


class Request(_Answered[A_co]):
    """What is asked; `A_co` is what is answered, as `codec` knows it."""

    __slots__ = ()

    @classmethod
    def answer_kind(cls) -> Any:
        """What is answered: Spawn.answer_kind() is int."""
        (base,) = cls.__orig_bases__  # type: ignore[attr-defined]
        return get_args(base)[0]


REQUESTS: dict[str, type[Request[Any]]] = {}


@dataclass_transform(frozen_default=True)
def request(cls: type[_T]) -> type[_T]:
    """Makes a request of its annotations, as `frozen` does, and makes it known to engines."""
    made = frozen(cls)
    REQUESTS[cls.__name__] = made  # type: ignore[assignment]
    return made
