import type { BoxSpec } from '../../src/domain/box.ts'
import type { EgressDecision } from '../../src/domain/egress.ts'
import type { Leak } from '../../src/domain/gateway.ts'
import type { Work } from './work.ts'

/** So many events of one box about what it was denied, all of which the egress log has. */
const most = 20

/** What a person should see of a box while it runs, each once, as events of its task. */
export class BoxNotices {
  readonly #work: Work
  readonly #box: string
  readonly #denied = new Set<string>()
  /** Of these there are as many as there are secrets, ways and encodings, and no other record: none may be crowded out. */
  readonly #leaked = new Set<string>()

  constructor(work: Work, { name }: BoxSpec) {
    this.#work = work
    this.#box = name
  }

  denied({ host, port, rule, text }: EgressDecision): void {
    const key = `${host}:${port} ${rule}`
    if (this.#denied.has(key) || this.#denied.size >= most) return
    this.#denied.add(key)
    const more = this.#denied.size < most ? '' : ' What else it is denied is in the egress log alone.'
    this.#tell(text + more, { host, port, rule })
  }

  leaked({ secret, way, encoding }: Leak): void {
    const where = {
      up: 'in a request, which was blocked',
      down: 'in an answer, and taken out',
      output: 'in the output, and taken out',
    }[way]
    const text = `The secret ${secret} (${encoding}) was found ${where}.`
    const key = `${secret} ${way} ${encoding}`
    if (this.#leaked.has(key)) return
    this.#leaked.add(key)
    this.#tell(text, { secret, way, encoding })
  }

  #tell(text: string, data: Readonly<Record<string, unknown>>): void {
    this.#work.report({ type: 'noticed', text }, { data: { ...data, box: this.#box } })
  }
}
