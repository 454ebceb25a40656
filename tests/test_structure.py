"""The architecture: which package may import which, where the heavy libraries live, how long things get, what is public."""

import ast
import inspect
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import pynetemu
from tests.support.pynetemu import CLONE
from tests.support.rooms import picture

pytestmark = pytest.mark.pure

_PACKAGE = CLONE / "pynetemu"
# Each may import itself and what stands in a line below it; those of one line do not know each other.
_LAYERS = [
    {"cli", "pytest_plugin"},
    {"shell"},
    {"network"},
    {"trace", "draw"},
    {"crafting"},
    {"capture", "measure", "testing"},
    {"lab", "packets"},
    {"engine"},
    {"programs", "relay"},
    {"plan"},
    {"topology"},
    {"errors"},
    {"results"},
    {"terminal_output", "wording", "safe_text", "frozen"},
]
_RANKS = {package: rank for rank, layer in enumerate(_LAYERS) for package in layer}
_HOMES = {"pyroute2": "engine", "prompt_toolkit": "shell", "scapy": "crafting", "graphlay": "draw"}
_CLIENT_SIDE = {"protocol", "messages", "paths", "privilege", "id_ranges", "packages", "rings", "limits"}
_LONGEST_FILE, _LONGEST_FUNCTION, _MOST_FILES = 500, 60, 25

_PUBLIC = [
    "AddressEvent",
    "Answer",
    "Bond",
    "Bridge",
    "BridgePort",
    "BridgeState",
    "Capture",
    "CaptureEvent",
    "Change",
    "ChangeEvent",
    "CommandError",
    "CommandFailed",
    "CommandNotFound",
    "CommandTimeout",
    "ConflictError",
    "DescriptionError",
    "DescriptionWarning",
    "Difference",
    "Direction",
    "DrawError",
    "Dumbbell",
    "Dummy",
    "Ending",
    "Event",
    "Events",
    "FatTree",
    "FilterError",
    "Firewall",
    "ForwardingEntry",
    "Gre",
    "Hop",
    "Host",
    "HttpServer",
    "Hub",
    "Impairment",
    "Interface",
    "InterfaceState",
    "Journey",
    "KernelError",
    "LabChange",
    "LabError",
    "LabEvent",
    "LabState",
    "Limit",
    "Linear",
    "Link",
    "LinkCounters",
    "LinkEvent",
    "LinkState",
    "Loss",
    "LostEvent",
    "Macvlan",
    "Mesh",
    "Nat",
    "Neighbor",
    "NeighborCounts",
    "NeighborEvent",
    "Network",
    "Node",
    "Outcome",
    "PacketDifference",
    "PacketFilter",
    "Ping",
    "Pings",
    "Plan",
    "Port",
    "PortState",
    "Preset",
    "PrivilegeError",
    "Process",
    "ProcessEvent",
    "PynetemuError",
    "Question",
    "Queue",
    "QueueState",
    "Ready",
    "Reason",
    "Result",
    "Ring",
    "Root",
    "RouteEvent",
    "RouteState",
    "Router",
    "RuleEvent",
    "RuleState",
    "RunningLab",
    "RunningLink",
    "RunningNode",
    "RunningPair",
    "Service",
    "ServiceError",
    "ServiceEvent",
    "ServiceNews",
    "ServiceState",
    "Shell",
    "Sighting",
    "Single",
    "SocketState",
    "Star",
    "Switch",
    "Table",
    "Throughput",
    "Topology",
    "Torus",
    "Totals",
    "Trace",
    "TracedLine",
    "Tracer",
    "Tree",
    "UsageError",
    "VlanInterface",
    "Vrf",
    "Vxlan",
    "WireGuard",
    "as_picture",
    "codel",
    "command",
    "compile_plan",
    "finished",
    "four_state",
    "gilbert_elliott",
    "labs",
    "presets",
    "prints",
    "red",
    "save_picture",
    "schedule",
    "tcp",
    "udp",
]


def _modules() -> Iterator[tuple[str, Path]]:
    """Every module of ours with its layer; those at the top (`__init__`, `__main__`) have none."""
    for file in sorted(_PACKAGE.rglob("*.py")):
        layer = file.relative_to(_PACKAGE).parts[0].removesuffix(".py")
        if layer not in ("__init__", "__main__"):
            yield layer, file


@cache
def _parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(), str(file))


