"""`regionalize completion`: the script that makes a shell complete our commands, and what it asks for."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stderr, suppress

import click
from click.shell_completion import BashComplete, CompletionItem, FishComplete, ShellComplete, ZshComplete
from click.shell_completion import split_arg_string as split

from regionalize.cli import options as opt
from regionalize.cli.examples import Exemplified

ASKED = "_REGIONALIZE_COMPLETE"
"""Environment variable that asks for candidates in place of a run; a shell's script sets it."""

BASH = """\
_regionalize_completion() {
    local kind value word="${COMP_WORDS[COMP_CWORD]}"
    COMPREPLY=()
    while IFS=, read -r kind value; do
        case $kind in
            file) compopt -o default 2>/dev/null; continue ;;
            dir) compopt -o dirnames 2>/dev/null; continue ;;
            path) compopt -o filenames 2>/dev/null ;;
            list) compopt -o nospace 2>/dev/null ;;
        esac
        if [[ $kind != path && $word != [\\"\\']* ]]; then
            printf -v value %q "$value"
            value=${value//\\\\,/,}
        fi
        COMPREPLY+=("$value")
    done < <(COMP_WORDS="${COMP_LINE:0:COMP_POINT}" COMP_WORD="$word" \\
        _REGIONALIZE_COMPLETE=bash_complete "$1" 2>/dev/null)
}
complete -o nosort -F _regionalize_completion regionalize 2>/dev/null ||
    complete -F _regionalize_completion regionalize
"""

ZSH = """\
#compdef regionalize
_regionalize_completion() {
    local -a response described
    local kind value text
    response=("${(@f)$(COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT-1)) \\
        _REGIONALIZE_COMPLETE=zsh_complete regionalize 2>/dev/null)}")
    for kind value text in "${response[@]}"; do
        case $kind in
            file) _path_files -f ;;
            dir) _path_files -/ ;;
            path)
                if [[ $value == */ ]]; then
                    compadd -U -f -S '' -- "$value"
                else
                    compadd -U -f -- "$value"
                fi ;;
            list) compadd -U -S '' -- "$value" ;;
            plain)
                if [[ $text == _ ]]; then
                    compadd -U -- "$value"
                else
                    described+=("${value//:/\\\\:}:$text")
                fi ;;
        esac
    done
    (( ! $#described )) || _describe -V 'regionalize' described -U
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _regionalize_completion "$@"
else
    compdef _regionalize_completion regionalize
fi
"""

FISH = """\
function _regionalize_completion
    set -l response (env _REGIONALIZE_COMPLETE=fish_complete COMP_WORDS=(commandline -cp) \\
        COMP_CWORD=(commandline -ct) regionalize 2>/dev/null)
    for line in $response
        set -l parts (string split -m 1 , -- $line)
        switch $parts[1]
            case file
                __fish_complete_path (commandline -ct)
            case dir
                __fish_complete_directories (commandline -ct)
            case '*'
                printf '%s\\n' $parts[2]
        end
    end
end
complete --no-files --command regionalize --arguments '(_regionalize_completion)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


class Asked(ShellComplete):
    """What the scripts ask: candidates for the last word of a line."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """Complete a word; after ``--option=`` the value, given back with what stands before it."""
        self.ctx_args["obj"] = args
        before = ""
        if incomplete.startswith("--") and "=" in incomplete:
            option, equals, incomplete = incomplete.partition("=")
            before, args = option + equals, [*args, option]
            self.ctx_args["obj"] = args
        found = super().get_completions(args, incomplete)
        for item in found:
            if item.type not in {"file", "dir"}:
                item.value = self.shown(item.value, before, incomplete)
        return found

    def shown(self, value: str, before: str, typed: str) -> str:
        """Return a candidate as the shell is to insert it, in place of the whole word."""
        return before + value


class Bash(Asked, BashComplete):
    """Candidates for bash, which takes what follows ``:`` or ``=`` for a word of its own."""

    source_template = BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        """Split the line up to the cursor, the command first."""
        line = os.environ["COMP_WORDS"]
        words = split(line)
        if "COMP_CWORD" in os.environ:
            at = int(os.environ["COMP_CWORD"])
            return words[1:at], words[at] if at < len(words) else ""
        is_open = len(split(line + "x")) == len(words)
        return words[1 : len(words) - is_open], words[-1] if is_open else ""

    def shown(self, value: str, before: str, typed: str) -> str:
        """Return a candidate in place of what bash takes for the word."""
        word = os.environ.get("COMP_WORD", before + typed)
        word = "" if word in {"=", ":"} else word
        whole = before + typed
        return (before + value)[len(whole) - len(word) :] if whole.endswith(word) else value


class Zsh(Asked, ZshComplete):
    """Candidates for zsh, three lines each."""

    source_template = ZSH

    def format_completion(self, item: CompletionItem[str]) -> str:
        """Write kind, value and help; the script sees to colons."""
        return f"{item.type}\n{item.value}\n{' '.join((item.help or '_').split())}"


class Fish(Asked, FishComplete):
    """Candidates for fish."""

    source_template = FISH


SHELLS: dict[str, type[Asked]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}


def complete(program: click.Command) -> int:
    """Answer a shell's script. Whatever goes wrong, nothing is said: someone is typing."""
    shell = os.environ[ASKED].partition("_")[0]
    with suppress(Exception, SystemExit), open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):
        words = SHELLS[shell](program, {}, "regionalize", ASKED).complete()
        sys.stdout.buffer.write(words.encode("utf-8", "surrogateescape") + (b"\n" if words else b""))
        sys.stdout.buffer.flush()
    return 0


@click.command("completion", cls=Exemplified, context_settings={"max_content_width": 100})
@click.argument("shell", type=opt.OneOf(list(SCRIPTS)))
def command(shell: str) -> None:
    """Print the script that makes bash, zsh or fish complete what is typed.

    Commands, options and their values, files, and columns and layers of INPUT. Once:

    \b
    bash echo 'eval "$(regionalize completion bash)"' >> ~/.bashrc
    zsh  regionalize completion zsh > ~/.zfunc/_regionalize
         (and in ~/.zshrc, before compinit: fpath+=~/.zfunc)
    fish regionalize completion fish > ~/.config/fish/completions/regionalize.fish

    Then start a new shell. Before bash 4.4, candidates come in the order of the alphabet.
    """  # noqa: D301  # click leaves a paragraph that begins with this letter as it is
    click.echo(SCRIPTS[shell], nl=False)
