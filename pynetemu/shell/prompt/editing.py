"""The line editor's parts: completion, colors, the bar, when a line goes on (prompt_toolkit).

What they need of ours is imported when it is used first: the prompt is there before.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory, Suggestion
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER, EditingMode
from prompt_toolkit.filters import Condition, has_focus
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import History
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import Lexer
from prompt_toolkit.styles import Style

from pynetemu.shell.prompt.bar import Bar
from pynetemu.shell.shell import Shell

_PROMPTS_MOST = 20  # columns of the prompt before the line, a guess
_STYLE = Style.from_dict(
    {
        "prompt": "bold ansigreen",
        "node": "bold ansigreen",
        "name": "ansigreen",
        "command": "bold ansicyan",
        "program": "bold",
        "option": "ansiblue",
        "string": "ansiyellow",
        "operator": "ansimagenta",
        "comment": "ansibrightblack",
        "unknown": "ansired",
        "bottom-toolbar": "noreverse ansibrightblack",
        "bottom-toolbar.alarm": "noreverse ansired",
    }
)


def make_session(shell: Shell, bar: Bar, history: History) -> "PromptSession[str]":
    return PromptSession(
        history=history,
        completer=_Completer(shell),
        lexer=_Lexer(shell),
        style=_STYLE,
        auto_suggest=_Suggestions(),
        complete_while_typing=False,
        enable_history_search=True,
        enable_open_in_editor=True,
        key_bindings=_interrupts(),
        multiline=Condition(lambda: _goes_on(get_app().current_buffer.document)),
        prompt_continuation="... ",
        bottom_toolbar=lambda: [("class:bottom-toolbar.alarm" if bar.has_drops else "class:bottom-toolbar", bar.text())],
    )


def _interrupts() -> KeyBindings:
    """Ctrl-C throws the line away; a second one that comes before the prompt has gone finds nothing left to do."""
    bindings = KeyBindings()

    @bindings.add("c-c", filter=has_focus(DEFAULT_BUFFER))
    def _(event: KeyPressEvent) -> None:
        if event.app.future is not None and not event.app.future.done():
            event.app.exit(exception=KeyboardInterrupt, style="class:aborting")

    @bindings.add("c-z", filter=has_focus(DEFAULT_BUFFER))
    def _(_: KeyPressEvent) -> None:
        """Stops programs; at the prompt there is none."""

    return bindings


class _Suggestions(AutoSuggestFromHistory):
    """Former lines that begin as this one does, where they fit on the screen's line."""

    def get_suggestion(self, buffer: Buffer, document: Document) -> Suggestion | None:
        found = super().get_suggestion(buffer, document)
        room = get_app().output.get_size().columns - len(document.text) - _PROMPTS_MOST
        return found if found and "\n" not in found.text and len(found.text) < room else None


def mode(keys: str) -> EditingMode:
    return EditingMode.VI if keys == "vi" else EditingMode.EMACS


def usual_keys() -> str:
    """What the user has chosen for readline, in ~/.inputrc: "vi" or "emacs"."""
    file = Path(os.environ.get("INPUTRC") or Path.home() / ".inputrc")
    try:
        text = file.read_text(errors="replace")
    except OSError:
        return "emacs"
    return "vi" if any(line.split() == ["set", "editing-mode", "vi"] for line in text.splitlines()) else "emacs"


def _goes_on(document: Document) -> bool:
    """Whether Enter begins another line: while a quote is open, or after a backslash."""
    from pynetemu.shell.language import is_whole

    return document.is_cursor_at_the_end and not is_whole(document.text)


class _Completer(Completer):
    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def get_completions(self, document: Document, _: CompleteEvent) -> Iterable[Completion]:
        from pynetemu.shell.prompt.completion import completions

        for found in completions(document.text_before_cursor, self._shell):
            yield Completion(found.text, start_position=-found.length, display_meta=found.about)


class _Lexer(Lexer):
    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def lex_document(self, document: Document) -> "Callable[[int], StyleAndTextTuples]":
        if not document.text:
            return lambda _: []
        from pynetemu.shell.prompt.highlight import highlighted

        lines = document.lines
        return lambda number: [
            (f"class:{kind}" if kind else "", text) for kind, text in highlighted(lines[number], self._shell)
        ]
