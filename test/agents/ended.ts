import type { Agent, AgentProgress, AgentResult } from '../../src/domain/agent.ts'
import type { BoxResult } from '../../src/domain/box.ts'

/** A box that ended, after this output. */
export const ended = (output: string, some: Partial<BoxResult> = {}): BoxResult => ({
  end: 'exited',
  exitCode: 0,
  output,
  outputBytes: output.length,
  truncated: false,
  startedAt: 0,
  endedAt: 1,
  peaks: { memoryMb: null, pids: null, cpuMs: null },
  message: null,
  ...some,
})

/** What an agent's adapter makes of what its program printed. */
export function readingOf(
  agent: Agent,
  output: string,
  some: Partial<BoxResult> = {},
  prompt = 'Do it.',
): { readonly result: AgentResult; readonly progress: readonly AgentProgress[] } {
  const reading = agent.reading()
  const progress = output.split('\n').flatMap((line) => reading.line?.(line) ?? [])
  return { result: reading.end(ended(output, some), prompt), progress }
}
