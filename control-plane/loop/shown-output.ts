import type { BoxSpec } from '../../src/domain/box.ts'
import type { Redactor } from '../../src/domain/leak.ts'
import type { BoxNotices } from './notices.ts'
import type { OutputFile } from './output-files.ts'
import type { Work } from './work.ts'

/** What a box prints, on its way to the log and to those who look on: known secrets are taken out of it first. */
export class ShownOutput {
  readonly #work: Work
  readonly #spec: BoxSpec
  readonly #file: OutputFile
  readonly #redactor: Redactor
  readonly #decoder = new TextDecoder()

  constructor(work: Work, spec: BoxSpec, notices: BoxNotices) {
    this.#work = work
    this.#spec = spec
    this.#file = work.deps.outputs.start(spec)
    this.#redactor = work.deps.secrets.redactor((hit) => notices.leaked({ ...hit, way: 'output' }))
  }

  write(chunk: Buffer): void {
    this.#show(this.#redactor.push(chunk))
  }

  /** What the engine kept of the output, without secrets; they have been told of already. */
  clean(text: string): string {
    return this.#work.deps.secrets.redact(text)
  }

  async end(): Promise<void> {
    this.#show(this.#redactor.end())
    await this.#file.end()
  }

  #show(chunk: Buffer): void {
    if (chunk.length === 0) return
    const { step, kind } = this.#spec
    this.#file.write(chunk)
    this.#work.deps.bus.output(this.#work.task.id, {
      step,
      box: kind,
      text: this.#decoder.decode(chunk, { stream: true }),
    })
  }
}
