import { mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { openAgents } from '../src/agents/open.ts'
import { findDataFolder } from '../src/config/data-folder.ts'
import type { Environment } from '../src/config/environment.ts'
import type { Config } from '../src/config/load.ts'
import type { BackupReport } from '../src/domain/backup.ts'
import type { HostPath } from '../src/domain/brand.ts'
import type { Finding } from '../src/domain/control-plane.ts'
import { Failure, systemCodeOf } from '../src/domain/failure.ts'
import { versionOf } from '../src/config/version.ts'
import { readAuthorities } from '../src/worktree/authorities.ts'
import { gitHere } from '../src/worktree/git-version.ts'
import { missingFrom } from '../src/worktree/missing.ts'
import { apartEngine, gitOf, pullsOf } from './adapters.ts'
import { describeKey, type KeyPlaces, keyPlaces } from './attest/key.ts'
import { backUp } from './backup/backup.ts'
import { backUpDated } from './backup/dated.ts'
import { refuseInside } from './backup/inside.ts'
import { lostTasks } from './backup/lost.ts'
import { restore } from './backup/restore.ts'
import { diagnose, looksOf, namesOf } from './doctor.ts'
import { scheduledAgents } from './schedule/agents.ts'
import { forgeReach } from './pulls/reach.ts'
import { ownerOf } from './store/lock.ts'

// What is done without a control plane that is open.

/**
 * What doctor finds where no process answers for the data folder. Changes nothing there. Rejects with `Failure('bad_config')`
 * where the authorities to be believed cannot be read, and else never.
 */
export async function diagnoseClosed(config: Config, around: Environment): Promise<readonly Finding[]> {
  using aside = gitAside(config, around.tmp)
  return await diagnose({
    engine: apartEngine(config, around),
    git: gitHere,
    version: versionOf(),
    agents: namesOf(config.tasks.agent, config.tasks.answerer),
    data: config.dataFolder,
    tmp: around.tmp,
    lost: (heads) => lostTasks(config.dataFolder, heads, missingFrom),
    diskFreeMb: config.tasks.policy.limits.diskFreeMb,
    attestationKey: (attestedWith) =>
      describeKey(keyPlaces(config.dataFolder, config.attestationKey), () => attestedWith),
    repositories: looksOf({ repositories: config.repositories, git: aside.open }),
    forges: forgeReach(config.repositories, pullsOf(config)),
    schedules: scheduledAgents({
      scheduled: config.schedules,
      agents: openAgents(config.agents),
      usual: config.tasks.agent,
      repositories: config.repositories,
      git: aside.open,
    }),
    find: () => findDataFolder(config.dataFolder, around.uid),
    alive: isAlive,
  })
}

/** Git as `gitOf` has it, but that it needs no data folder: what is written for it is in a folder of `tmp`, as long as this is there. */
function gitAside(
  config: Config,
  tmp: string,
): Disposable & { readonly open: () => ReturnType<typeof gitOf> } {
  if (config.authorities !== null) readAuthorities(config.authorities)
  let folder: HostPath | null = null
  return {
    open: () => gitOf(config, { authoritiesIn: (folder ??= folderIn(tmp)) }),
    [Symbol.dispose]() {
      if (folder !== null) rmSync(folder, { recursive: true, force: true })
    },
  }
}

function folderIn(tmp: string): HostPath {
  try {
    return mkdtempSync(join(tmp, 'cofferdam-doctor-')) as HostPath
  } catch (cause) {
    throw new Failure(
      'disk',
      `No folder can be made in ${tmp} (${systemCodeOf(cause)}): make room there, or name another with TMPDIR.`,
      { cause },
    )
  }
}

/**
 * Backs a data folder up into a new folder, whoever works on it meanwhile; where `keep` is a number, into one within the folder,
 * of which the newest so many are kept.
 */
export async function backUpData(
  config: Config,
  around: Environment,
  folder: string,
  keep: number | null,
): Promise<BackupReport> {
  const { dataFolder: data, attestationKey } = config
  if (!(await findDataFolder(data, around.uid)))
    throw new Failure(
      'data_folder',
      `There is no data folder at ${data}: name the one to back up with --data.`,
    )
  const place = resolve(around.cwd, folder) as HostPath
  await refuseInside(place, data)
  const owner = ownerOf('backup', Date.now())
  const deps = { data, attestationKey, owner, clock: Date.now, missing: missingFrom }
  return keep === null ? await backUp(place, deps) : await backUpDated(place, keep, deps)
}

/** Makes the data folder out of a backup; there must be none. */
export async function restoreData(
  config: Config,
  around: Environment,
  folder: string,
): Promise<BackupReport> {
  const { dataFolder: data, attestationKey } = config
  const keysOf = (folder: HostPath): KeyPlaces => keyPlaces(folder, attestationKey)
  return await restore(resolve(around.cwd, folder) as HostPath, {
    data,
    keysOf,
    owner: ownerOf('restore', Date.now()),
    missing: missingFrom,
  })
}

/** Goes through what the front end on Discord needs, registers its commands and sends a test message. */
export async function* setUpDiscord(config: Config): AsyncGenerator<Finding> {
  if (config.discord === null)
    throw new Failure(
      'bad_config',
      `Discord is not configured: put \`discord: { guild: "…", channel: "…", owners: ["…"] }\` into ${config.file ?? 'cofferdam.yaml'}; the README says where the ids are.`,
    )
  const { setUp } = await import('../src/discord/setup.ts')
  yield* setUp(config.discord)
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // Not ours to signal, and so alive.
    return systemCodeOf(error) === 'EPERM'
  }
}
