"""Files of recorded links: traces of Mahimahi, tables of settings and journals of fates, as what the engine is asked."""

import os
from collections import deque

from pynetemu.engine.protocol.relay_requests import FollowJournal, PlayLink, ReplayLink, Step
from pynetemu.lab.arguments import as_usage
from pynetemu.plan.inventory import Place
from pynetemu.plan.problems import Wrong
from pynetemu.plan.shaping.impairment import check_step, read_impairment
from pynetemu.plan.shaping.journals import is_journal, read_fates
from pynetemu.plan.shaping.replays import read_opportunities, read_table


def request_of(place: Place, file: str) -> PlayLink | ReplayLink | FollowJournal:
    """What replays a file. Raises UsageError and OSError."""
    with open(file, encoding="utf-8-sig", errors="replace") as opened:  # tables of Excel begin with a mark of their encoding
        text = opened.read()
    try:
        if is_journal(text):
            deque(read_fates(text), maxlen=0)
            return FollowJournal(*place, os.path.abspath(file))
        if not file.endswith(".csv"):
            return ReplayLink(*place, read_opportunities(text))
        table = [(time, read_impairment(own)) for time, own in read_table(text)]
        for time, settings in table:
            check_step(settings, f"the row at {time:g} s")
        steps = [Step(time, settings.words) for time, settings in table]
        length = table[-1][0] + (table[-1][0] - table[-2][0] if len(table) > 1 else 1.0)  # the last row lasts as its neighbor
        return PlayLink(*place, tuple(steps), length, False)
    except Wrong as wrong:
        raise as_usage(Wrong(f"{file}: {wrong.text}", wrong.hint)) from None
