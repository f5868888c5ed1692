import { createInterface } from 'node:readline/promises'
import { text } from 'node:stream/consumers'
import { isatty } from 'node:tty'
import picocolors from 'picocolors'

export type Paint = ReturnType<typeof picocolors.createColors>

/** Where the command line meets a person or a pipe. */
export interface Terminal {
  /** Someone is there to answer a question. */
  readonly asks: boolean
  /** Standard output is a terminal, which does what it is told by control characters: also one without colours. */
  readonly obeys: boolean
  /** It is one with colours: one line at its bottom may be written over and over. */
  readonly live: boolean
  readonly paint: Paint
  /** Columns of the terminal. */
  width(): number
  out(text: string): void
  error(text: string): void
  /** Resolves when what was written is on its way, so that a slow reader costs no memory. */
  drained(): Promise<void>
  /** An answer, or null: nothing was answered, or `signal` took the question back. */
  ask(question: string, signal: AbortSignal): Promise<string | null>
  /** All of standard input. */
  input(): Promise<string>
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr } = process
  for (const stream of [stdout, stderr]) {
    // A reader that went away (`| head`) ends the printing, not the work.
    stream.on('error', () => undefined)
  }
  // Where it is no terminal, `isTTY` is not false but missing, which would leave the choice to picocolors: colours in CI.
  const obeys = isatty(stdout.fd)
  const live = obeys && picocolors.isColorSupported
  return {
    asks: stdin.isTTY && stdout.isTTY,
    obeys,
    live,
    paint: picocolors.createColors(live),
    width: () => stdout.columns || 80,
    out: (line) => void stdout.write(line),
    error: (line) => void stderr.write(line),
    drained: async () => {
      if (stdout.writableNeedDrain && !stdout.destroyed) await nextOf(stdout, ['drain', 'close', 'error'])
    },
    ask: (question, signal) => ask(question, signal),
    input: () => text(stdin),
  }
}

function nextOf(stream: NodeJS.WriteStream, names: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const name of names) stream.off(name, done)
      resolve()
    }
    for (const name of names) stream.on(name, done)
  })
}

async function ask(question: string, signal: AbortSignal): Promise<string | null> {
  const lines = createInterface({ input: process.stdin, output: process.stdout })
  const closed = new Promise<null>((resolve) => {
    lines.once('close', () => resolve(null))
    lines.once('SIGINT', () => resolve(null))
  })
  try {
    return await Promise.race([lines.question(question, { signal }), closed])
  } catch (error) {
    if (signal.aborted) return null
    throw error
  } finally {
    lines.close()
  }
}
