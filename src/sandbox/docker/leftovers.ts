import { mkdir, readdir, rm } from 'node:fs/promises'
import { dirname, basename, join } from 'node:path'
import type { Millis } from '../../domain/brand.ts'
import { systemCodeOf } from '../../domain/failure.ts'
import { canaryFolder } from './canary/ground.ts'
import type { Api } from './connect.ts'
import { installationLabels, type Labels, ours } from './labels.ts'
import { boxes, removeContainer } from './containers.ts'
import { boxFolder, type Parts } from './parts.ts'
import { removePlaceholders } from './placeholders.ts'
import { imageTag } from './image/agents.ts'

/** Makes a box's folder. False where it is there already: then there may be a box of this name too. */
export async function claimFolder(parts: Parts, name: string): Promise<boolean> {
  const folder = boxFolder(parts, name)
  await mkdir(dirname(folder), { recursive: true })
  try {
    await mkdir(folder, { mode: 0o700 })
    return true
  } catch (error) {
    if (systemCodeOf(error) === 'EEXIST') return false
    throw error
  }
}

/** Kills and removes a box with all that was made for it. Fine when it is gone already. */
export async function removeBox(parts: Parts, name: string): Promise<void> {
  const api = await parts.connect()
  const id = parts.ids.get(name) ?? (await boxes(api, parts)).find((box) => box.name === name)?.id
  if (id !== undefined) await removeContainer(api, id)
  parts.ids.delete(name)
  await clearFolder(parts, name)
}

/** Removes what was made on the disk for a box whose container is gone. Fine when there is nothing. */
export async function clearFolder(parts: Parts, name: string): Promise<void> {
  const folder = boxFolder(parts, name)
  await removePlaceholders(folder)
  await parts.channels.clear(name)
  try {
    await rm(folder, { recursive: true, force: true })
  } catch (error) {
    // A box may leave folders without any permission, and overlays leave some that are root's.
    if (systemCodeOf(error) !== 'EACCES' && systemCodeOf(error) !== 'EPERM') throw error
    parts.log('a box left files that only root may remove: asking the engine', { box: name })
    await removeByEngine(await parts.connect(), parts, folder)
  }
}

/** Removes folders, volumes and helpers that belong to no box any more; the folders of boxes in `keep` are spared. */
export async function sweepLeftovers(parts: Parts, keep: ReadonlySet<string>): Promise<void> {
  const api = await parts.connect()
  const folders = await readdir(join(parts.scratch, 'boxes')).catch(() => [])
  const alive = new Set((await boxes(api, parts)).map(({ name }) => name))
  for (const name of folders)
    if (!keep.has(name) && !alive.has(name) && !parts.busy.has(name)) await clearFolder(parts, name)
  // One may be out just now: each has a ground of its own.
  const grounds = await readdir(canaryFolder(parts.scratch)).catch(() => [])
  for (const name of grounds.filter((ground) => !parts.canaries.has(ground)))
    await rm(join(canaryFolder(parts.scratch), name), { recursive: true, force: true })
  await parts.channels.sweep([...keep, ...alive, ...parts.busy])

  const filters = ours(parts.installation)
  const loose = { ...filters, dangling: ['true'] }
  const { Volumes } = await api.ask('list its volumes', (limit) =>
    api.docker.listVolumes({ filters: loose, ...limit }),
  )
  for (const { Name } of Volumes)
    await api
      .ask('remove a volume', (limit) => api.docker.getVolume(Name).remove(limit))
      .catch(() => undefined)

  const ended = { ...filters, status: ['exited', 'created', 'dead'] }
  const helpers = await api.ask('list its boxes', (limit) =>
    api.docker.listContainers({ all: true, filters: ended, ...limit }),
  )
  for (const { Id, Labels } of helpers)
    if (helperLabel in Labels && isLeft(Labels[helperLabel], parts.now())) await removeContainer(api, Id)
}

const helperLabel = 'cofferdam.helper'
/** Longer than the engine is given for all that is asked of it for one, ms. */
const helperMs = 5 * 60_000

/**
 * On a box of ours that is no task's: what is left of one is swept away. One that was made a moment ago is at work, or will be.
 * @param now by the clock of who sweeps, which need not be the engine's
 */
export function helperLabels(installation: string, now: Millis): Labels {
  return { ...installationLabels(installation), [helperLabel]: String(now) }
}

function isLeft(madeAt: string | undefined, now: Millis): boolean {
  const age = now - Number(madeAt)
  return !(age >= 0 && age < helperMs)
}

/** Removes a folder as root of the engine, for a control plane that is not root: one box that sees its parent alone. */
async function removeByEngine(api: Api, parts: Parts, folder: string): Promise<void> {
  const plan = parts.planOf(null)
  const helper = await api.ask('make a helper box', (limit) =>
    api.docker.createContainer({
      // The core is there wherever anything is that stands on it.
      Image: plan.from === 'tag' ? plan.tag : imageTag(),
      User: '0:0',
      Entrypoint: ['rm', '-rf', '--', `/boxes/${basename(folder)}`],
      Cmd: [],
      NetworkDisabled: true,
      Labels: helperLabels(parts.installation, parts.now()),
      HostConfig: {
        NetworkMode: 'none',
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        CapAdd: ['DAC_OVERRIDE'],
        SecurityOpt: ['no-new-privileges:true'],
        Mounts: [{ Type: 'bind', Source: dirname(folder), Target: '/boxes' }],
      },
      ...limit,
    }),
  )
  try {
    await api.ask('start a helper box', (limit) => helper.start(limit))
    await api.ask('wait for a helper box', (limit) => helper.wait(limit))
  } finally {
    await removeContainer(api, helper.id)
  }
}
