import { retold } from '../domain/retold.ts'
import { commands } from './commands/definitions.ts'

/** Those that have another name here. */
const names: Readonly<Record<string, string>> = { task_show: 'task_status', task_diff: 'task_changes' }

/** Those whose options are others here. */
const forms: readonly (readonly [RegExp, string])[] = [
  [/^task pull-ended (\S+) --(merged|closed)$/, '`/task_pull_ended task:$1 as:$2`'],
  [/^task review (\S+) --withdraw (\S+)$/, '`/task_withdraw task:$1 review:$2`'],
]

/** A sentence of the control plane with the commands in it as they are given here; those that are not here stay as they are. */
export function respelled(text: string): string {
  return retold(text, (words) => {
    const form = forms.find(([pattern]) => pattern.test(words))
    return form === undefined ? slashCommand(words.split(' ')) : words.replace(...form)
  })
}

/** Null where there is none, or one that does not take all of it. */
function slashCommand(words: readonly string[]): string | null {
  for (const length of [2, 1]) {
    const typed = words.slice(0, length).join('_')
    const found = commands.find(({ name }) => name === (names[typed] ?? typed))
    if (found !== undefined) return spelled(found, words.slice(length))
  }
  return null
}

function spelled({ name, options }: (typeof commands)[number], words: readonly string[]): string | null {
  const places = options.filter(({ required }) => required === true).map((option) => option.name)
  const given: string[] = []
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? ''
    const isOption = word.startsWith('--')
    const option = isOption ? word.slice(2).replaceAll('-', '_') : places.shift()
    const value = isOption ? words[(at += 1)] : word
    if (value === undefined || !options.some((one) => one.name === option)) return null
    given.push(`${option}:${value}`)
  }
  return `\`${[`/${name}`, ...given].join(' ')}\``
}
