import { existsSync, realpathSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import type { Command } from 'commander'
import type { Millis } from '../../domain/brand.ts'
import { Failure } from '../../domain/failure.ts'
import { quoted } from '../../domain/shell.ts'
import { type Status, statuses } from '../../domain/task.ts'
import { repositoryIn } from '../repository.ts'
import { parseTime } from '../since.ts'
import type { World } from '../world.ts'
import type { Shell } from './common.ts'

/** Which tasks are meant, by their state, repository and time. */
export interface TaskFilterOptions {
  readonly repo?: string | undefined
  readonly status?: string | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
}

export function taskFilters(command: Command): Command {
  return command
    .option('--repo <path>', 'only of this repository, by its path or its name in the configuration')
    .option('--status <list>', 'only those, such as BLOCKED,FAILED')
    .option('--since <time>', 'made since then: 12h, 3d, 2w, or 2026-01-31')
    .option('--until <time>', 'made before then')
}

export function taskFilterOf(
  { repo, status, since, until }: TaskFilterOptions,
  world: World,
): { statuses?: readonly Status[]; repository?: string; since?: Millis; until?: Millis } {
  return {
    ...(status === undefined
      ? {}
      : { statuses: someOf('--status', status, statuses, (name) => name.toUpperCase()) }),
    ...(repo === undefined ? {} : { repository: realPath(repositoryIn(world.around.cwd, repo)) }),
    ...(since === undefined ? {} : { since: parseTime(since, world.now()) }),
    ...(until === undefined ? {} : { until: parseTime(until, world.now(), '--until') }),
  }
}

export function isFiltered({ repo, status, since, until }: TaskFilterOptions): boolean {
  return [repo, status, since, until].some((option) => option !== undefined)
}

/** Tasks have the real path of their repository, which may be gone by now; a name stays as it is. */
function realPath(path: string): string {
  return isAbsolute(path) && existsSync(path) ? realpathSync(path) : path
}

/** What a list in an option names, of all that it may name. Throws `Failure('bad_request')`. */
export function someOf<Name extends string>(
  option: string,
  text: string,
  all: readonly Name[],
  spelled: (name: string) => string = (name) => name.toLowerCase(),
): readonly Name[] {
  const names = spelled(text)
    .split(',')
    .map((name) => name.trim())
  const known = names.flatMap((name) => all.find((each) => each === name) ?? [])
  if (known.length === names.length) return known
  throw new Failure('bad_request', `${option} takes some of ${all.join(', ')}, with commas between them.`)
}

/** What ends a list that goes on. */
export interface PageOptions {
  readonly limit: string
  readonly cursor?: string
}

export function pages(command: Command, usual: number): Command {
  return command
    .option('--limit <n>', 'show this many at most', String(usual))
    .option('--cursor <next>', 'go on where an answer has ended, as it says')
}

export function pageOf({ limit, cursor }: PageOptions): { limit: number; cursor?: string } {
  return { limit: limitOf(limit, 1000), ...(cursor === undefined ? {} : { cursor }) }
}

/** Says that a list goes on, and how: with the command line that was given, and the cursor. */
export function tellMore({ world, args }: Shell, next: string | null): void {
  if (next === null) return
  const before = args.findIndex((arg) => /^--cursor(=|$)/.test(arg))
  const kept = before === -1 ? args : args.toSpliced(before, args[before] === '--cursor' ? 2 : 1)
  const command = ['cofferdam', ...kept, '--cursor', next].map(quoted).join(' ')
  world.terminal.error(`There are more: \`${command}\` goes on.\n`)
}

export function limitOf(text: string, most: number): number {
  const limit = Number(text)
  if (Number.isInteger(limit) && limit >= 1 && limit <= most) return limit
  throw new Failure('bad_request', `--limit takes a number from 1 to ${most}, not ${text}.`)
}
