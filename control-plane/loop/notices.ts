import type { BoxSpec } from '../../src/domain/box.ts'
import type { EgressDecision } from '../../src/domain/egress.ts'
import type { Leak } from '../../src/domain/gateway.ts'
import type { Work } from './work.ts'

/** So many events of one box; the egress log has all that it was denied. */
const most = 20

/** What a person should see of a box while it runs, each once, as events of its task. */
export class BoxNotices {
  readonly #work: Work
  readonly #box: string
  readonly #told = new Set<string>()

  constructor(work: Work, { name }: BoxSpec) {
    this.#work = work
    this.#box = name
  }

  denied({ host, port, rule, text }: EgressDecision): void {
    this.#tell(`${host}:${port} ${rule}`, text, { host, port, rule })
  }

  leaked({ secret, way, encoding }: Leak): void {
    const where = {
      up: 'in a request, which was blocked',
      down: 'in an answer, and taken out',
      output: 'in the output, and taken out',
    }[way]
    const text = `The secret ${secret} (${encoding}) was found ${where}.`
    this.#tell(`leak ${secret} ${way} ${encoding}`, text, { secret, way, encoding })
  }

  #tell(key: string, text: string, data: Readonly<Record<string, unknown>>): void {
    if (this.#told.has(key) || this.#told.size >= most) return
    this.#told.add(key)
    const more = this.#told.size < most ? '' : ' What else it is denied is in the egress log alone.'
    this.#work.report({ type: 'noticed', text: text + more }, { data: { ...data, box: this.#box } })
  }
}
