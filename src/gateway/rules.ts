import type { BoxKind } from '../domain/box.ts'
import type { TunnelRule } from '../domain/egress.ts'
import { bare, canonicalHost, type Host, type Target } from '../domain/host.ts'
import { toReach } from './next-step.ts'
import { addressBarrier, nameBarrier } from '../domain/host-reach.ts'
import { denied, type Refusal } from './refusal.ts'

/** The rule that lets a target pass, or why it does not. What is always blocked is so above every rule. */
export function decide(target: Target, rules: readonly TunnelRule[], kind: BoxKind): TunnelRule | Refusal {
  const { host, port } = target
  const asked = `${host.host}:${port}`
  const barrier = host.kind === 'name' ? nameBarrier(host.host) : addressBarrier(bare(host.host))
  if (barrier !== null)
    return denied('always blocked', `${asked} ${barrier.what}, and no rule opens that: ${barrier.instead}.`)
  const broken = rules.find((rule) => !isReadable(rule))
  if (broken !== undefined)
    return denied(
      'bad rule',
      `Nothing passes, because the rule "${broken.host}" (${broken.why}) cannot be read: name the host otherwise there.`,
    )
  const naming = rules.filter((rule) => names(rule.host, host))
  const rule = naming.find(({ ports }) => ports.includes(port))
  if (rule !== undefined) return rule
  const why = naming.length === 0 ? 'no rule names this host' : 'this host is named with other ports only'
  return denied('no rule', `${asked} is not reached: ${why}. ${toReach(target, kind)}`)
}

/** Whether addresses that are not public may be dialled: who grants a literal has seen which one it is. */
export function reachesInside(rule: TunnelRule, host: Host): boolean {
  return rule.inside || host.kind === 'address'
}

/** A star stands for one label or more; an address is named by itself alone. */
function names(pattern: string, { kind, host }: Host): boolean {
  if (!pattern.startsWith('*.')) return pattern === host
  return kind === 'name' && host.endsWith(pattern.slice(1))
}

function isReadable({ host, ports }: TunnelRule): boolean {
  const name = host.startsWith('*.') ? host.slice(2) : host
  const canonical = canonicalHost(name)
  if (canonical?.host !== name || (name !== host && canonical.kind !== 'name')) return false
  return ports.length > 0 && ports.every((port) => Number.isInteger(port) && port > 0 && port < 65_536)
}
