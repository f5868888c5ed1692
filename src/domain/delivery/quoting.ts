/**
 * Text of agents and of people in what a forge reads: shown as it is, and obeyed nowhere. Code blocks keep
 * markup, images and mentions from being read; what some forges look for in them all the same (issues to close, commands)
 * is taken apart by a sign that nobody sees.
 */

/** Word joiner: has no width, and is no part of a name or a number. */
const apart = '\u2060'

/** What makes a reference of the word behind it, on one forge or another. */
const references = /([@#!$%&~^])(?=[\p{L}\p{N}_"'{[(-])/gu
/** `GH-1`, `ABC-123`: issues by the key of their project. */
const keys = /\b(\p{L}[\p{L}\p{N}_]*-)(?=\p{N})/gu
const addresses = /:(?=\/\/)/g
const commands = /^(\s*)\/(?=\p{L})/gmu

/** A line end of any kind as `\n`; signs that cannot be seen, or turn the direction of writing, are left out. */
function visible(text: string): string {
  return text
    .replaceAll(/\r\n?|[\u2028\u2029\u0085]/g, '\n')
    .replaceAll(/[^\P{Cc}\n\t]|\p{Cf}|\p{Co}|\p{Cs}|\p{Cn}/gu, '')
}

/** One line of text that refers to nothing, for a title. */
export function harmless(text: string): string {
  return apartIn(visible(text).replaceAll(/\s+/g, ' ').trim())
}

/** The same for text of several lines. */
export function harmlessText(text: string): string {
  return apartIn(visible(text).trim())
}

function apartIn(text: string): string {
  return text
    .replaceAll(references, `$1${apart}`)
    .replaceAll(keys, `$1${apart}`)
    .replaceAll(addresses, `:${apart}`)
    .replaceAll(commands, `$1/${apart}`)
}

/** A block of its own; what is over `most` characters is cut, with a mark. */
export function quoted(text: string, most: number): string {
  const inner = apartIn(beginning(visible(text).trim(), most))
  const fence = '`'.repeat(Math.max(3, longestRun(inner) + 1))
  return `${fence}text\n${inner}\n${fence}`
}

/** Within a line. */
export function inline(text: string, most: number): string {
  const inner = beginning(harmless(text), most)
  if (inner === '') return '—'
  const fence = '`'.repeat(longestRun(inner) + 1)
  return `${fence} ${inner} ${fence}`
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
}

/** The first `most` characters, with a mark where there are more. */
export function beginning(text: string, most: number): string {
  const letters = Array.from(text)
  return letters.length <= most ? text : `${letters.slice(0, most - 1).join('')}…`
}
