"""Services as commands, which a script leaves out."""

from collections.abc import Iterator
from shlex import quote

from pynetemu.plan.as_shell.words import in_node
from pynetemu.plan.operations import AddHttpServer, AddService

TITLES = {
    AddHttpServer: "The web servers are left out; these are like them",
    AddService: "The services are left out; they are started like this, in this order",
}


def lines(operation: AddHttpServer | AddService, root: str | None) -> Iterator[str]:
    enter = in_node(operation.node, root)
    match operation:
        case AddHttpServer(port=port):
            yield f'{enter}python3 -m http.server {port} --directory "$(mktemp -d)"'
        case AddService(command=command, directory=directory, env=env, user=user):
            becomes = _becoming(user) if user else ""
            added = f"env {' '.join(map(quote, env))} " if env else ""
            yield f"cd {quote(directory)} && {enter}{becomes}{added}sh -c {quote(command)}"


def _becoming(user: str) -> str:
    if user.isdecimal():
        return f"setpriv --reuid={user} --regid={user} --clear-groups "
    return f"runuser -u {user} -- "


def in_script(operation: AddHttpServer | AddService, root: str | None) -> Iterator[str]:
    """As a comment."""
    for line in lines(operation, root):
        yield "# " + f"{line} &   # {operation.name}".replace("\n", "\n# ")


def undo(operation: AddHttpServer | AddService, _: str | None) -> Iterator[str]:
    yield f"# {operation.name} of {operation.node} ends"
