import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'

/** A process of a test, and what it has printed so far. */
export interface Child {
  readonly process: ChildProcessWithoutNullStreams
  output(): string
  /** Resolves when it has printed something that fits; rejects with its errors when it ends before. */
  printed(pattern: RegExp): Promise<void>
  /** Kills it as a power cut would, and waits until it is gone. */
  kill(): Promise<void>
  /** Resolves when it has ended by itself. */
  ended(): Promise<void>
}

export function startChild(command: string, args: readonly string[]): Child {
  const child = spawn(command, args)
  let output = ''
  let errors = ''
  let gone = false
  const close = (async () => {
    await once(child, 'close')
    gone = true
  })()
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  return {
    process: child,
    output: () => output,
    async printed(pattern) {
      while (!pattern.test(output)) {
        if (gone) throw new Error(`it ended too early: ${errors}`)
        await Promise.race([once(child.stdout, 'data'), close])
      }
    },
    async kill() {
      child.kill('SIGKILL')
      await close
    },
    ended: () => close,
  }
}
