import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { Failure } from '../../../domain/failure.ts'

export interface CommandOptions {
  readonly folder?: string
  readonly stdin?: string
  /** Called with each line of its messages (standard error). */
  readonly said?: (line: string) => void
  /** Reads its output instead of having it returned. Where it rejects, the program is killed. */
  readonly reading?: (output: Readable) => Promise<void>
}

/** Runs a program to its end; resolves to its output, rejects with `Failure('image')` and its last lines. */
export async function command(
  name: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<string> {
  const child = spawn(name, args, options.folder === undefined ? {} : { cwd: options.folder })
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once('error', (cause) =>
      reject(new Failure('image', `${name} does not start: ${cause.message}`, { cause })),
    )
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'no code'))
  })
  child.stdin.on('error', () => undefined) // it need not read to the end
  child.stdin.end(options.stdin ?? '')

  const last: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => {
    last.push(line)
    if (last.length > 20) last.shift()
    options.said?.(line)
  })
  const reading = options.reading?.(child.stdout).then(() => '') ?? text(child.stdout)
  const unread = reading.then(
    () => null,
    (error: unknown) => {
      const first = child.exitCode === null && child.signalCode === null
      child.kill('SIGKILL')
      return first ? { error } : null
    },
  )
  const code = await ended
  const broken = await unread
  if (broken !== null) throw broken.error
  if (code !== 0) throw new Failure('image', `${name} ended with ${code}:\n${last.join('\n')}`)
  return reading
}
