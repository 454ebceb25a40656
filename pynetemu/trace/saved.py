"""A trace as data that can be kept: all that its views, its questions and its assertions need, without the lab.

    {"pynetemu": "trace", "version": 1, "engine": "kernel", "packets": [{"number": 1, "sightings": [...], ...}], ...}

Frames are in base64, times in nanoseconds since 1970. In a pcapng file the same data lies in a block of its own, which other
programs pass over.
"""

import json
import os
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pynetemu.capture import pcapng
from pynetemu.errors import LabError
from pynetemu.trace.evidence.evidence import Question
from pynetemu.trace.evidence.meanwhile import Change
from pynetemu.trace.evidence.traced_line import TracedLine
from pynetemu.trace.journeys.journey import Journey, Sighting
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.sources.events import Event
from pynetemu.trace.verdicts.record import TraceRecord
from pynetemu.trace.verdicts.verdict import Ending, Reason

VERSION = 1
_MARK = b"pynetemu trace\0"

Data = Mapping[str, Any]


def data_of(trace: TraceRecord) -> dict[str, Any]:
    """The whole of a trace; every packet is judged for it."""
    wiring = trace.wiring
    return {
        "pynetemu": "trace",
        "version": VERSION,
        "engine": trace.engine,
        "lost": trace.lost,
        "rules_missed": trace.rules_missed,
        "nodes": dict(wiring.kinds),
        "peers": [[*near, *far] for near, far in wiring.peers.items()],
        "addresses": {address: sorted(nodes) for address, nodes in wiring.named_addresses.items()},
        "lines": [asdict(line) for line in trace.lines],
        "changes": [asdict(change) for change in trace.changes],
        "problems": [asdict(reason) for reason in trace.node_problems],
        "packets": [_packet(trace, journey) for journey in trace],
    }


def _packet(trace: TraceRecord, journey: Journey) -> dict[str, Any]:
    places = {id(sighting): number for number, sighting in enumerate(journey.sightings)}
    endings = (
        {"at": places.get(id(one.sighting), 0), "fate": one.fate, "reason": asdict(one.reason) if one.reason else None}
        for one in trace.endings(journey)
    )
    return {
        "number": journey.number,
        "again": journey.again,
        "sightings": [_sighting(sighting, places) for sighting in journey.sightings],
        "endings": list(endings),
        "asked": [asdict(question) for question in trace.asked(journey)],
    }


def _sighting(sighting: Sighting, places: Mapping[int, int]) -> dict[str, Any]:
    event = sighting.event
    told = {key: getattr(event, key) for key in ("reason", "place", "mark") if getattr(event, key) not in ("", None)}
    return {
        "time": event.time,
        "node": event.node,
        "interface": event.interface,
        "kind": event.kind,
        "frame": b64encode(event.data).decode(),
        "length": event.length,
        "before": places.get(id(sighting.before)) if sighting.before is not None else None,
        **told,
    }


def wiring_of(data: Data) -> Wiring:
    """The names and links that the trace was taken with."""
    peers = {(near, interface): (far, other) for near, interface, far, other in data["peers"]}
    return Wiring.known(data["nodes"], peers, {address: set(nodes) for address, nodes in data["addresses"].items()})


def restore(trace: TraceRecord, data: Data) -> None:
    """Gives a trace that was just made what was kept of another."""
    trace.engine, trace.lost, trace.rules_missed = data["engine"], data["lost"], data["rules_missed"]
    trace.lines = [TracedLine(line["node"], tuple(line["words"]), line["status"]) for line in data["lines"]]
    trace.changes = [Change(**change) for change in data["changes"]]
    trace.node_problems = [_reason(reason) for reason in data["problems"]]
    for packet in data["packets"]:
        journey = _journey(packet)
        endings = tuple(
            Ending(journey.sightings[one["at"]], one["fate"], _reason(one["reason"]) if one["reason"] else None)
            for one in packet["endings"]
        )
        trace.restore(journey, endings, tuple(Question(**question) for question in packet["asked"]))


def _journey(packet: Data) -> Journey:
    sightings: list[Sighting] = []
    for one in packet["sightings"]:
        known = {key: one[key] for key in ("reason", "place", "mark") if key in one}
        frame = b64decode(one["frame"])
        event = Event(one["time"], one["node"], one["interface"], one["kind"], frame, one["length"], **known)
        sightings.append(Sighting(event, None if one["before"] is None else sightings[one["before"]]))
    return Journey(sightings, packet["number"], packet["again"])


def _reason(reason: Data) -> Reason:
    return Reason(**{**reason, "details": tuple(reason["details"])})


def as_json(trace: TraceRecord) -> bytes:
    """For a file of its own."""
    return json.dumps(data_of(trace), separators=(",", ":")).encode() + b"\n"


def as_block(trace: TraceRecord) -> bytes:
    """For a block of a pcapng file."""
    return _MARK + zlib.compress(as_json(trace))


def read(file: str | os.PathLike[str]) -> Data:
    """The data of a file that `Trace.save` wrote, of either kind. Raises OSError, and LabError for any other file."""
    with open(file, "rb") as opened:
        content = opened.read()
    name = os.fspath(file)
    try:
        text = _in_pcapng(content, name) if content[:4] == pcapng.MAGIC else content
        data = json.loads(text)
    except (ValueError, zlib.error):
        raise LabError(f"{name} is no trace that pynetemu saved: it is neither its JSON nor pcapng") from None
    if not isinstance(data, dict) or data.get("pynetemu") != "trace":
        raise LabError(f'{name} is no trace that pynetemu saved: it does not begin with "pynetemu": "trace"')
    return checked(data, name)


def checked(data: Data, name: str) -> Data:
    """The data, if it is of the version that is known; raises LabError."""
    if data.get("version") != VERSION:
        raise LabError(f"{name} has version {data.get('version')} of saved traces, and this pynetemu reads version {VERSION}")
    return data


def _in_pcapng(content: bytes, name: str) -> bytes:
    block = next((found for found in pcapng.custom_blocks(content) if found.startswith(_MARK)), None)
    if block is None:
        raise LabError(f"{name} has packets and no trace: a capture, or a trace whose file another program has rewritten")
    return zlib.decompress(block.removeprefix(_MARK))
