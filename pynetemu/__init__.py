"""pynetemu: networks described as Python classes, running as Linux network namespaces.

    from pynetemu import Host, Link, Network, Root, Topology

    class Blue(Topology):
        root = Root()
        blue = Host(default_via="10.0.0.1")
        wire = Link(root.interface("veth_root", "10.0.0.1/24"), blue.interface("veth_blue", "10.0.0.2/24"))

    with Network(Blue()) as net:
        print(net["blue"].run("ping", "-c1", "root").stdout)

Everything public is here; nothing is imported before it is used (PEP 562), so that `pynetemu --help` answers at once.
"""

TYPE_CHECKING = False  # as typing has it, which takes longer to import than all else here

if TYPE_CHECKING:
    from typing import Any

    from pynetemu.capture.capture import Capture as Capture
    from pynetemu.draw.files import save_picture as save_picture
    from pynetemu.draw.text import as_picture as as_picture
    from pynetemu.errors import CommandError as CommandError
    from pynetemu.errors import CommandFailed as CommandFailed
    from pynetemu.errors import CommandNotFound as CommandNotFound
    from pynetemu.errors import CommandTimeout as CommandTimeout
    from pynetemu.errors import ConflictError as ConflictError
    from pynetemu.errors import DescriptionError as DescriptionError
    from pynetemu.errors import DescriptionWarning as DescriptionWarning
    from pynetemu.errors import DrawError as DrawError
    from pynetemu.errors import FilterError as FilterError
    from pynetemu.errors import KernelError as KernelError
    from pynetemu.errors import LabError as LabError
    from pynetemu.errors import PrivilegeError as PrivilegeError
    from pynetemu.errors import PynetemuError as PynetemuError
    from pynetemu.errors import ServiceError as ServiceError
    from pynetemu.errors import UsageError as UsageError
    from pynetemu.lab.changing import LabChange as LabChange
    from pynetemu.lab.drift import Difference as Difference
    from pynetemu.lab.events import AddressEvent as AddressEvent
    from pynetemu.lab.events import CaptureEvent as CaptureEvent
    from pynetemu.lab.events import ChangeEvent as ChangeEvent
    from pynetemu.lab.events import LabEvent as LabEvent
    from pynetemu.lab.events import LinkEvent as LinkEvent
    from pynetemu.lab.events import LostEvent as LostEvent
    from pynetemu.lab.events import NeighborEvent as NeighborEvent
    from pynetemu.lab.events import ProcessEvent as ProcessEvent
    from pynetemu.lab.events import RouteEvent as RouteEvent
    from pynetemu.lab.events import RuleEvent as RuleEvent
    from pynetemu.lab.events import ServiceEvent as ServiceEvent
    from pynetemu.lab.impairments import Direction as Direction
    from pynetemu.lab.impairments import LinkCounters as LinkCounters
    from pynetemu.lab.impairments import RunningLink as RunningLink
    from pynetemu.lab.links import LinkState as LinkState
    from pynetemu.lab.pairs import RunningPair as RunningPair
    from pynetemu.lab.process import Change as Change
    from pynetemu.lab.process import Process as Process
    from pynetemu.lab.reading import LabState as LabState
    from pynetemu.lab.running_labs import RunningLab as RunningLab
    from pynetemu.lab.running_labs import labs as labs
    from pynetemu.lab.services import ServiceNews as ServiceNews
    from pynetemu.lab.services import ServiceState as ServiceState
    from pynetemu.lab.state import BridgeState as BridgeState
    from pynetemu.lab.state import ForwardingEntry as ForwardingEntry
    from pynetemu.lab.state import InterfaceState as InterfaceState
    from pynetemu.lab.state import Neighbor as Neighbor
    from pynetemu.lab.state import NeighborCounts as NeighborCounts
    from pynetemu.lab.state import PacketFilter as PacketFilter
    from pynetemu.lab.state import PortState as PortState
    from pynetemu.lab.state import QueueState as QueueState
    from pynetemu.lab.state import RouteState as RouteState
    from pynetemu.lab.state import RuleState as RuleState
    from pynetemu.lab.state import SocketState as SocketState
    from pynetemu.lab.state import Totals as Totals
    from pynetemu.lab.stream import Events as Events
    from pynetemu.measure.ping import Ping as Ping
    from pynetemu.measure.ping import Pings as Pings
    from pynetemu.measure.throughput import Throughput as Throughput
    from pynetemu.network.network import Network as Network
    from pynetemu.network.node import RunningNode as RunningNode
    from pynetemu.plan.compile import compile_plan as compile_plan
    from pynetemu.plan.operations import Plan as Plan
    from pynetemu.plan.shaping.impairment import Impairment as Impairment
    from pynetemu.plan.shaping.impairment import Limit as Limit
    from pynetemu.plan.shaping.impairment import Loss as Loss
    from pynetemu.plan.shaping.impairment import Queue as Queue
    from pynetemu.results import Result as Result
    from pynetemu.shell.answers import Answer as Answer
    from pynetemu.shell.answers import Table as Table
    from pynetemu.shell.command import command as command
    from pynetemu.shell.shell import Shell as Shell
    from pynetemu.topology import Bond as Bond
    from pynetemu.topology import Bridge as Bridge
    from pynetemu.topology import Dummy as Dummy
    from pynetemu.topology import Firewall as Firewall
    from pynetemu.topology import Gre as Gre
    from pynetemu.topology import Host as Host
    from pynetemu.topology import HttpServer as HttpServer
    from pynetemu.topology import Hub as Hub
    from pynetemu.topology import Interface as Interface
    from pynetemu.topology import Link as Link
    from pynetemu.topology import Macvlan as Macvlan
    from pynetemu.topology import Nat as Nat
    from pynetemu.topology import Node as Node
    from pynetemu.topology import Port as Port
    from pynetemu.topology import Preset as Preset
    from pynetemu.topology import Ready as Ready
    from pynetemu.topology import Root as Root
    from pynetemu.topology import Router as Router
    from pynetemu.topology import Service as Service
    from pynetemu.topology import Switch as Switch
    from pynetemu.topology import Topology as Topology
    from pynetemu.topology import VlanInterface as VlanInterface
    from pynetemu.topology import Vrf as Vrf
    from pynetemu.topology import Vxlan as Vxlan
    from pynetemu.topology import WireGuard as WireGuard
    from pynetemu.topology import codel as codel
    from pynetemu.topology import finished as finished
    from pynetemu.topology import four_state as four_state
    from pynetemu.topology import gilbert_elliott as gilbert_elliott
    from pynetemu.topology import presets as presets
    from pynetemu.topology import prints as prints
    from pynetemu.topology import red as red
    from pynetemu.topology import schedule as schedule
    from pynetemu.topology import tcp as tcp
    from pynetemu.topology import udp as udp
    from pynetemu.topology.devices import BridgePort as BridgePort
    from pynetemu.topology.shapes import Dumbbell as Dumbbell
    from pynetemu.topology.shapes import FatTree as FatTree
    from pynetemu.topology.shapes import Linear as Linear
    from pynetemu.topology.shapes import Mesh as Mesh
    from pynetemu.topology.shapes import Ring as Ring
    from pynetemu.topology.shapes import Single as Single
    from pynetemu.topology.shapes import Star as Star
    from pynetemu.topology.shapes import Torus as Torus
    from pynetemu.topology.shapes import Tree as Tree
    from pynetemu.trace.evidence.evidence import Question as Question
    from pynetemu.trace.evidence.traced_line import TracedLine as TracedLine
    from pynetemu.trace.journeys.journey import Hop as Hop
    from pynetemu.trace.journeys.journey import Journey as Journey
    from pynetemu.trace.journeys.journey import Sighting as Sighting
    from pynetemu.trace.sources.events import Event as Event
    from pynetemu.trace.trace import Trace as Trace
    from pynetemu.trace.tracer import Tracer as Tracer
    from pynetemu.trace.verdicts.outcome import Outcome as Outcome
    from pynetemu.trace.verdicts.verdict import Ending as Ending
    from pynetemu.trace.verdicts.verdict import Reason as Reason
    from pynetemu.trace.views.comparison import PacketDifference as PacketDifference

