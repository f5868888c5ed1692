import type { Agent, AgentResult } from '../domain/agent.ts'
import type { BoxResult } from '../domain/box.ts'
import { readMarker } from '../domain/markers.ts'
import { lastOf } from './last.ts'

/** Any program: a codemod, a formatter, a script. It may end with a marker; where it does not, its exit code speaks. */
export const command: Agent = {
  name: 'command',
  upstream: null,
  call: (choice) => ({ argv: choice.argv, env: {}, files: {} }),
  keeps: () => false,
  reading: () => ({ line: null, end: endOf }),
}

function endOf(result: BoxResult, prompt: string): AgentResult {
  const marker = readMarker(result.output, prompt)
  const silent = marker.state === 'NONE'
  const failure = silent && result.exitCode !== 0 ? failureOf(result) : null
  return {
    marker: silent && result.exitCode === 0 ? { state: 'DONE' } : marker,
    text: lastOf(result.output, 64 * 1024),
    exitCode: result.exitCode,
    session: null,
    usage: null,
    failure,
    ...(failure === null ? {} : { error: 'crash' }),
  }
}

function failureOf(result: BoxResult): string {
  const what = result.message ?? `The agent's command ended with exit code ${result.exitCode ?? 'unknown'}.`
  const lines = result.output.trimEnd().split('\n').slice(-20).join('\n')
  return lines.trim() === '' ? what : `${what} Its last lines:\n${lastOf(lines, 4096)}`
}
