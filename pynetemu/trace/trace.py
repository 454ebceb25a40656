"""What a trace saw: journeys, to be shown, asked and asserted on."""

from collections.abc import Iterator, Mapping, Sequence

from pynetemu.trace.fates import Ending
from pynetemu.trace.journeys import Journey
from pynetemu.trace.style import Style
from pynetemu.trace.wiring import Wiring


class Trace:
    """The journeys of a traced time, numbered from 1.

    `engine` is "kernel" or "tap", `lost` how many sightings the engine had to miss.
    """

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self.journeys: list[Journey] = []
        self.engine = ""
        self.lost = 0
        self._endings: Mapping[int, Sequence[Ending]] = {}

    def fill(self, journeys: list[Journey], endings: Mapping[int, Sequence[Ending]], *, engine: str, lost: int) -> None:
        self.journeys, self._endings, self.engine, self.lost = journeys, endings, engine, lost

    def __len__(self) -> int:
        return len(self.journeys)

    def __iter__(self) -> Iterator[Journey]:
        return iter(self.journeys)

    def __getitem__(self, number: int) -> Journey:
        if not 1 <= number <= len(self.journeys):
            has = f"it has 1 to {len(self.journeys)}" if self.journeys else "it saw no packet"
            raise LookupError(f"the trace has no packet {number}; {has}")
        return self.journeys[number - 1]

    def endings(self, journey: Journey) -> Sequence[Ending]:
        """How a journey ended, at each place where it did."""
        return self._endings.get(journey.number, ())

    def data(self) -> list[dict[str, object]]:
        """The journeys for json.dumps."""
        from pynetemu.trace.report import as_data

        return as_data(self)

    def ladder(self, style: Style | None = None, *, everything: bool = False) -> str:
        """The packets as text, one line each; `everything` shows the chatter of switches and of IPv6 too."""
        from pynetemu.trace.report import report

        return report(self, style or Style(), everything=everything)
