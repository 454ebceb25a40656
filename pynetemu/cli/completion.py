"""Prints what makes a shell complete pynetemu's words: eval "$(pynetemu completion bash)", and the same with zsh."""

import argparse

# Words by verb, files, well-known shapes; names of running labs are asked when they are needed.
_SCRIPT = r"""
_pynetemu() {
    local word=${COMP_WORDS[COMP_CWORD]} verb=run files=yes file words=
    [ "$COMP_CWORD" -gt 1 ] && case " %(verbs)s " in *" ${COMP_WORDS[1]} "*) verb=${COMP_WORDS[1]} ;; esac
    case $verb in
%(options)s
    esac
    COMPREPLY=()
    case $word in
    -*) ;;
    *)
        [ "$COMP_CWORD" -eq 1 ] && words="%(verbs)s %(shapes)s"
        case $verb in
        exec | attach | capture)
            files=""
            [ "$COMP_CWORD" -eq 2 ] && words=$(pynetemu ps 2>/dev/null | sed '1d; s/ .*//')
            ;;
        apply) [ "$COMP_CWORD" -eq 2 ] && files="" && words=$(pynetemu ps 2>/dev/null | sed '1d; s/ .*//') ;;
        examples) [ "$COMP_CWORD" -eq 2 ] && files="" && words=$(pynetemu examples 2>/dev/null | sed '/^$/,$d; s/ .*//') ;;
        completion) files="" words="bash zsh" ;;
        esac
        if [ -n "$files" ]; then
            while IFS= read -r file; do COMPREPLY+=("$file"); done < <(
                compgen -f -X '!*.py' -- "$word"
                compgen -d -S / -- "$word"
            )
        fi
        ;;
    esac
    while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -W "$words" -- "$word")
    case ${COMPREPLY[0]} in */) compopt -o nospace 2>/dev/null ;; esac
}
complete -F _pynetemu pynetemu
"""
_ZSH = "autoload -Uz bashcompinit compinit && compinit && bashcompinit\n"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh"))


def run(arguments: argparse.Namespace) -> int:
    print((_ZSH if arguments.shell == "zsh" else "") + script().strip())
    return 0


def script() -> str:
    from pynetemu.cli.main import VERBS, parser_of
    from pynetemu.topology.shapes import SHAPES

    lines = [f'    {verb}) case $word in -*) words="{_options(parser_of(verb))}" ;; esac ;;' for verb in VERBS]
    return _SCRIPT % {"verbs": " ".join(VERBS), "shapes": " ".join(SHAPES), "options": "\n".join(lines)}


def _options(parser: argparse.ArgumentParser) -> str:
    return " ".join(option for action in parser._actions for option in action.option_strings)
