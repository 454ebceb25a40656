"""What the machine's kernel does to packets by itself, as the plan must know to choose who makes a link like a real one."""

from pynetemu.engine.protocol.requests import TryFeatures
from pynetemu.errors import PrivilegeError
from pynetemu.lab.connection import EngineProcess, Sandbox

_ASKED = ("netem", "tbf", "fq_codel", "cake", "pie", "ingress", "cls_bpf")  # of `plan.operations.features.KernelFeature`
_known: list[frozenset[str]] = []  # of this machine, once somebody has asked


def kernel_has(sandbox: EngineProcess | None = None) -> frozenset[str] | None:
    """Those of `_ASKED` that this kernel has, tried in a sandbox: one that nobody has built in yet, else one of its own.

    None where this machine allows no sandbox. Raises what that says when it was given.
    """
    if not _known:
        own: EngineProcess = sandbox or Sandbox.start()
        try:
            features = own.connection.ask(TryFeatures(_ASKED))
        except PrivilegeError:
            if sandbox is not None:
                raise
            return None
        finally:
            if own is not sandbox:
                own.close()
        found = frozenset(feature.name for feature in features if not feature.reason)
        if not isinstance(own, Sandbox):  # `pynetemu.testing` has others
            return found
        _known.append(found)
    return _known[0]
