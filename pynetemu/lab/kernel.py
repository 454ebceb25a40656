"""What the machine's kernel does to packets by itself, as the plan must know to choose who makes a link like a real one."""

from pynetemu.engine.protocol.requests import TryFeatures
from pynetemu.errors import PrivilegeError
from pynetemu.lab.connection import Connection, EngineProcess, Sandbox

_ASKED = ("netem", "tbf", "fq_codel", "cake", "pie", "ingress", "cls_bpf")  # of `plan.operations.features.KernelFeature`
_known: list[frozenset[str]] = []  # of this machine, once somebody has asked


def kernel_of(engine: Connection) -> frozenset[str]:
    """Those of `_ASKED` that an engine's kernel has, as it finds out by trying. Raises what refuses it its sandbox."""
    return frozenset(feature.name for feature in engine.ask(TryFeatures(_ASKED)) if not feature.reason)


def kernel_has(sandbox: EngineProcess | None = None) -> frozenset[str] | None:
    """The same of this machine, tried in a sandbox: one that nobody has built in yet, else one of its own.

    None where this machine allows no sandbox. Raises what that says when it was given.
    """
    if _known:
        return _known[0]
    own: EngineProcess = sandbox or Sandbox.start()
    try:
        found = kernel_of(own.connection)
    except PrivilegeError:
        if sandbox is not None:
            raise
        return None
    finally:
        if own is not sandbox:
            own.close()
    if isinstance(own, Sandbox):  # `pynetemu.testing` has others
        _known.append(found)
    return found
