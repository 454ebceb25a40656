"""Shows what commands give back."""

import json

from pynetemu.shell.answers import Answer


def show(answer: Answer, everything: bool, as_json: bool) -> None:
    print(json.dumps(answer.data(), indent=2) if as_json else answer.text(everything))
