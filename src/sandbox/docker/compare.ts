import type Docker from 'dockerode'
import { isDeepStrictEqual } from 'node:util'
import type { CreateBody } from './body.ts'
import type { EngineHost } from './connect.ts'

/** What the engine says of a box; `Docker.ContainerInspectInfo` leaves some fields out. */
export type Seen = Docker.ContainerInspectInfo

type Fields = Readonly<Record<string, unknown>>

// What the engine hides from every box; a shorter list than this would open it.
const masked = [
  '/proc/acpi',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
]
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

// Fields that the engine fills in by itself and that open nothing.
const filledIn = new Set(['MaskedPaths', 'ReadonlyPaths', 'Runtime', 'MemorySwappiness'])

/**
 * How the box that the engine made differs from the one that was asked for, in sentences; empty where it does not. Pure.
 * Proxies and other versions drop fields without a word. What was not asked for must not be there either.
 */
export function differences(sent: CreateBody, seen: Seen, host: EngineHost): readonly string[] {
  const { HostConfig, Labels, Env, Image, ...config } = sent
  const hostConfig: Fields = { ...seen.HostConfig }
  const swap = host.swapLimit ? {} : { MemorySwap: -1 }
  return [
    ...(seen.Image === Image ? [] : [`Image is ${seen.Image}`]),
    ...fieldDifferences(config, seen.Config, 'Config'),
    ...fieldDifferences({ ...HostConfig, ...swap }, hostConfig, 'HostConfig'),
    ...unaskedFields(HostConfig, hostConfig),
    ...missing(Env, seen.Config.Env ?? [], 'Env'),
    ...missing(pairs(Labels), pairs(seen.Config.Labels), 'Labels'),
    ...missing(masked, seen.HostConfig.MaskedPaths ?? [], 'MaskedPaths'),
    ...missing(readonlyPaths, seen.HostConfig.ReadonlyPaths ?? [], 'ReadonlyPaths'),
    ...mountDifferences(HostConfig.Mounts, seen.Mounts),
  ]
}

function fieldDifferences(sent: Fields, seen: Fields, where: string): readonly string[] {
  return Object.keys(sent).flatMap((key) => {
    const [wanted, found] = [plain(key, sent[key]), plain(key, seen[key])]
    return isDeepStrictEqual(wanted, found)
      ? []
      : [`${where}.${key} is ${JSON.stringify(found) ?? 'missing'}, not ${JSON.stringify(wanted) ?? 'empty'}`]
  })
}

function unaskedFields(sent: Fields, seen: Fields): readonly string[] {
  return Object.entries(seen)
    .filter(([key, value]) => !(key in sent) && !filledIn.has(key) && plain(key, value) !== undefined)
    .map(([key, value]) => `HostConfig.${key} is ${JSON.stringify(value)}, which was not asked for`)
}

/** A field's value, with all the ways to write "nothing" made one. */
function plain(key: string, value: unknown): unknown {
  if (value === null || value === undefined || value === '' || value === 0 || value === false)
    return undefined
  if (Array.isArray(value)) {
    if (value.every((part) => part === 0)) return undefined // nothing in it, or a console's size
    return value
  }
  if (typeof value === 'object') {
    const entries = Object.entries(value)
      .filter(([inner, part]) => !(key === 'RestartPolicy' && inner === 'MaximumRetryCount' && part === 0))
      .sort(([a], [b]) => (a < b ? -1 : 1))
    return entries.length === 0 ? undefined : Object.fromEntries(entries)
  }
  return value
}

function missing(wanted: readonly string[], found: readonly string[], where: string): readonly string[] {
  const there = new Set(found)
  return wanted.filter((item) => !there.has(item)).map((item) => `${where} lacks ${item}`)
}

function pairs(labels: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(labels).map(([key, value]) => `${key}=${value}`)
}

/** The engine lists mounts in any order, and its volumes under names of their own. */
function mountDifferences(sent: CreateBody['HostConfig']['Mounts'], seen: Seen['Mounts']): readonly string[] {
  const found = new Map(seen.map((mount) => [mount.Destination, mount]))
  const wrong = sent.flatMap((mount) => {
    const there = found.get(mount.Target)
    found.delete(mount.Target)
    const right =
      there !== undefined &&
      there.Type === mount.Type &&
      there.RW === !('ReadOnly' in mount) &&
      (mount.Type === 'volume' || (there.Source === mount.Source && there.Propagation === 'rprivate'))
    return right ? [] : [`the mount at ${mount.Target} is ${JSON.stringify(there) ?? 'missing'}`]
  })
  return [
    ...wrong,
    ...[...found.keys()].map((target) => `there is a mount at ${target} that was not asked for`),
  ]
}
