import { createWriteStream, mkdirSync } from 'node:fs'
import { open, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { HostPath } from '../../src/domain/brand.ts'
import type { BoxSpec } from '../../src/domain/box.ts'
import { parseTaskId, type TaskId } from '../../src/domain/ids.ts'
import { counted } from '../../src/domain/text.ts'

/** Bytes waiting for a slow disk; what comes on top is dropped and marked, so that a flood costs no memory. */
const waitingBytes = 8 * 1024 * 1024
/** What `task logs` reads of one box at most, from its end. */
const shownBytes = 4 * 1024 * 1024
/** And of all together: a task may have had hundreds of boxes, and all that is read is in memory at once. */
const wholeBytes = 4 * shownBytes

export interface OutputFile {
  write(chunk: Buffer): void
  end(): Promise<void>
}

/** What boxes printed: one file per box, `logs/<task>/s<step>-a<attempt>-<kind>.log`. */
export class OutputFiles {
  readonly #folder: string

  constructor(data: HostPath) {
    this.#folder = join(data, 'logs')
  }

  /** Starts the file of a box anew: a box that is taken over gives its output from the beginning again. */
  start(spec: BoxSpec): OutputFile {
    const folder = join(this.#folder, spec.task)
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
    } catch {
      // A full disk: the stream below fails too, and the box's result still has head and tail.
    }
    const name = `s${pad(spec.step)}-a${pad(spec.attempt)}-${spec.kind}.log`
    const stream = createWriteStream(join(folder, name), { mode: 0o600 })
    let broken = false
    let dropping = false
    // A full disk must not end the process: the box's result still has head and tail.
    stream.on('error', () => {
      broken = true
    })
    return {
      write(chunk) {
        if (broken) return
        if (stream.writableLength > waitingBytes) {
          dropping = true
          return
        }
        if (dropping) stream.write('\n[output dropped: the disk is too slow]\n')
        dropping = false
        stream.write(chunk)
      },
      end: () =>
        new Promise((resolve) => {
          if (broken) resolve()
          else stream.end(() => resolve())
        }),
    }
  }

  /** Tasks of which there is output. */
  async kept(): Promise<readonly TaskId[]> {
    const names = await readdir(this.#folder).catch((): string[] => [])
    return names.map(parseTaskId).filter((id) => id !== null)
  }

  async remove(id: TaskId): Promise<void> {
    await rm(join(this.#folder, id), { recursive: true, force: true })
  }

  /**
   * The output of a task's boxes (or one step's), oldest first, each with a heading; where it is too much, the newest of it,
   * 16 MiB at most, after a line that says so. It ends as what was printed last does: who looks on adds what comes.
   */
  async read(id: TaskId, step: number | null): Promise<string> {
    const folder = join(this.#folder, id)
    const files = await byTime(folder)
    const wanted = step === null ? files : files.filter(({ name }) => name.startsWith(`s${pad(step)}-`))
    const shown = newestOf(wanted)
    const parts: string[] = []
    if (shown.length < wanted.length) parts.push(leftOut(wanted.length - shown.length, id, step))
    for (const { name } of shown) parts.push(`== ${headingOf(name)} ==\n${await readEnd(join(folder, name))}`)
    return parts.map((part, index) => (index + 1 < parts.length ? `${ended(part)}\n` : part)).join('')
  }
}

interface PrintedFile {
  readonly name: string
  readonly size: number
}

/** As many as may be shown together, from the newest back. */
function newestOf(files: readonly PrintedFile[]): readonly PrintedFile[] {
  let room = wholeBytes
  const first = files.findLastIndex(({ size }) => (room -= Math.min(size, shownBytes)) < 0)
  return files.slice(first + 1)
}

/** A text at whose end another line can begin. */
const ended = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`)

function leftOut(count: number, id: TaskId, step: number | null): string {
  const there = step === null ? 'ask for one step to see it' : `it is in logs/${id} of the data folder`
  return `[the output of ${counted(count, 'older box', 'older boxes')} is left out: ${there}]\n`
}

/**
 * Files by when they were last written: a task's boxes run one after the other, and their names do not tell in which order
 * (setup may run again between two steps).
 */
async function byTime(folder: string): Promise<readonly PrintedFile[]> {
  const names = await readdir(folder).catch((): string[] => [])
  const files = await Promise.all(
    names.map(async (name) => {
      const { mtimeNs, size } = await stat(join(folder, name), { bigint: true })
      return { name, mtimeNs, size: Number(size) }
    }),
  )
  return files.toSorted((a, b) =>
    a.mtimeNs === b.mtimeNs ? a.name.localeCompare(b.name) : a.mtimeNs < b.mtimeNs ? -1 : 1,
  )
}

function pad(number: number): string {
  return String(number).padStart(3, '0')
}

function headingOf(name: string): string {
  const match = /^s(\d+)-a(\d+)-(\w+)\.log$/.exec(name)
  if (match === null) return name
  const [, step, attempt, kind] = match
  return `${kind} box, step ${Number(step)}, attempt ${Number(attempt)}`
}

async function readEnd(file: string): Promise<string> {
  const handle = await open(file, 'r')
  try {
    const { size } = await handle.stat()
    if (size <= shownBytes) return await readFile(handle, 'utf8')
    const end = Buffer.alloc(shownBytes)
    await handle.read(end, 0, shownBytes, size - shownBytes)
    return `[the first ${size - shownBytes} bytes are left out]\n${end.toString('utf8')}`
  } finally {
    await handle.close()
  }
}
