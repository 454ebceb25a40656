"""What scripts and programs go by: the status of each error."""

import inspect

import pytest

from pynetemu import errors

pytestmark = pytest.mark.pure

_STATUSES = {"DescriptionError": 2, "PrivilegeError": 3, "FilterError": 2, "UsageError": 2, "DrawError": 2, "CommandFailed": 1}
_STATUSES |= dict.fromkeys(("PynetemuError", "ConflictError", "KernelError", "ServiceError", "LabError"), 1)
_STATUSES |= {"CommandError": 126, "CommandNotFound": 127, "CommandTimeout": 126}


def test_each_error_has_its_status() -> None:
    kinds = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, errors.PynetemuError)]
    assert {kind.__name__: kind.exit_status for kind in kinds} == _STATUSES
