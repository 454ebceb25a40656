"""Commands in nodes that run in the background or are stopped."""

import signal
import sys

from pynetemu.errors import UsageError
from pynetemu.shell.answers import Table
from pynetemu.shell.argument_types import JobNumber, SignalNumber
from pynetemu.shell.command import command
from pynetemu.shell.jobs import exit_status
from pynetemu.shell.shell import Shell


@command
def jobs(shell: Shell) -> Table:
    """lists what runs in the background or is stopped"""
    rows = []
    for job in shell.jobs:
        shell.jobs.refresh(job)
        rows.append((f"%{job.number}", job.process.node, job.process.pid, job.outcome, job.text))
    return Table(("job", "node", "pid", "state", "line"), rows)


@command
def fg(shell: Shell, job: JobNumber | None = None) -> int:
    """continues a job in the foreground"""
    job = job or shell.jobs.find("")
    print(job.text, file=sys.stderr)
    return shell.resume(job, foreground=True)


@command
def bg(shell: Shell, job: JobNumber | None = None) -> int:
    """continues a stopped job in the background"""
    job = job or shell.jobs.find("")
    status = shell.resume(job, foreground=False)
    print(f"[{job.number}] {job.text} &", file=sys.stderr)
    return status


@command
def wait(shell: Shell, *jobs: JobNumber) -> int:
    """waits until jobs have ended

    Without words, all of them. With jobs named, the status is that of the last. Ctrl-C ends the waiting, not the jobs.
    """
    status = 0
    for job in jobs or [job for job in shell.jobs if job.state == "Running"]:
        status = exit_status(job.process.wait())
        shell.jobs.remove(job)
    return status if jobs else 0


@command
def kill(shell: Shell, *jobs: JobNumber, signal: SignalNumber = signal.SIGTERM) -> int:
    """signals jobs

    kill %1, kill -INT %1 %2, kill -9 %1

    --signal  by name or number; TERM by default
    """
    if not jobs:
        raise UsageError("kill: say which job: kill [-SIGNAL] %1")
    for job in jobs:
        job.signal(signal)
    return 0
