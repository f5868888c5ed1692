import type { AgentProgress, AgentReading } from '../../src/domain/agent.ts'
import type { BoxSpec } from '../../src/domain/box.ts'
import type { Redactor } from '../../src/domain/leak.ts'
import { progressText } from '../../src/domain/progress.ts'
import type { BoxNotices } from './notices.ts'
import type { OutputFile } from './output-files.ts'
import type { Work } from './work.ts'

const limitMark = Buffer.from('\n[... the limit of output is reached, what follows is not shown ...]\n')

/** A longer line is no line of an agent's protocol that is read, characters. */
const longestLine = 1024 * 1024

/**
 * What a box prints, on its way to the log and to those who look on, up to its limit: known secrets are taken out of it
 * first, and what an agent prints for machines is made readable. An agent's lines are read to the end, whatever is shown.
 */
export class ShownOutput {
  readonly #work: Work
  readonly #spec: BoxSpec
  readonly #file: OutputFile
  readonly #redactor: Redactor
  readonly #decoder = new TextDecoder()
  readonly #line: AgentReading['line']
  readonly #notices: BoxNotices
  /** Bytes that are still shown; below 0 once the limit is passed. */
  #room: number
  /** The beginning of a line that is not at its end yet; null for one that is too long. */
  #rest: string | null = ''

  constructor(work: Work, spec: BoxSpec, notices: BoxNotices, line: AgentReading['line']) {
    this.#work = work
    this.#spec = spec
    this.#file = work.deps.outputs.start(spec)
    this.#redactor = work.deps.secrets.redactor((hit) => notices.leaked({ ...hit, way: 'output' }))
    this.#line = line
    this.#notices = notices
    this.#room = spec.limits.outputMb * 1024 * 1024
  }

  write(chunk: Buffer): void {
    // Nobody reads on.
    if (this.#line === null && this.#room < 0) return
    this.#take(this.#redactor.push(chunk))
  }

  /** What the engine kept of the output, without secrets; they have been told of already. */
  clean(text: string): string {
    return this.#work.deps.secrets.redact(text)
  }

  async end(): Promise<void> {
    this.#take(this.#redactor.end())
    if (this.#line !== null && this.#rest !== null && this.#rest !== '') this.#read(this.#rest)
    await this.#file.end()
  }

  #take(chunk: Buffer): void {
    if (chunk.length === 0) return
    if (this.#line === null) {
      const shown = this.#within(chunk)
      if (shown === null) return
      this.#file.write(shown)
      this.#tell(this.#decoder.decode(shown, { stream: true }))
      return
    }
    const text = this.#decoder.decode(chunk, { stream: true })
    const [first = '', ...more] = text.split('\n')
    this.#append(first)
    for (const next of more) {
      if (this.#rest !== null) this.#read(this.#rest)
      this.#rest = ''
      this.#append(next)
    }
  }

  #append(text: string): void {
    if (this.#rest === null) return
    this.#rest = this.#rest.length + text.length > longestLine ? null : this.#rest + text
  }

  #read(line: string): void {
    const progress = (this.#line?.(line) ?? []).map((one) => this.#withoutSecrets(one))
    if (progress.length === 0) return
    const text = Buffer.from(progress.map((one) => `${progressText(one)}\n`).join(''))
    const shown = this.#within(text)
    if (shown === null) return
    this.#file.write(shown)
    this.#tell(shown.toString('utf8'), shown === text ? progress : [])
  }

  /** As much of it as is still shown; null where that is nothing. The limit is marked when it is passed. */
  #within(bytes: Buffer): Buffer | null {
    const room = this.#room
    if (room < 0) return null
    this.#room -= bytes.length
    return this.#room < 0 ? Buffer.concat([bytes.subarray(0, room), limitMark]) : bytes
  }

  /** A secret that stood escaped in a line is plain only now. */
  #withoutSecrets(progress: AgentProgress): AgentProgress {
    const clean = (text: string): string =>
      this.#work.deps.secrets.redact(text, (hit) => this.#notices.leaked({ ...hit, way: 'output' }))
    switch (progress.kind) {
      case 'said':
      case 'line':
        return { ...progress, text: clean(progress.text) }
      case 'tool':
        return { ...progress, text: clean(progress.text), paths: progress.paths.map(clean) }
      case 'spent':
        return progress
    }
  }

  #tell(text: string, progress?: readonly AgentProgress[]): void {
    const { step, kind } = this.#spec
    this.#work.deps.bus.output(this.#work.task.id, {
      step,
      box: kind,
      text,
      ...(progress === undefined ? {} : { progress }),
    })
  }
}
