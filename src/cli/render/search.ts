import type { SearchAnswer, SearchHit } from '../../domain/search/search.ts'
import type { Snippet } from '../../domain/search/snippet.ts'
import { counted } from '../../domain/text.ts'
import type { Paint, Terminal } from '../terminal.ts'
import { stateOf } from './state.ts'
import { columns, duration, firstLine, plain } from './text.ts'

const said: Readonly<Record<Snippet['kind'], string>> = {
  goal: 'goal',
  people: 'said',
  names: 'name',
  events: 'event',
  agent: 'agent',
  output: 'output',
}

/** What was found, the best first: a line for each task, and under it where the words are. */
export function searchLines(
  { hits, more, behind }: SearchAnswer,
  now: number,
  { paint, live, width }: Pick<Terminal, 'paint' | 'live' | 'width'>,
): readonly string[] {
  const heads = columns(hits.map((hit) => headOf(hit, now))).map((line) =>
    firstLine(line, live ? width() : 500),
  )
  return [
    ...hits.flatMap(({ snippets }, index) => [
      heads[index] ?? '',
      ...snippets.map((snippet) => `    ${snippetText(snippet, paint)}`),
    ]),
    ...(more
      ? ['', 'There are more: --limit shows them, further words or --repo, --status, --since narrow it.']
      : []),
    ...(behind > 0
      ? ['', `${counted(behind, 'task is', 'tasks are')} not in the search index yet: try again in a minute.`]
      : []),
  ]
}

function headOf({ task }: SearchHit, now: number): readonly string[] {
  return [
    task.id,
    stateOf(task),
    duration(now - task.createdAt),
    firstLine(task.repository.path.split('/').at(-1) ?? '', 24),
    firstLine(task.goal, 400),
  ]
}

function snippetText({ kind, step, parts }: Snippet, paint: Paint): string {
  const where = step === null ? said[kind] : `${said[kind]}, step ${step}`
  const text = parts.map((part) => (part.hit ? paint.bold(safe(part.text)) : safe(part.text))).join('')
  return `${paint.dim(`${where}:`)} ${text}`
}

function safe(text: string): string {
  return plain(text).replaceAll('\n', ' ')
}
