import { statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { AgentChoice } from '../src/domain/agent.ts'
import type { HostPath } from '../src/domain/brand.ts'
import type { Engine } from '../src/domain/box.ts'
import type { DiscordState } from '../src/domain/discord.ts'
import type { Finding } from '../src/domain/control-plane.ts'
import { messageOf } from '../src/domain/failure.ts'
import { mirrorsBack } from '../src/domain/backup.ts'
import type { TaskId } from '../src/domain/ids.ts'
import { type NotTheSame, placesProblem } from '../src/domain/same-place.ts'
import { isByName, type Remotes } from '../src/domain/remote.ts'
import type { Status } from '../src/domain/task.ts'
import { counted, fewOf } from '../src/domain/text.ts'
import type { Worktrees } from '../src/domain/worktree.ts'
import { examineDatabase } from './store/examine.ts'
import type { Head } from './store/heads.ts'
import type { OutboxStanding } from './store/outbox.ts'
import { type Owner, readOwner } from './store/lock.ts'
import { refuseOrphans } from './store/orphans.ts'
import type { PagesFound } from './store/page-check.ts'
import type { Store } from './store/store.ts'

interface Around {
  /** Those that tasks and questions are given to that name none; empty: each has to name one. */
  readonly agents: readonly string[]
  readonly engine: Pick<Engine, 'describe' | 'image' | 'posture'>
  /** Says which git is here, or rejects where that will not do. */
  readonly git: () => Promise<string>
  /** Of the program, with the commit that it was built of. */
  readonly version: string
  readonly data: string
  /** Boxes are ended when less than this is free, MiB. */
  readonly diskFreeMb: number
  /** Says what there is of the key, or throws; changes nothing. `attestedWith`: the ids of keys in a database that nobody has open. */
  readonly attestationKey: (attestedWith: readonly string[]) => string
  /** Says which of these tasks have work that is in no mirror. */
  readonly lost?: (heads: readonly Head[]) => Promise<readonly TaskId[]>
  /** Looks at each repository of the configuration, by what names it: what there is, or why there is nothing. */
  readonly repositories?: Readonly<Record<string, () => Promise<string>>>
  /** The same of the forges where their pull requests are opened. */
  readonly forges?: Readonly<Record<string, () => Promise<string>>>
  /** Looks at each schedule of the configuration, by its name: who works on its tasks, or why nobody can. */
  readonly schedules?: Readonly<Record<string, () => Promise<string>>>
}

export interface DoctorDeps extends Around {
  readonly store: Store
  /** Null where Discord is not configured, or this process does not keep its connection. */
  readonly discord?: () => DiscordState | null
  /** What is known of the pages of the database; null where nobody looks. */
  readonly pages: () => PagesFound | null
  /** Folders that are not the same for the engine. */
  readonly apart: () => Promise<readonly NotTheSame[]>
}

/** Looks at everything that a task needs, and says what to do about what is missing. */
export async function doctor(deps: DoctorDeps): Promise<readonly Finding[]> {
  const connection = deps.discord?.() ?? null
  const pages = deps.pages()
  return [
    ...(pages === null ? [] : [{ name: 'database', ...pages }]),
    ...(await surroundings(deps)),
    await finding('places', async () => together(await deps.apart())),
    await finding('tasks', () => ok(tally(deps.store.counts()))),
    ...(await mirrored(deps, () => deps.store.heads())),
    await finding('outbox', () => undelivered(deps.store.outbox.standing())),
    ...(connection === null ? [] : [{ name: 'discord', ...connected(connection) }]),
  ]
}

export interface DiagnoseDeps extends Around {
  readonly data: HostPath
  /** Where a copy of the database is made, to look at that. */
  readonly tmp: string
  /** Whether there is a data folder; rejects where it could not be opened. Changes nothing. */
  readonly find: () => Promise<boolean>
  /** Whether a process of this machine is alive. */
  readonly alive: (pid: number) => boolean
}

/** The same where no process answers for the data folder: it is only looked at, and nothing is made or changed. */
export async function diagnose(deps: DiagnoseDeps): Promise<readonly Finding[]> {
  const { data } = deps
  let there = false
  const folder = await finding('data folder', async () => {
    there = await deps.find()
    return ok(there ? data : `${data} does not exist yet: it is made when it is first needed`)
  })
  if (!there) return [folder, ...(await surroundings(deps))]
  const owner = readOwner(data)
  if (owner !== null && deps.alive(owner.pid)) return [folder, holder(owner), ...(await surroundings(deps))]
  const file = join(data, 'cofferdam.db') as HostPath
  let attestedWith: readonly string[] = []
  let heads: readonly Head[] = []
  const database = await finding('database', () => {
    refuseOrphans(data, file)
    const examined = examineDatabase(file, deps.tmp)
    attestedWith = examined?.attestedWith ?? []
    heads = examined?.heads ?? []
    return ok(tally(examined?.counts ?? {}))
  })
  return [
    folder,
    database,
    ...(await mirrored(deps, () => heads)),
    ...(await surroundings(deps, attestedWith)),
  ]
}

/** What is outside the database. */
function surroundings(around: Around, attestedWith: readonly string[] = []): Promise<readonly Finding[]> {
  const { engine, git, version, agents, data, diskFreeMb, attestationKey } = around
  const { repositories = {}, forges = {}, schedules = {} } = around
  return Promise.all([
    finding('cofferdam', () => ok(`${version}, on Node.js ${process.version}`)),
    finding('engine', async () => ok(await engine.describe())),
    finding('git', async () => ok(await git())),
    finding('posture', async () => {
      const { level, missing } = await engine.posture()
      if (missing.length === 0) return ok(level)
      const text = `${level}: ${missing.join('; ')}.`
      return level === 'degraded'
        ? problem(
            `${text} Tasks are halted here until it is mended, but where policy.posture accepts degraded.`,
          )
        : warning(
            `${text} Tasks run here all the same, but where policy.posture wants strong: mend it for that.`,
          )
    }),
    finding('image', async () => {
      const id = await engine.image()
      // Tasks with another agent run all the same.
      const missing = await Promise.all(
        agents.map((agent) =>
          engine.image({ agent, repository: null }).then(
            () => null,
            (error: unknown) => messageOf(error),
          ),
        ),
      )
      const texts = missing.filter((text) => text !== null)
      return texts.length === 0 ? ok(id) : warning([...new Set(texts)].join(' '))
    }),
    finding('disk', async () => {
      const freeMb = await freeAt(data)
      const text = `${freeMb} MiB free in ${data}`
      if (freeMb < diskFreeMb)
        return problem(`${text}: boxes are ended below ${diskFreeMb} MiB. Free some space.`)
      return ok(text)
    }),
    finding('attestation key', () => ok(attestationKey(attestedWith))),
    ...Object.entries(repositories).map(([path, look]) =>
      finding(`repository ${path}`, async () => ok(await look())),
    ),
    ...Object.entries(forges).map(([path, look]) =>
      finding(`pull requests of ${path}`, () =>
        look().then(ok, (error: unknown) =>
          warning(`${messageOf(error)} Tasks run all the same, but no pull request is opened.`),
        ),
      ),
    ),
    ...Object.entries(schedules).map(([name, look]) =>
      finding(`schedule ${name}`, async () => ok(await look())),
    ),
  ])
}

/** How each repository of the configuration is looked at: one by URL is asked for, and one on this machine is read. */
export function looksOf({
  repositories,
  git,
}: {
  readonly repositories: Readonly<Record<string, unknown>>
  /** Called by each look, and not before. */
  readonly git: () => {
    readonly remotes: Pick<Remotes, 'reach'>
    readonly worktrees: Pick<Worktrees, 'inspect'>
  }
}): NonNullable<Around['repositories']> {
  const look = async (path: string): Promise<string> => {
    const { remotes, worktrees } = git()
    if (isByName(path)) return await remotes.reach(path)
    const { ref, commit } = await worktrees.inspect(path, null)
    return `${ref} at ${commit.slice(0, 10)}`
  }
  return Object.fromEntries(Object.keys(repositories).map((path) => [path, () => look(path)]))
}

/** Each agent once. */
export function namesOf(...choices: readonly (AgentChoice | null)[]): readonly string[] {
  return [...new Set(choices.flatMap((choice) => (choice === null ? [] : [choice.name])))]
}

/** Space on the disk where `path` is or will be, MiB. */
async function freeAt(path: string): Promise<number> {
  const found = await statfs(path).catch(() => null)
  if (found === null && dirname(path) !== path) return freeAt(dirname(path))
  return found === null ? 0 : Math.floor((found.bavail * found.bsize) / 1024 / 1024)
}

/** Whether the work of all tasks is in the mirrors: the commits of one that was removed are nowhere else. */
async function mirrored({ lost, data }: Around, heads: () => readonly Head[]): Promise<readonly Finding[]> {
  if (lost === undefined) return []
  const found = async (): Promise<Found> => {
    const gone = await lost(heads())
    if (gone.length === 0) return ok('the work of all tasks is there')
    const these = gone.length === 1 ? 'the task' : 'these tasks'
    return problem(
      `the commits of ${counted(gone.length, 'task')} (${fewOf(gone)}) are gone from ${join(data, 'mirrors')}: ${mirrorsBack}, or discard ${these}.`,
    )
  }
  return [await finding('mirrors', found)]
}

/** It holds the lock, or died without putting it away and its number went to another. */
function holder({ pid, what }: Owner): Finding {
  const text =
    `Process ${pid} (${what}) seems to hold the data folder but does not answer, so its database is not looked at: ` +
    'wait for it, or end it and try again.'
  return { name: 'process', ...warning(text) }
}

function tally(counts: Readonly<Partial<Record<Status, number>>>): string {
  const some = Object.entries(counts).filter(([, count]) => count > 0)
  return some.length === 0 ? 'no tasks yet' : some.map(([status, count]) => `${count} ${status}`).join(', ')
}

function together(apart: readonly NotTheSame[]): Found {
  const text = placesProblem(apart)
  return text === null ? ok('data, sockets and repositories are the same for the engine') : problem(text)
}

function undelivered({ waiting, dead }: OutboxStanding): Found {
  const text = `${waiting} waiting`
  if (dead === 0) return ok(text)
  const many = dead === 1 ? 'letter was' : 'letters were'
  return warning(
    `${text}; ${dead} ${many} given up: \`cofferdam outbox list --state dead\` says why, \`cofferdam outbox retry ID\` sends one again.`,
  )
}

function connected({ state, text }: DiscordState): Found {
  if (state === 'ready') return ok(text)
  return state === 'refused' ? problem(text) : warning(text)
}

type Found = Omit<Finding, 'name'>
const ok = (text: string): Found => ({ state: 'ok', text })
const warning = (text: string): Found => ({ state: 'warning', text })
const problem = (text: string): Found => ({ state: 'problem', text })

async function finding(name: string, look: () => Promise<Found> | Found): Promise<Finding> {
  try {
    return { name, ...(await look()) }
  } catch (error) {
    return { name, ...problem(messageOf(error)) }
  }
}
