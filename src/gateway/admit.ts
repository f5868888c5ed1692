import type { Duplex } from 'node:stream'
import { addressesOf, dialFirst, notRecorded } from './reach.ts'
import type { Target } from '../domain/host.ts'
import type { Asked, Entry } from './ledger.ts'
import { denied, isRefusal, type Refusal } from './refusal.ts'
import { decide, reachesInside } from './rules.ts'
import type { BoxContext } from './box-context.ts'

export interface Admitted {
  readonly outside: Duplex
  readonly entry: Entry
}

/**
 * From a target to an open connection, or to the refusal, which is on record then: rule, limits, resolve once, every
 * answer, record, dial exactly what was looked at.
 */
export async function admit(
  context: BoxContext,
  asked: Asked,
  target: Target,
  signal: AbortSignal,
): Promise<Admitted | Refusal> {
  const { ledger, traffic, known, network, egress } = context
  const refuse = (refusal: Refusal): Refusal => {
    ledger.deny(asked, refusal)
    return refusal
  }
  const leak = known.findIn(target.host.host)
  if (leak !== null) {
    ledger.leaked({ ...leak, way: 'up' })
    return refuse(leakRefusal(leak.secret, 'the name of the host'))
  }
  const rule = decide(target, egress.tunnels, context.kind)
  if (isRefusal(rule)) return refuse(rule)
  if (traffic.over !== null) return refuse(traffic.over)
  const addresses = await addressesOf(target, reachesInside(rule, target.host), network, signal)
  if (isRefusal(addresses)) return refuse(addresses)

  const [first = ''] = addresses
  const entry = ledger.allow(asked, rule.host, `Allowed by ${rule.why}.`, first)
  if (entry === null) return refuse(notRecorded)
  const dials = (address: string): boolean => address === first || entry.dials(address)
  const outside = await dialFirst(addresses, target.port, network, signal, dials)
  if (!isRefusal(outside)) return { outside, entry }
  entry.end({ up: 0, down: 0 }, outside)
  return outside
}

export function leakRefusal(secret: string, where: string): Refusal {
  return denied('leak', `It holds the secret "${secret}" in ${where}, which does not leave the box.`)
}
