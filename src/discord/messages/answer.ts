import { cut, escaped, headBlock, plain } from '../text.ts'

/** Less than this is no room for the beginning of a part, letters. */
const leastRoom = 20

/**
 * An answer, which is Markdown: what it fences as code is a block of code, and all else is shown letter by letter, so that
 * nothing pings or leads elsewhere than it says. Only its beginning where that is longer than `length`, and `…` says so. Never
 * longer than the answer is when all of it is escaped.
 */
export function shownAnswer(answer: string, length: number): string {
  const parts = partsOf(plain(answer))
  const whole = parts.map((part) => shownPart(part, Infinity)).join('\n')
  return whole.length <= length ? whole : beginning(parts, length)
}

function beginning(parts: readonly Part[], length: number): string {
  const end = '\n…'
  const shown: string[] = []
  let room = length - end.length
  for (const part of parts) {
    if (room < leastRoom) break
    const text = shownPart(part, room)
    shown.push(text)
    if (text !== shownPart(part, Infinity)) return shown.join('\n')
    room -= text.length + 1
  }
  return shown.join('\n') + end
}

function shownPart({ isCode, text }: Part, room: number): string {
  return isCode ? headBlock(text, room) : cut(escaped(text), room)
}

interface Part {
  readonly isCode: boolean
  readonly text: string
}

/** A line that begins or ends a block, however far a list has moved it to the right. */
const fenceLine = /^[^\S\n]*(`{3,}(?=[^`]*$)|~{3,})/

/** What stands between fences, and what does not; a fence that nothing closes is none. */
function partsOf(text: string): readonly Part[] {
  const parts: Part[] = []
  let lines: string[] = []
  let opened: { readonly mark: string; readonly line: string } | null = null
  const end = (isCode: boolean): void => {
    if (lines.length > 0) parts.push({ isCode, text: lines.join('\n') })
    lines = []
  }
  for (const line of text.split('\n')) {
    const mark = fenceLine.exec(line)?.[1]
    if (opened === null && mark !== undefined) {
      end(false)
      opened = { mark, line }
    } else if (opened !== null && mark?.startsWith(opened.mark) === true && line.trim() === mark) {
      end(true)
      opened = null
    } else lines.push(line)
  }
  if (opened !== null) lines.unshift(opened.line)
  end(false)
  return parts
}
