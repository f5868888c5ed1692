import type { AgentProgress, AgentReading } from '../../src/domain/agent.ts'
import type { BoxSpec } from '../../src/domain/box.ts'
import type { Redactor } from '../../src/domain/leak.ts'
import { progressText } from '../../src/domain/progress.ts'
import type { BoxNotices } from './notices.ts'
import type { OutputFile } from './output-files.ts'
import type { Work } from './work.ts'

/** A longer line is no line of an agent's protocol that is read, characters. */
const longestLine = 1024 * 1024

/**
 * What a box prints, on its way to the log and to those who look on: known secrets are taken out of it first, and what an
 * agent prints for machines is made readable.
 */
export class ShownOutput {
  readonly #work: Work
  readonly #spec: BoxSpec
  readonly #file: OutputFile
  readonly #redactor: Redactor
  readonly #decoder = new TextDecoder()
  readonly #line: AgentReading['line']
  /** The beginning of a line that is not at its end yet; null for one that is too long. */
  #rest: string | null = ''

  constructor(work: Work, spec: BoxSpec, notices: BoxNotices, line: AgentReading['line']) {
    this.#work = work
    this.#spec = spec
    this.#file = work.deps.outputs.start(spec)
    this.#redactor = work.deps.secrets.redactor((hit) => notices.leaked({ ...hit, way: 'output' }))
    this.#line = line
  }

  write(chunk: Buffer): void {
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
    const text = this.#decoder.decode(chunk, { stream: true })
    if (this.#line === null) {
      this.#file.write(chunk)
      this.#tell(text)
      return
    }
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
    const progress = this.#line?.(line) ?? []
    if (progress.length === 0) return
    const text = progress.map((one) => `${progressText(one)}\n`).join('')
    this.#file.write(Buffer.from(text))
    this.#tell(text, progress)
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
