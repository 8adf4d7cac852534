/**
 * Scripts that connect a shell's completion with ours: they hand over the words before the cursor, one a line, and
 * get the candidates, one a line.
 */

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof SHELLS)[number];

/** `COMP_WORDS` breaks at `=`, which the candidates know. A folder goes on: no space follows it. */
const BASH = `# Completion of sluice for bash: source <(sluice completion bash)
_sluice() {
  local IFS=$'\\n' found
  COMPREPLY=()
  while read -r found; do
    COMPREPLY+=("$(printf '%q' "$found")")
  done < <("$1" completion bash --words "\${COMP_WORDS[*]:0:COMP_CWORD+1}" 2>/dev/null)
  if [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == */ ]]; then compopt -o nospace 2>/dev/null; fi
}
complete -F _sluice sluice
`;

const ZSH = `#compdef sluice
# Completion of sluice for zsh: source <(sluice completion zsh), behind compinit
_sluice() {
  local -a found folders
  found=("\${(@f)$(\${words[1]} completion zsh --words "\${(pj:\\n:)words[1,CURRENT]}" 2>/dev/null)}")
  folders=(\${(M)found:#*/})
  found=(\${found:#*/})
  (( \${#folders} )) && compadd -S '' -- "\${folders[@]}"
  (( \${#found} )) && compadd -- "\${found[@]}"
}
compdef _sluice sluice
`;

const FISH = `# Completion of sluice for fish: sluice completion fish | source
function __sluice_words
  set -l typed (commandline -ct)
  set -q typed[1]; or set typed ''
  set -l words sluice
  for word in (commandline -opc)[2..-1] $typed
    set words $words\\n$word
  end
  sluice completion fish --words $words 2>/dev/null
end
complete -c sluice -f -a '(__sluice_words)'
`;

export const scripts: { readonly [S in Shell]: string } = { bash: BASH, zsh: ZSH, fish: FISH };
