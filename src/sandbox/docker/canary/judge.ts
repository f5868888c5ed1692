import type { BoxSpec } from '../../../domain/box.ts'
import type { Posture } from '../../../domain/posture.ts'
import { homeFolder } from '../../places.ts'
import { hasOwnKernel } from '../body.ts'
import type { EngineHost } from '../connect.ts'
import { triedBy } from './request.ts'

/** What the canary told, by name. */
export type CanaryLines = Readonly<Record<string, string>>

/** What the other end of its channel says to a canary. */
export const greeting = 'cofferdam'

/** The lines `name=value` of a canary. Pure. */
export function linesOf(output: string): CanaryLines {
  const lines = output.split('\n').flatMap((line) => {
    const at = line.lastIndexOf('=')
    return at < 1 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const]
  })
  return Object.fromEntries(lines)
}

/**
 * What the walls are worth that a canary of this spec has seen, with all that is missing, the worst first. What it did not
 * tell of is missing. Pure.
 */
export function judge(
  seen: CanaryLines,
  spec: BoxSpec,
  host: EngineHost,
): Pick<Posture, 'level' | 'missing'> {
  const broken = missingWalls(seen, spec, host)
  const missing = [...broken, ...missingAround(host)]
  return { level: broken.length > 0 ? 'degraded' : missing.length > 0 ? 'standard' : 'strong', missing }
}

const sets = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']
const own = ['/tmp', homeFolder, '/run', '/var/tmp']

function missingWalls(seen: CanaryLines, spec: BoxSpec, host: EngineHost): readonly string[] {
  const { limits } = spec
  const what = (name: string): string => seen[name] ?? 'unknown'
  const options = (place: string): readonly string[] => (seen[`mount ${place}`] ?? '').split(',')
  const walls: readonly (readonly [boolean, string])[] = [
    ...sets.map(
      (name) => [/^0+$/.test(what(name)), `a box has capabilities: ${name} is ${what(name)}`] as const,
    ),
    [what('NoNewPrivs') === '1', `a box can gain privileges: NoNewPrivs is ${what('NoNewPrivs')}`],
    [
      what('Seccomp') === '2' || hasOwnKernel(host.runtime),
      `the system calls of a box are not filtered: Seccomp is ${what('Seccomp')}`,
    ],
    [what('uid') === String(spec.user.uid), `a box runs as user ${what('uid')}, not ${spec.user.uid}`],
    [what('interfaces') === 'lo', `a box has network cards: ${what('interfaces')}`],
    [what('routes') === '0', `a box has routes to other places: ${what('routes')}`],
    [options('/').includes('ro'), 'the root of a box can be written'],
    ...spec.mounts
      .filter(({ readonly }) => readonly)
      .map(
        ({ target }) =>
          [options(target).includes('ro'), `${target} is not mounted readonly in a box`] as const,
      ),
    ...own.map((place) => {
      const flags = options(place)
      return [
        flags.includes('nosuid') && flags.includes('nodev'),
        `${place} takes setuid programs or devices`,
      ] as const
    }),
    ...triedBy(spec).map(
      (place) => [what(`write ${place}`) === 'refused', `a box can write in ${place}`] as const,
    ),
    [what('mask') === 'empty', 'a denied file can be read in a box'],
    [what('pin') === 'held', 'a folder above a denied path can be moved away in a box'],
    [what('worktree') === 'written', 'a box cannot write in its worktree'],
    [what('channel') === greeting, `a box does not reach its gateway: ${what('channel')}`],
    [what('pids') === String(limits.pids), `the number of processes is not limited: ${what('pids')}`],
    [
      what('memory') === String(limits.memoryMb * 1024 * 1024),
      `the memory of a box is not limited: ${what('memory')}`,
    ],
  ]
  return walls.filter(([holds]) => !holds).map(([, text]) => text)
}

/** What an engine lacks that no box can see. Pure. */
export function missingAround({ security, swapLimit, runc, runtime }: EngineHost): readonly string[] {
  const has = (name: string): boolean => security.some((option) => option.startsWith(`name=${name}`))
  const own = hasOwnKernel(runtime)
  return [
    ...(has('seccomp') || own
      ? []
      : ['no seccomp: boxes are not filtered in what they may ask of the kernel']),
    ...(has('apparmor') || has('selinux') || own
      ? []
      : ['no AppArmor or SELinux: one layer of the boxes is missing']),
    ...(swapLimit ? [] : ['no limit of swap: a box may use more than its memory']),
    ...(runc !== null && (runtime === null || runtime === 'runc') && isOldRunc(runc)
      ? [`runc ${runc} has known escapes: 1.2.8, 1.3.3 or newer is advised`]
      : []),
  ]
}

/** Older than the fixes for CVE-2025-31133 and its family: 1.2.8, 1.3.3, 1.4.0-rc.3. Distributions may have backported them. */
function isOldRunc(version: string): boolean {
  if (/^1\.4\.0-rc\.[12]\b/.test(version)) return true
  const [major = 0, minor = 0, patch = 0] = version.split(/[.+~-]/).map(Number)
  if (major !== 1) return major < 1
  return minor < 2 || (minor === 2 && patch < 8) || (minor === 3 && patch < 3)
}

/** `docker 20.10.24, runc 1.1.5`; with the runtime that was chosen in place of the engine's own. */
export function nameOf({ version, runc, runtime }: EngineHost): string {
  const own = runc === null ? '' : `, runc ${runc}`
  return `docker ${version}${runtime === null || runtime === 'runc' ? own : `, ${runtime}`}`
}
