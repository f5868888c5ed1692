import type { Marker } from './agent.ts'
import { withoutColours } from './terminal.ts'

const longestReason = 2000
const statePattern = /^TASK_STATE\s?[:：=]\s*(DONE|CONTINUE|BLOCKED)$/i

/** Stands for the reason of an agent that gives none. */
export const noReason = 'The agent gave no reason.'

/**
 * What an agent's final message says about its state: the last line of its kind counts. Emphasis, quotes, list dashes and
 * trailing dots around it are tolerated. A line that stands between the same neighbours as in the prompt is the prompt
 * repeated, and no answer.
 */
export function readMarker(text: string, prompt: string): Marker {
  const lines = linesOf(text)
  const echoed = echoesOf(prompt)
  const answers = lines.filter((_line, index) => !isEcho(lines, index, echoed))
  const state = lastMatch(answers, statePattern)?.toUpperCase()
  if (state === 'DONE' || state === 'CONTINUE') return { state }
  if (state !== 'BLOCKED') return { state: 'NONE' }
  const reason = lastMatch(answers, /^BLOCK_REASON\s?[:：=](?=.*[\p{L}\p{N}])(.*)$/iu)
  return { state, blockReason: reason?.slice(0, longestReason) ?? noReason }
}

/** A message without the lines of state at its end. */
export function withoutMarker(text: string): string {
  const lines = withoutColours(text).split(/\r\n|[\r\n\u2028\u2029]/)
  const end = lines.findLastIndex(
    (line) => line.trim() !== '' && !isAnswerLine(bare(line.slice(0, 2 * longestReason))),
  )
  return lines.slice(0, end + 1).join('\n')
}

function lastMatch(lines: readonly string[], pattern: RegExp): string | undefined {
  for (const line of lines.toReversed()) {
    const found = pattern.exec(line)?.[1]
    if (found !== undefined) return found.trim()
  }
  return undefined
}

/** The non-empty lines, without terminal colours; marker lines also without the markdown around them. */
function linesOf(text: string): readonly string[] {
  return withoutColours(text)
    .split(/[\r\n\u2028\u2029]+/)
    .map((line) =>
      /TASK\\?_STATE|BLOCK\\?_REASON/i.test(line) ? bare(line.slice(0, 2 * longestReason)) : line.trim(),
    )
    .filter((line) => line !== '')
}

function bare(line: string): string {
  const inner = line
    .replaceAll('\\_', '_')
    .replaceAll(/[*`]/g, '')
    .replace(/^\s*(?:>\s*|[-+•]\s+|\d+[.)]\s+|#+\s+)*/, '')
    .replace(/^[\s_~"'“”„«‘’]+/, '')
  // A reason is a sentence and may end with a dot; a state has none of its own.
  return withoutEnd(inner, /^TASK_STATE/i.test(inner) ? /[\s_~"'“”»’.。!！;,]/ : /[\s_~"“”»]/)
}

/** Without the letters of that kind at its end. A pattern would be tried at each that stands before, to the end each time. */
function withoutEnd(text: string, kind: RegExp): string {
  let end = text.length
  while (end > 0 && kind.test(text.charAt(end - 1))) end -= 1
  return text.slice(0, end)
}

/** The marker lines of a prompt with their neighbours. */
type Echoes = readonly {
  readonly line: string
  readonly before: string | undefined
  readonly after: string | undefined
}[]

function echoesOf(prompt: string): Echoes {
  const lines = linesOf(prompt)
  return lines.flatMap((line, index) =>
    isMarkerLine(line) ? [{ line, before: lines[index - 1], after: lines[index + 1] }] : [],
  )
}

function isEcho(lines: readonly string[], index: number, echoes: Echoes): boolean {
  const line = lines[index] ?? ''
  if (!isMarkerLine(line)) return false
  const [before, after] = [lines[index - 1], lines[index + 1]]
  return echoes.some(
    (echo) =>
      echo.line === line &&
      ((echo.before !== undefined && echo.before === before) ||
        (echo.after !== undefined && echo.after === after)),
  )
}

function isAnswerLine(line: string): boolean {
  return statePattern.test(line) || /^BLOCK_REASON\s?[:：=]/i.test(line)
}

function isMarkerLine(line: string): boolean {
  return /^(?:TASK_STATE|BLOCK_REASON)/i.test(line)
}
