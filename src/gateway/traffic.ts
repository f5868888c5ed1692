import type { EgressLimits } from '../domain/egress.ts'
import type { Ledger } from './ledger.ts'
import { raising } from './next-step.ts'
import { denied, type Refusal } from './refusal.ts'

const mib = 1024 * 1024

/** Bytes of one box, against its limits. */
export class Traffic {
  private readonly limits: EgressLimits
  private readonly ledger: Ledger
  private up = 0
  private down = 0

  constructor(limits: EgressLimits, ledger: Ledger) {
    this.limits = limits
    this.ledger = ledger
  }

  /** Set once a limit is used up. */
  get over(): Refusal | null {
    if (this.up > this.limits.upMb * mib)
      return denied(
        'bytes',
        `This box has sent more than its ${this.limits.upMb} MiB. For more, ${raising('upMb')}.`,
      )
    if (this.down > this.limits.downMb * mib)
      return denied(
        'bytes',
        `This box has received more than its ${this.limits.downMb} MiB. For more, ${raising('downMb')}.`,
      )
    return null
  }

  flow(): Flow {
    return new Flow((up, down) => {
      this.up += up
      this.down += down
      this.ledger.moved(up, down)
      return this.up <= this.limits.upMb * mib && this.down <= this.limits.downMb * mib
    })
  }
}

/** Calls `end` when no byte has moved for `ms`, or up to twice that; returns what stops the watch. */
export function whenIdle(flow: Flow, ms: number, end: () => void): () => void {
  let before = -1
  const timer = setInterval(() => {
    const now = flow.up + flow.down
    if (now === before) end()
    before = now
  }, ms)
  timer.unref()
  return () => clearInterval(timer)
}

/** Bytes of one connection. */
export class Flow {
  up = 0
  down = 0
  private readonly add: (up: number, down: number) => boolean

  constructor(add: (up: number, down: number) => boolean) {
    this.add = add
  }

  /** False where the box's limit does not allow them any more. */
  sends(bytes: number): boolean {
    this.up += bytes
    return this.add(bytes, 0)
  }

  gets(bytes: number): boolean {
    this.down += bytes
    return this.add(0, bytes)
  }
}
