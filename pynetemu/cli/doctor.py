"""Tells what this machine allows: sandboxes, kernel features (by trying them), system tools; and how to mend each lack."""

import argparse
import json
import os
import platform
import shutil
from dataclasses import asdict, dataclass

from pynetemu.engine.protocol.codec import to_data
from pynetemu.engine.protocol.requests import Feature, Features

_TUN = "/dev/net/tun"
_VERSION = 1  # of the form of `--json`
_MAY_BE_IN_THE_WAY = ("own files",)  # what the machine's mounts can hinder, whatever its kernel has


@dataclass(frozen=True, slots=True)
class Report:
    """What was found. `reason` and `fix` say why there can be no sandbox ("" when there can be)."""

    kernel: str
    python: str
    user: str
    reason: str
    fix: str
    features: tuple[Feature, ...]
    tun: str  # why programs in nodes cannot make tun interfaces, "" where they can
    tun_fix: str
    ids: str  # why a lab cannot have a range of ids, "" where it can
    ids_fix: str
    traces: str  # why packets are not traced by the kernel itself, "" where they are
    tools: dict[str, str]  # where each is, "" for one that is missing
    install: str  # the line that installs all the missing ones

    @property
    def works(self) -> bool:
        return not self.reason and all(not feature.reason for feature in self.features if feature.needed)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="as data")


def run(arguments: argparse.Namespace) -> int:
    """Exits with 0 when labs work here, else with 3."""
    report = examine()
    if arguments.json:
        features = [to_data(feature, []) for feature in report.features]
        print(json.dumps({"version": _VERSION, "works": report.works, **asdict(report), "features": features}, indent=2))
    else:
        print("\n".join(_lines(report)))
    return 0 if report.works else 3


def examine() -> Report:
    from pynetemu.engine.id_ranges import lack
    from pynetemu.engine.packages import TOOLS, debian_package, install
    from pynetemu.engine.privilege import is_mapped
    from pynetemu.errors import PrivilegeError
    from pynetemu.lab.connection import Sandbox
    from pynetemu.trace.sources.kernel.source import refusal

    reason = fix = ""
    features: tuple[Feature, ...] = ()
    sandbox = Sandbox.start()
    try:
        features = sandbox.connection.ask(Features())
    except PrivilegeError as error:
        reason, fix = error.reason, error.fix
    finally:
        sandbox.close()
    tun, tun_fix = _tun()
    ids = lack() if os.getuid() and is_mapped() else None
    tools = {tool: _find(tool) for tool in TOOLS}
    missing = sorted({debian_package(tool) for tool, path in tools.items() if not path})
    return Report(
        kernel=platform.release(),
        python=platform.python_version(),
        user="root" if os.getuid() == 0 else f"ordinary (uid {os.getuid()})",
        reason=reason,
        fix=fix,
        features=features,
        tun=tun,
        tun_fix=tun_fix,
        ids=ids.reason if ids else "",
        ids_fix=ids.fix if ids else "",
        traces=refusal(),
        tools=tools,
        install=install(missing) if missing else "",
    )


def _tun() -> tuple[str, str]:
    """Why /dev/net/tun cannot be used, and what mends that (Documentation/networking/tuntap.rst)."""
    sudo = "" if os.getuid() == 0 else "sudo "
    who = ", as root of the machine" if not sudo and not os.access("/dev", os.W_OK) else ""  # this one is in a user namespace
    if not os.path.exists(_TUN):
        make = f"modprobe tun; mkdir -p /dev/net; mknod {_TUN} c 10 200; chmod 666 {_TUN}"
        return f"there is no {_TUN}", f"{sudo}sh -c '{make}'{who}"
    if not os.access(_TUN, os.R_OK | os.W_OK):
        return f"{_TUN} is for root alone (mode {os.stat(_TUN).st_mode & 0o777:o})", f"{sudo}chmod 666 {_TUN}{who}"
    return "", ""


