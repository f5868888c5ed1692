import type { Node } from './tree.ts'

export const shells = ['bash', 'zsh', 'fish'] as const
export type ShellName = (typeof shells)[number]

/** The script that teaches a shell the commands. Names are our own words, so only descriptions are quoted. */
export function completionScript(shell: ShellName, nodes: readonly Node[]): string {
  return { bash, zsh, fish }[shell](nodes)
}

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`

/** The paths of all commands but the program, as patterns of a `case`. */
const deeper = (nodes: readonly Node[]): string =>
  nodes
    .slice(1)
    .map(({ path }) => `"${path}"`)
    .join('|')

const names = (list: readonly { readonly name: string }[]): string => list.map(({ name }) => name).join(' ')

/** Nothing is offered after an option that takes a value but the names of files, and nothing at all after `--`. */
function bash(nodes: readonly Node[]): string {
  const cases = nodes.map(({ path, words, options }) => {
    const taking = options.filter(({ takes }) => takes)
    return `    "${path}") words="${names(words)}"; options="${names(options)}"; taking=" ${names(taking)} " ;;`
  })
  return `# bash completion of cofferdam: source <(cofferdam completion bash)
_cofferdam() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" at=cofferdam i words options taking
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ \${COMP_WORDS[i]} == -- ]] && return
    case "$at \${COMP_WORDS[i]}" in
      ${deeper(nodes)}) at="$at \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$at" in
${cases.join('\n')}
  esac
  [[ $taking == *" $before "* ]] && return
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
  elif [[ -n $words ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  fi
}
complete -o default -F _cofferdam cofferdam
`
}

function zsh(nodes: readonly Node[]): string {
  const described = (list: readonly { readonly name: string; readonly about: string }[]): string =>
    list.map(({ name, about }) => quoted(`${name}:${about}`)).join(' ')
  const cases = nodes.map(({ path, words, options }) => {
    const taking = options.filter(({ takes }) => takes)
    return `    "${path}") words_=(${described(words)}); options_=(${described(options)}); taking=" ${names(taking)} " ;;`
  })
  return `#compdef cofferdam
# zsh completion of cofferdam: source <(cofferdam completion zsh)
_cofferdam() {
  local at=cofferdam taking i
  local -a words_ options_
  for ((i = 2; i < CURRENT; i++)); do
    [[ $words[i] == -- ]] && { _files; return; }
    case "$at $words[i]" in
      (${deeper(nodes)}) at="$at $words[i]" ;;
    esac
  done
  case "$at" in
${cases.join('\n')}
  esac
  if [[ $taking == *" $words[CURRENT-1] "* ]]; then
    _files
  elif [[ $words[CURRENT] == -* ]]; then
    _describe option options_ -o
  elif (( $#words_ )); then
    _describe command words_
  else
    _files
  fi
}
compdef _cofferdam cofferdam
`
}

function fish(nodes: readonly Node[]): string {
  const lines = nodes.flatMap(({ path, words, options }) => {
    const on = `complete -c cofferdam -n '__cofferdam_at "${path}"'`
    return [
      ...words.map(({ name, about }) => `${on} -f -a ${name} -d ${quoted(about)}`),
      ...options.map(
        ({ name, about, takes }) => `${on} -l ${name.slice(2)}${takes ? ' -r' : ''} -d ${quoted(about)}`,
      ),
    ]
  })
  const paths = nodes.slice(1).map(({ path }) => quoted(path))
  return `# fish completion of cofferdam: cofferdam completion fish | source
function __cofferdam_at
  set -l at cofferdam
  for word in (commandline -opc)[2..-1]
    switch "$at $word"
      case ${paths.join(' ')}
        set at "$at $word"
    end
  end
  test "$at" = "$argv[1]"
end
${lines.join('\n')}
`
}
