export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** What `heimdall complete` says when names of files fit. */
export const FILES_WANTED = ':files';

/**
 * What a shell has to run so that Tab completes. Each asks `heimdall complete` with the words up to the cursor, and gets a line
 * `value TAB description` for every candidate.
 */
export const SCRIPTS: Readonly<Record<Shell, string>> = {
  // bash takes `:` and `=` for ends of words, and puts candidates in the place of the last part alone.
  bash: `_heimdall() {
  local words line typed value
  read -ra words <<< "\${COMP_LINE:0:COMP_POINT}"
  [[ "\${COMP_LINE:0:COMP_POINT}" == *[[:space:]] ]] && words+=('')
  typed=\${words[-1]}
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == ${FILES_WANTED} ]]; then
      compopt -o filenames
      [[ $typed == --*=* ]] && typed=\${typed#*=}
      mapfile -t COMPREPLY < <(compgen -f -- "$typed")
      return
    fi
    value=\${line%%$'\\t'*}
    COMPREPLY+=("\${value#"\${typed%"\${typed##*[:=]}"}"}")
  done < <("\${words[0]}" complete -- "\${words[@]:1}" 2> /dev/null)
}
complete -F _heimdall heimdall
`,
  zsh: `#compdef heimdall
_heimdall() {
  local line
  local -a found
  while IFS= read -r line; do
    if [[ $line == ${FILES_WANTED} ]]; then
      compset -P '--*='
      _files
      return
    fi
    found+=("\${\${line%%$'\\t'*}//:/\\\\:}\${\${line#*$'\\t'}:+:\${line#*$'\\t'}}")
  done < <("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2> /dev/null)
  (( \${#found} )) && _describe 'heimdall' found
}
if [[ $funcstack[1] == _heimdall ]]; then
  _heimdall "$@"
else
  (( \${+functions[compdef]} )) || { autoload -Uz compinit && compinit }
  compdef _heimdall heimdall
fi
`,
  fish: `function __heimdall_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l found ($words[1] complete -- $words[2..-1] 2> /dev/null)
  if test "$found[1]" = "${FILES_WANTED}"
    set -l option (string match -r -- '^--[^=]+=' $words[-1])
    string replace -r -- '^' "$option" (__fish_complete_path (string replace -- "$option" '' $words[-1]))
  else
    printf '%s\\n' $found
  end
end
complete -c heimdall -f -a '(__heimdall_complete)'
`,
};
