import type { EgressDecision } from '../../src/domain/egress.ts'

/** A tunnel that was denied. */
export function aDecision(some: Partial<EgressDecision> = {}): EgressDecision {
  return {
    id: 1,
    at: 1,
    kind: 'tunnel',
    host: 'a.test',
    port: 443,
    method: null,
    path: null,
    verdict: 'denied',
    rule: 'no rule',
    text: 'No.',
    address: null,
    bytesUp: null,
    bytesDown: null,
    ...some,
  }
}
