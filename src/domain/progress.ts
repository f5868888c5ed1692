import type { AgentProgress } from './agent.ts'

const longest = 300

/** What an agent did, as text for a terminal and for the log of a box; '' for what is no line of it. */
export function progressText(progress: AgentProgress): string {
  if (progress.kind === 'spent') return ''
  if (progress.kind !== 'tool') return progress.text
  const { tool, text, paths } = progress
  const what = text === '' ? paths.join(' ') : text
  return `» ${tool} ${oneLine(what)}`.trimEnd()
}

/** A command may be a script of many lines: its beginning says what it is. */
function oneLine(text: string): string {
  const lines = text.slice(0, 2 * longest).split('\n')
  const line = lines
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join(' ⏎ ')
  return line.length > longest || text.length > 2 * longest ? `${line.slice(0, longest)}…` : line
}
