import type { Readable } from 'node:stream'
import type { BoxSpec, Materials } from '../../domain/box.ts'
import { Failure } from '../../domain/failure.ts'
import { createBody, type CreateBody } from './body.ts'
import { attach, awaitExit, createContainer, type Exit } from './calls.ts'
import { differences } from './compare.ts'
import type { Api } from './connect.ts'
import { writableFolders } from './disk.ts'
import { statusOf } from './failures.ts'
import { inspect, removeContainer } from './containers.ts'
import { checkPlaces, locate, rootsOf, type Locations } from './locate.ts'
import { boxFolder, type Parts } from './parts.ts'
import { makePlaceholders } from './placeholders.ts'
import { placeMounts } from './place.ts'
import { guardedPlaces, refuseGuarded, refuseMountsBelow } from './sources.ts'

/** A box that has just been started. */
export interface Started {
  readonly id: string
  /** Where it writes what stays. */
  readonly folders: readonly string[]
  readonly stream: Readable
  readonly exit: Exit
}

// A start on a busy machine may take long; the other calls do not.
const startPatience = 120

/**
 * Makes and starts a box: placeholders, create, compare, attach, the check for symlinks, start. Resolves to null where
 * the name is taken, and to `aborted` where the signal came first. Whatever fails, no container is left.
 */
export async function startBox(
  parts: Parts,
  api: Api,
  spec: BoxSpec,
  materials: Materials,
  signal: AbortSignal,
): Promise<Started | 'aborted' | null> {
  const folder = boxFolder(parts, spec.name)
  const locations = await locate(spec, materials, () => parts.channels.folder(spec.name))
  refuseGuarded(rootsOf(locations), guardedPlaces(api.host, parts.scratch))
  if (locations.worktree !== null) await makePlaceholders(spec, locations.worktree, folder)
  const mounts = await placeMounts(spec, locations, folder, parts.views.refused)
  const body = createBody(spec, mounts, parts.installation, api.host)
  const created = await createContainer(api, spec.name, body)
  if (created === null) return null
  parts.ids.set(spec.name, created.id)
  try {
    refuseWarnings(created.warnings, api)
    return await startCreated(api, created.id, body, locations, signal)
  } catch (error) {
    await removeContainer(api, created.id).catch(() => undefined)
    parts.ids.delete(spec.name)
    if (parts.views.refused || !isRefusedView(error)) throw error
    parts.views.refused = true
    parts.log('this disk refuses overlays: trees are copied for each test box instead', {
      scratch: parts.scratch,
    })
    return startBox(parts, api, spec, materials, signal)
  }
}

async function startCreated(
  api: Api,
  id: string,
  body: CreateBody,
  locations: Locations,
  signal: AbortSignal,
): Promise<Started | 'aborted'> {
  const attaching = attach(api, id)
  const waiting = awaitExit(api, id, 'next-exit')
  try {
    const [seen] = await Promise.all([inspect(api, id), attaching, waiting])
    if (seen === null)
      throw new Failure('engine', 'The Docker engine lost a box before it was started: try again.')
    const wrong = differences(body, seen, api.host)
    if (wrong.length > 0)
      throw new Failure(
        'engine',
        `The Docker engine made another box than it was asked for: ${wrong.join('; ')}.`,
      )
    if (!signal.aborted) {
      checkPlaces(locations)
      refuseMountsBelow(rootsOf(locations))
      await api.ask('start a box', (limit) => api.docker.getContainer(id).start(limit), startPatience)
      return {
        id,
        folders: writableFolders(body.HostConfig.Mounts),
        stream: await attaching,
        exit: await waiting,
      }
    }
  } catch (error) {
    stop(attaching, waiting)
    throw error
  }
  stop(attaching, waiting)
  return 'aborted'
}

/** Ends both streams: after a start that failed the engine never would. */
function stop(attaching: Promise<Readable>, waiting: Promise<Exit>): void {
  attaching.then((stream) => stream.destroy()).catch(() => undefined)
  waiting.then((exit) => exit.stop()).catch(() => undefined)
}

/** A warning says that the engine dropped something. Only missing swap limits are common, and known beforehand. */
function refuseWarnings(warnings: readonly string[], { host }: Api): void {
  const unknown = warnings.filter((warning) => host.swapLimit || !/swap/i.test(warning))
  if (unknown.length > 0)
    throw new Failure('engine', `The Docker engine cannot keep the box's limits: ${unknown.join(' ')}`)
}

function isRefusedView(error: unknown): boolean {
  return statusOf(error) === 500 && error instanceof Error && /mount.*overlay/i.test(error.message)
}
