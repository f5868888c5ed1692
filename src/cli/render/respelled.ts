import { retold } from '../../domain/retold.ts'
import type { Spell } from './next.ts'

/** It leads somewhere already, or has a place for more options only before this. */
const settled = /(^| )--(data|config|server)\b| -- /

/** A sentence of the control plane, which knows no options, with the commands in it as they have to be given here. */
export function respelled(text: string, spell: Spell): string {
  return retold(text, (words) => (settled.test(words) ? null : `\`${spell(words)}\``))
}