def _imports(file: Path) -> Iterator[tuple[int, str]]:
    """The line and the full name of each import, those inside functions and for type checkers too."""
    for node in ast.walk(_parsed(file)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: imports are absolute"
            yield from ((node.lineno, f"{node.module}.{name.name}") for name in node.names)


def _imports_at_run_time(file: Path) -> Iterator[tuple[int, str]]:
    """Without those for type checkers alone."""
    for_types = {
        inner.lineno
        for node in ast.walk(_parsed(file))
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    }
    return ((line, name) for line, name in _imports(file) if line not in for_types)


def test_every_package_has_its_place() -> None:
    assert {layer for layer, _ in _modules()} <= set(_RANKS)


def test_imports_go_downward_only() -> None:
    upward = [
        f"{file.relative_to(CLONE)}:{line}: {layer} imports {name}"
        for layer, file in _modules()
        for line, name in _imports(file)
        if name.startswith("pynetemu.") and not _is_below(layer, name.split(".")[1])
    ]
    assert upward == []


def _is_below(layer: str, imported: str) -> bool:
    return imported not in _RANKS or layer == imported or _RANKS[layer] < _RANKS[imported]


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Not inside functions, and not for type checkers either. The package's own `__init__` only has the lazy public names."""
    files = {_module_name(file): file for _, file in _modules()}
    imports = {
        module: {target for _, name in _imports(file) if (target := _module_of(name, files)) not in (None, module)}
        for module, file in files.items()
    }
    order = TopologicalSorter(imports)
    try:
        order.prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def _module_name(file: Path) -> str:
    return ".".join(file.relative_to(CLONE).with_suffix("").parts).removesuffix(".__init__")


def _module_of(name: str, files: dict[str, Path]) -> str | None:
    """The module that a full name leads to: "pynetemu.errors.LabError" to "pynetemu.errors"."""
    return name if name in files else parent if (parent := name.rpartition(".")[0]) in files else None


def test_the_picture_of_the_packages_is_that_of_the_imports() -> None:
    """If not: python -m tests.support.rooms > docs/pictures/rooms.svg."""
    assert (CLONE / "docs" / "pictures" / "rooms.svg").read_text() == picture()


def test_no_folder_has_too_many_files() -> None:
    sizes = Counter(file.parent.relative_to(CLONE) for _, file in _modules() if file.name != "__init__.py")
    assert {str(folder): size for folder, size in sizes.items() if size > _MOST_FILES} == {}


def test_outside_the_engine_only_its_client_side_is_imported() -> None:
    """The rest of it works in the engine's own process, inside the sandbox."""
    inside = [
        f"{file.relative_to(CLONE)}:{line}: {name}"
        for layer, file in _modules()
        for line, name in _imports(file)
        if layer != "engine" and name.startswith("pynetemu.engine.") and name.split(".")[2] not in _CLIENT_SIDE
    ]
    assert inside == []


def test_heavy_libraries_stay_where_they_are() -> None:
    strays = [
        f"{file.relative_to(CLONE)}:{line}: {name}"
        for layer, file in _modules()
        for line, name in _imports_at_run_time(file)
        if _HOMES.get(name.split(".")[0], layer) != layer
    ]
    assert strays == []


def test_descriptions_and_plans_need_the_standard_library_only() -> None:
    others = [
        f"{file.relative_to(CLONE)}:{line}: {name}"
        for layer, file in _modules()
        for line, name in _imports(file)
        if layer in ("topology", "plan", "errors", "units") and name.split(".")[0] not in {*sys.stdlib_module_names, "pynetemu"}
    ]
    assert others == []


@pytest.mark.parametrize(
    ("module", "without"),
    [
        ("pynetemu", "pynetemu.topology pynetemu.network.network inspect"),
        ("pynetemu.cli.main", "pynetemu.network.network pynetemu.topology"),
        ("pynetemu.cli.run", "pyroute2 prompt_toolkit scapy asyncio"),
        ("pynetemu.lab.connection", "dataclasses inspect ipaddress pynetemu.plan"),
        ("pynetemu.engine.server", "dataclasses inspect pathlib pyroute2"),
        ("pynetemu.network.network", "pyroute2 prompt_toolkit scapy asyncio dataclasses inspect subprocess"),
        ("pynetemu.shell.shell", "prompt_toolkit pyroute2 scapy asyncio dataclasses inspect subprocess"),
        ("pynetemu.plan.compile", "dataclasses inspect ast shutil"),
    ],
)
def test_what_is_imported_late_is_not_there_at_the_start(module: str, without: str) -> None:
    check = f"import {module}, sys; print(*sorted(set({without.split()!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", check], cwd=CLONE, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


# What `pynetemu blue.py -c 'blue true'` imports of Python's own, beside what the interpreter does before the first line.
_AT_START = """
    argparse array binascii bisect collections contextlib copy copyreg enum errno fcntl functools gc gettext heapq importlib
    ipaddress itertools json keyword linecache locale math operator re reprlib select selectors signal socket struct termios
    threading token tokenize types typing warnings weakref zlib
"""


