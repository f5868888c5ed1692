import type { Letter } from '../../domain/outbox/letter.ts'
import type { Spell } from './next.ts'
import { columns, duration, firstLine, hang, moment, plain } from './text.ts'

/** Letters as a table that fits `width` columns. */
export function letterTable(letters: readonly Letter[], now: number, width: number): readonly string[] {
  const head = ['ID', 'STATE', 'TRIES', 'AGE', 'TO', 'TASK', 'WHAT', 'WHY']
  const rows = letters.map((letter) => [
    letter.id,
    letter.state,
    String(letter.attempts),
    duration(now - letter.createdAt),
    firstLine(letter.destination, 40),
    letter.taskId,
    letter.type,
    firstLine(letter.error ?? '', 200),
  ])
  return columns([head, ...rows]).map((line) => firstLine(line, width))
}

/** One letter in full. */
export function letterLines(letter: Letter, spell: Spell): readonly string[] {
  const { state, attempts, nextAt, endedAt, actor } = letter
  const rows: readonly (readonly [string, string | null])[] = [
    ['letter', letter.id],
    ['to', letter.destination],
    ['about', `${letter.type}, task ${letter.taskId}, event ${letter.event}`],
    ['written', moment(letter.createdAt)],
    ['state', `${state} after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`],
    ['next', state === 'waiting' ? moment(nextAt) : null],
    ['ended', endedAt === null ? null : moment(endedAt)],
    ['why', letter.error],
    ['touched by', actor === null ? null : plain(actor.id)],
    ['help', helpFor(letter, spell)],
    ['body', letter.body],
  ]
  return columns(rows.flatMap(([name, text]) => (text === null ? [] : [[name, hang(text, 0)]])))
}

function helpFor({ id, state }: Letter, spell: Spell): string | null {
  const retry = `\`${spell(`outbox retry ${id}`)}\``
  if (state === 'dead') return `${retry} has it tried again; \`${spell(`outbox discard ${id}`)}\` gives it up`
  return state === 'waiting' ? `${retry} has it tried at once` : null
}
