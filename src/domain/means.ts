import type { Policy } from './policy.ts'
import type { Budget } from './task.ts'
import type { UpstreamSettings } from './upstream.ts'

/** What an installation has to give to tasks. */
export interface Means {
  /** What all boxes together may be given, MiB. */
  readonly memoryMb: number
  /** By the name of their adapter. */
  readonly upstreams: Readonly<Record<string, UpstreamSettings>>
  /** The day of the prices that costs are counted with; null where there are none. */
  readonly pricesAsOf: string | null
  /** They came with the program. */
  readonly pricesAreShipped?: boolean
}

/** What to know about a limit on cost: it is worth what the prices are. */
export function costNotes({ costUsd }: Budget, { pricesAsOf, pricesAreShipped }: Means): readonly string[] {
  if (costUsd === null) return []
  if (pricesAsOf !== null && pricesAreShipped === true)
    return [
      `Its cost is counted with the list prices of ${pricesAsOf}, which came with Cofferdam: name today's as prices in cofferdam.yaml.`,
    ]
  return [
    pricesAsOf === null
      ? 'It has a limit on cost, and no prices are configured: no call of a model will pass. Name them as prices in cofferdam.yaml.'
      : `Its cost is counted with the prices of ${pricesAsOf}, as cofferdam.yaml has them.`,
  ]
}

/**
 * Sentences about what a policy asks for, or an agent with the upstreams `models`, and the installation does not have;
 * empty where it has all.
 */
export function lacking(
  { limits, upstreams }: Policy,
  models: readonly string[],
  means: Means,
): readonly string[] {
  return [
    ...tooMuchMemory(limits.memoryMb, means.memoryMb),
    ...[...new Set([...upstreams, ...models])].flatMap((name) => absent(name, means)),
  ]
}

function tooMuchMemory(asked: number, total: number): readonly string[] {
  if (asked <= total) return []
  return [
    `A box of this task may use ${asked} MiB, and all boxes together get ${total} MiB here: lower the limit memoryMb of its policy, or raise total.memoryMb in cofferdam.yaml.`,
  ]
}

function absent(name: string, { upstreams }: Means): readonly string[] {
  const settings = upstreams[name]
  if (settings === undefined)
    return [`There is no upstream ${JSON.stringify(name)}: choose of ${Object.keys(upstreams).join(', ')}.`]
  // A server of one's own may want no key.
  if (settings.key !== null || settings.origin !== null) return []
  return [
    `The upstream ${name} has no key: put one into ${settings.keyFrom}, or name another place as upstreams.${name}.key in cofferdam.yaml.`,
  ]
}