def test_a_start_imports_these_modules_of_python_and_no_others() -> None:
    """Each costs all starts something, `inspect` and `dataclasses` 10 of 120 ms. What an error needs can wait for it."""
    run = "import sys; from pynetemu.cli.main import main; main(['topologies/blue.py', '-c', 'blue true'])"
    show = "import os; os.write(1, ' '.join(sys.modules).encode())"
    names = [
        set(subprocess.run([sys.executable, "-c", code], cwd=CLONE, capture_output=True, text=True, check=True).stdout.split())
        for code in (f"import sys; {show}", f"{run}; {show}")
    ]
    found = {name.partition(".")[0] for name in names[1] - names[0]} & set(sys.stdlib_module_names)
    assert {name for name in found if not name.startswith("_")} - set(_AT_START.split()) == set()


def _sources() -> list[Path]:
    folders = ("pynetemu", "tests", "topologies")
    return [file for folder in folders for file in sorted((CLONE / folder).rglob("*.py")) if "descriptions" not in file.parts]


def test_no_file_is_too_long() -> None:
    lengths = {str(file.relative_to(CLONE)): len(file.read_text().splitlines()) for file in _sources()}
    assert {file: length for file, length in lengths.items() if length > _LONGEST_FILE} == {}


def test_no_function_is_too_long() -> None:
    long = [
        f"{file.relative_to(CLONE)}:{node.lineno}: {node.name}"
        for file in _sources()
        for node in ast.walk(_parsed(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= _LONGEST_FUNCTION
    ]
    assert long == []


def test_no_thread_keeps_a_program_from_its_end() -> None:
    """A program that ends without closing a lab ends; threads that are waited for where they are started may be any."""
    for file in (CLONE / "pynetemu").rglob("*.py"):
        for call in ast.walk(_parsed(file)):
            if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("Thread") and file.name != "ring.py":
                assert "daemon=True" in ast.unparse(call), f"{file}:{call.lineno}"


def test_the_public_names_are_these() -> None:
    assert pynetemu.__all__ == _PUBLIC
    assert set(_PUBLIC) < set(dir(pynetemu))
    with pytest.raises(AttributeError, match="has no attribute 'Rooter'"):
        pynetemu.Rooter  # noqa: B018


@pytest.mark.parametrize("name", _PUBLIC)
def test_every_public_name_says_what_it_is_for(name: str) -> None:
    public = getattr(pynetemu, name)
    assert public.__name__ == name
    assert public.__doc__
    assert not inspect.isclass(public) or "__doc__" in vars(public)  # its own, not what it inherits
    undocumented = [
        member
        for kind in (inspect.getmro(public) if inspect.isclass(public) else ())
        if kind.__module__.startswith("pynetemu.")
        for member, value in vars(kind).items()
        if not member.startswith("_")
        and (inspect.isfunction(value) or isinstance(value, property | classmethod))
        and not inspect.getdoc(value)
    ]
    assert undocumented == []


def test_what_public_methods_return_is_public() -> None:
    """So that it can be imported from `pynetemu`, and annotated with; but for what only tools of ours ask for."""
    ours = {node.name for _, file in _modules() for node in ast.walk(_parsed(file)) if isinstance(node, ast.ClassDef)}
    hidden = {
        f"{public.name}.{method.name} returns {word}"
        for _, file in _modules()
        for public in ast.walk(_parsed(file))
        if isinstance(public, ast.ClassDef) and public.name in {*_PUBLIC, "Lab", "LabNode", "TraceRecord"}
        for method in public.body
        if isinstance(method, ast.FunctionDef) and not method.name.startswith("_") and method.returns
        for word in re.findall(r"\w+", ast.unparse(method.returns))
        if word in ours - {*_PUBLIC, "Lab", "Packet"}  # scapy has a Packet too
    }
    assert hidden == {
        "Lab.processes returns Connection",
        "Lab.control returns Connection",
        "Lab.followed returns FollowedPlan",
        "Lab.inventory returns Inventory",
    }


def test_every_module_says_what_it_is_for() -> None:
    empty_packages = {file for _, file in _modules() if not file.read_text()}
    undocumented = [str(file) for _, file in _modules() if file not in empty_packages and not ast.get_docstring(_parsed(file))]
    assert undocumented == []


def test_what_makes_a_lab_is_packed_in_one_module() -> None:
    """`interpose` copies what the kernel has told of an interface, attribute by attribute."""
    packing = {"struct", "attribute", "text"}
    for file in (_PACKAGE / "engine" / "apply").glob("*.py"):
        imports = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)]
        found = packing & {alias.name for node in imports for alias in node.names}
        assert not found or file.name == "interpose.py", f"{file.name}: {found} belong into engine/messages/packing.py"
