"""`convcalc completion`: the script by which a shell completes calls of convcalc."""

from typing import Annotated, Literal

import typer

Shell = Literal["bash", "zsh", "fish"]

BASH = r"""
# Completion of convcalc in bash. In ~/.bashrc:  eval "$(convcalc completion bash)"
_convcalc_completion() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        [[ -n $line ]] && COMPREPLY+=("$line")
    done < <(_CONVCALC_COMPLETE=bash "$1" "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[/=:] ]] && compopt -o nospace 2>/dev/null
    # bash replaces what stands behind the last = or : alone.
    local word=${COMP_WORDS[COMP_CWORD]} before=""
    if [[ $word == "=" || ${COMP_WORDS[COMP_CWORD - 1]} == "=" ]]; then
        for line in "${!COMPREPLY[@]}"; do
            [[ ${COMPREPLY[line]} == --*=* ]] && COMPREPLY[line]=${COMPREPLY[line]#*=}
        done
    fi
    return 0
}
complete -o default -F _convcalc_completion convcalc
"""

ZSH = r"""#compdef convcalc
# Completion of convcalc in zsh. In ~/.zshrc, behind compinit:  eval "$(convcalc completion zsh)"
_convcalc() {
    local line value
    local -a values shown open open_shown
    while IFS= read -r line; do
        [[ -z $line ]] && continue
        value=${line%%$'\t'*}
        [[ $line == *$'\t'* ]] && line="$value  -- ${line#*$'\t'}"
        if [[ $value == *[/=:] ]]; then
            open+=("$value") open_shown+=("$line")
        else
            values+=("$value") shown+=("$line")
        fi
    done < <(_CONVCALC_COMPLETE=zsh "${(Q)words[1]}" "${(@Q)words[2,CURRENT]}" 2>/dev/null)
    if (( $#values + $#open == 0 )); then
        _files
        return
    fi
    (( $#values )) && compadd -l -d shown -a values
    (( $#open )) && compadd -l -S '' -d open_shown -a open
}
if [[ $funcstack[1] == _convcalc ]]; then
    _convcalc "$@"
else
    compdef _convcalc convcalc
fi
"""

FISH = r"""
# Completion of convcalc in fish:  convcalc completion fish > ~/.config/fish/completions/convcalc.fish
function __convcalc_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l found (env _CONVCALC_COMPLETE=fish $words[1] $words[2..-1] "$word" 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path "$word"
    end
end
complete --command convcalc --no-files --arguments '(__convcalc_complete)'
"""

SCRIPTS: dict[Shell, str] = {"bash": BASH, "zsh": ZSH, "fish": FISH}
"""Shell -> its script. What the program prints is read as data in each: nothing of it is evaluated."""


def command(
    shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")],
) -> None:
    from ..render.streams import write_text

    write_text(SCRIPTS[shell].lstrip("\n"))
