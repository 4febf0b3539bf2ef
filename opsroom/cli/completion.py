"""``opsroom completion bash|zsh|fish``: what a shell may offer, made from the parser, so that it cannot be out of date.

The scripts hold words only; nothing is started while somebody types.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from opsroom.cli.parser import build


@dataclass(frozen=True, slots=True)
class Words:
    """What may follow one command."""

    help: str
    options: Mapping[str, str]
    """Option and its help."""
    choices: tuple[str, ...]
    """For its arguments, where the parser knows them."""
    files: tuple[str, ...]
    """Options after which a file is meant."""


def run(arguments: argparse.Namespace) -> int:
    """Print the script of one shell."""
    table = words(build())
    script = {"bash": bash, "zsh": zsh, "fish": fish}[arguments.shell](table)
    sys.stdout.write(script)
    return 0


def words(parser: argparse.ArgumentParser) -> dict[str, Words]:
    """Words by command; the empty name stands for no command yet."""
    found = {"": _of(parser, "")}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {one.dest: one.help or "" for one in action._choices_actions}
            for name, inner in action.choices.items():
                if name in helps:
                    found[name] = _of(inner, helps[name])
    return found


def _of(parser: argparse.ArgumentParser, text: str) -> Words:
    shown = [one for one in parser._actions if one.help != argparse.SUPPRESS]
    options = {option: one.help or "" for one in shown for option in one.option_strings if option.startswith("--")}
    files = tuple(
        option
        for one in shown
        for option in one.option_strings
        if one.metavar in ("FILE", "FOLDER") and option in options
    )
    choices = tuple(
        str(choice)
        for one in shown
        if not one.option_strings and one.choices and not isinstance(one, argparse._SubParsersAction)
        for choice in one.choices
    )
    return Words(text.partition(". ")[0].rstrip("."), options, choices, files)


def bash(table: Mapping[str, Words]) -> str:
    """A bash script (programmable completion, bash(1))."""
    cases = "".join(
        f"        {name}) words='{_joined((*found.choices, *found.options))}' ;;\n"
        for name, found in table.items()
        if name
    )
    files = "|".join(sorted({option for found in table.values() for option in found.files}))
    commands = [name for name in table if name]
    return f"""# opsroom for bash: source <(opsroom completion bash)
_opsroom() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} command= word words
    case $previous in
        {files}) COMPREPLY=($(compgen -f -- "$current")); return ;;
    esac
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case $word in
            {"|".join(commands)}) command=$word; break ;;
        esac
    done
    case $command in
{cases}        *) words='{_joined((*commands, *table[""].options))}' ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _opsroom opsroom
"""


def zsh(table: Mapping[str, Words]) -> str:
    """A zsh script: bash's, through zsh's own bridge (zshcompsys(1), bashcompinit)."""
    bridge = "autoload -U +X bashcompinit && bashcompinit"
    return f"# opsroom for zsh: source <(opsroom completion zsh)\n{bridge}\n{bash(table)}"


def fish(table: Mapping[str, Words]) -> str:
    """A fish script (complete(1))."""
    lines = ["# opsroom for fish: opsroom completion fish | source"]
    for name, found in table.items():
        here = f"__fish_seen_subcommand_from {name}" if name else "__fish_use_subcommand"
        if name:
            lines.append(f"complete -c opsroom -n __fish_use_subcommand -f -a {name} -d {_quoted(found.help)}")
        for option, text in found.options.items():
            file = " -r" if option in found.files else ""
            lines.append(f"complete -c opsroom -n '{here}' -l {option[2:]}{file} -d {_quoted(text)}")
        if found.choices:
            lines.append(f"complete -c opsroom -n '{here}' -f -a {_quoted(' '.join(found.choices))}")
    return "\n".join(lines) + "\n"


def _joined(found: Iterable[str]) -> str:
    return " ".join(dict.fromkeys(found))


def _quoted(text: str) -> str:
    """For fish, whose single quotes know the backslash."""
    plain = text.replace("%%", "%").replace("\\", "\\\\").replace("'", "\\'")
    return f"'{plain}'"
