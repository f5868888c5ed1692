import type { Spell } from './next.ts'

const command = /`cofferdam ([^`\n]+)`/g
/** It leads somewhere already, or has a place for more options only before this. */
const settled = /(^| )--(data|config|server)\b| -- /

/** A sentence of the control plane, which knows no options, with the commands in it as they have to be given here. */
export function respelled(text: string, spell: Spell): string {
  return text.replaceAll(command, (whole, words: string) =>
    settled.test(words) ? whole : `\`${spell(words)}\``,
  )
}