def _find(tool: str) -> str:
    """Where a tool is, also in the folders that ordinary users do not have on their PATH."""
    from pynetemu.engine.paths import search_path

    return shutil.which(tool, path=search_path(os.environ)) or ""


def _lines(report: Report) -> list[str]:
    from pynetemu import __version__

    lines = [f"pynetemu {__version__}, Python {report.python}, Linux {report.kernel}, user {report.user}", ""]
    return [*lines, *_sandbox(report), *_features(report), *_devices(report), _traces(report), *_tools(report)]


def _sandbox(report: Report) -> list[str]:
    if report.reason:
        return [_row("sandbox", "no", report.reason), _row("", "", f"fix: {report.fix}")]
    how = "made as root" if os.getuid() == 0 else "made in a user namespace, without root"
    return [_row("sandbox", "yes", how), _row("--host", "", _host())]


def _host() -> str:
    from pynetemu.engine.privilege import check_network_is_ours

    if os.getuid() != 0:
        return "needs root"
    try:
        check_network_is_ours()
    except PermissionError:
        return "needs root of the machine: this one is in a user namespace"
    return "works too"


def _features(report: Report) -> list[str]:
    if not report.features:
        return [_row("kernel", "?", "its features can be tried only in a sandbox")]
    has = ", ".join(feature.name for feature in report.features if not feature.reason)
    lines = [_row("kernel", "yes", has)]
    for feature in report.features:
        if feature.reason:
            need = "no lab works without" if feature.needed else "for some labs"
            why = f"{feature.option}: {feature.reason}" if feature.name in _MAY_BE_IN_THE_WAY else feature.option
            lines.append(_row("", "no", f"{feature.name:<15}{feature.purpose}, {need} ({why})"))
    if any(feature.reason for feature in report.features if feature.name not in _MAY_BE_IN_THE_WAY):
        lines.append(_row("", "", f"fix: {_other_kernel(report.kernel)}"))
    return lines


def _devices(report: Report) -> list[str]:
    lines = []
    if report.tun:
        lines += [_row("tun", "no", f"{report.tun}: for VPN programs in nodes"), _row("", "", f"fix: {report.tun_fix}")]
    if report.ids:
        lines += [_row("ids", "no", f"{report.ids}: for logins in nodes"), _row("", "", f"fix: {report.ids_fix}")]
    return lines


def _other_kernel(release: str) -> str:
    """How to get a kernel with more features."""
    sudo = "" if os.getuid() == 0 else "sudo "
    if "cloud" in release:
        return f"{sudo}apt-get install -y linux-image-amd64, and boot that kernel"  # Debian's cloud kernel has few modules
    if os.path.exists("/etc/lsb-release") and os.path.isdir("/lib/modules"):
        return f"{sudo}apt-get install -y linux-modules-extra-{release}"  # where Ubuntu has most of them
    return (
        "boot a distribution's own kernel, which has them all; in a clone of pynetemu `./dev vm` and `vagrant up` do so in a VM"
    )


def _traces(report: Report) -> str:
    if report.traces:
        return _row("traces", "yes", f"by packet sockets and counters; by eBPF drop reasons, no: {report.traces}")
    return _row("traces", "yes", "by the kernel's drop reasons (eBPF)")


def _tools(report: Report) -> list[str]:
    has = ", ".join(tool for tool, path in report.tools.items() if path)
    lines = [_row("tools", "yes", has)] if has else []
    if report.install:
        from pynetemu.engine.packages import TOOLS

        missing = ", ".join(f"{tool} ({TOOLS[tool]})" for tool, path in report.tools.items() if not path)
        lines += [_row("tools" if not has else "", "no", missing), _row("", "", f"fix: {report.install}")]
    return lines


def _row(what: str, answer: str, text: str) -> str:
    return f"{what:<9}{answer:<5}{text}".rstrip()
