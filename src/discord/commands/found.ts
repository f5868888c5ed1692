import type { SearchAnswer } from '../../domain/search/search.ts'
import { counted } from '../../domain/text.ts'
import { kindOf } from '../messages/status.ts'
import { escaped, line, moment } from '../text.ts'

/** What a search found, the best first, with what was found in bold. */
export function hitLines({ hits, more, behind }: SearchAnswer): string {
  const lines = hits.flatMap(({ task, snippets }) => [
    `\`${task.id}\` **${task.status}** ${moment(task.createdAt)} — ${kindOf(task)}${line(task.goal, 80)}`,
    ...snippets
      .slice(0, 1)
      .map(
        ({ parts }) => `> ${parts.map(({ text, hit }) => (hit ? `**${flat(text)}**` : flat(text))).join('')}`,
      ),
  ])
  return [
    ...(lines.length === 0 ? ['Nothing was found.'] : lines),
    ...(more ? ['There are more: further words narrow it.'] : []),
    ...(behind > 0
      ? [`${counted(behind, 'task is', 'tasks are')} not in the index yet: try again in a minute.`]
      : []),
  ].join('\n')
}

const flat = (text: string): string => escaped(text).replaceAll('\n', ' ')