__version__ = "0.1.0"

_HOMES = {
    "pynetemu.lab.drift": "Difference",
    "pynetemu.lab.stream": "Events",
    "pynetemu.lab.events": (
        "AddressEvent CaptureEvent ChangeEvent LabEvent LinkEvent LostEvent NeighborEvent ProcessEvent RouteEvent "
        "RuleEvent ServiceEvent"
    ),
    "pynetemu.lab.reading": "LabState",
    "pynetemu.errors": (
        "CommandError CommandFailed CommandNotFound CommandTimeout ConflictError DescriptionError DescriptionWarning "
        "DrawError FilterError KernelError LabError PrivilegeError PynetemuError ServiceError UsageError"
    ),
    "pynetemu.network.network": "Network",
    "pynetemu.capture.capture": "Capture",
    "pynetemu.topology.devices": "BridgePort",
    "pynetemu.trace.sources.events": "Event",
    "pynetemu.lab.changing": "LabChange",
    "pynetemu.lab.impairments": "Direction LinkCounters RunningLink",
    "pynetemu.lab.pairs": "RunningPair",
    "pynetemu.lab.links": "LinkState",
    "pynetemu.lab.running_labs": "RunningLab labs",
    "pynetemu.lab.services": "ServiceNews ServiceState",
    "pynetemu.lab.state": (
        "BridgeState ForwardingEntry InterfaceState Neighbor NeighborCounts PacketFilter PortState QueueState RouteState "
        "RuleState SocketState Totals"
    ),
    "pynetemu.measure.ping": "Ping Pings",
    "pynetemu.measure.throughput": "Throughput",
    "pynetemu.plan.shaping.impairment": "Impairment Limit Loss Queue",
    "pynetemu.draw.files": "save_picture",
    "pynetemu.draw.text": "as_picture",
    "pynetemu.plan.compile": "compile_plan",
    "pynetemu.plan.operations": "Plan",
    "pynetemu.topology.shapes": "Dumbbell FatTree Linear Mesh Ring Single Star Torus Tree",
    "pynetemu.trace.journeys.journey": "Hop Journey Sighting",
    "pynetemu.trace.evidence.evidence": "Question",
    "pynetemu.trace.evidence.traced_line": "TracedLine",
    "pynetemu.trace.trace": "Trace",
    "pynetemu.trace.tracer": "Tracer",
    "pynetemu.trace.verdicts.outcome": "Outcome",
    "pynetemu.trace.verdicts.verdict": "Ending Reason",
    "pynetemu.trace.views.comparison": "PacketDifference",
    "pynetemu.lab.process": "Change Process",
    "pynetemu.network.node": "RunningNode",
    "pynetemu.results": "Result",
    "pynetemu.shell.answers": "Answer Table",
    "pynetemu.shell.command": "command",
    "pynetemu.shell.shell": "Shell",
    "pynetemu.topology": (
        "Bond Bridge Dummy Firewall Gre Host HttpServer Hub Interface Link Macvlan Nat Node Port Preset Ready "
        "Root Router Service Switch Topology VlanInterface Vrf Vxlan WireGuard codel finished four_state gilbert_elliott "
        "presets prints red schedule tcp udp"
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> "Any":
    if name not in _HOME_OF:
        raise AttributeError(f"module 'pynetemu' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
