import type { Finding } from '../../domain/control-plane.ts'
import type { Paint } from '../terminal.ts'
import type { Spell } from './next.ts'
import { respelled } from './respelled.ts'
import { plain } from './text.ts'

/** What doctor found, one line each. */
export function findingLines(findings: readonly Finding[], spell: Spell, paint: Paint): readonly string[] {
  const width = Math.max(0, ...findings.map(({ name }) => name.length))
  const marks = { ok: paint.green('✔'), warning: paint.yellow('!'), problem: paint.red('✖') }
  return findings.map(
    ({ name, state, text }) => `${marks[state]} ${name.padEnd(width)}  ${plain(respelled(text, spell))}`,
  )
}
