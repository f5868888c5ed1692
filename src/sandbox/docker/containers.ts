import type { BoxSeen } from '../../domain/box.ts'
import { parseTaskId } from '../../domain/ids.ts'
import type { Seen } from './compare.ts'
import type { Api } from './connect.ts'
import { statusOf } from './failures.ts'
import { ours, readBoxLabels } from './labels.ts'
import type { Parts } from './parts.ts'

/** A container by id or name, or null where there is none. */
export async function inspect({ docker, ask }: Api, id: string, seconds?: number): Promise<Seen | null> {
  return unlessGone(ask('show a box', (limit) => docker.getContainer(id).inspect(limit), seconds))
}

/**
 * Kills every process of a container; fine when it does not run or is gone.
 * @returns whether there was anything to kill
 */
export async function kill({ docker, ask }: Api, id: string): Promise<boolean> {
  try {
    await ask('kill a box', (limit) => docker.getContainer(id).kill({ signal: 'SIGKILL', ...limit }))
    return true
  } catch (error) {
    const status = statusOf(error)
    if (status !== 404 && status !== 409) throw error
    return false
  }
}

/** Kills and removes a container with its volumes; fine when it is gone, or being removed. */
export async function removeContainer({ docker, ask }: Api, id: string): Promise<void> {
  const removal = ask('remove a box', (limit) =>
    docker.getContainer(id).remove({ force: true, v: true, ...limit }),
  )
  try {
    await unlessGone(removal)
  } catch (error) {
    if (statusOf(error) !== 409) throw error
    await unlessGone(
      ask('finish removing a box', (limit) =>
        docker.getContainer(id).wait({ condition: 'removed', ...limit }),
      ),
    )
  }
}

/** The boxes of this installation, as the engine sees them, with their containers' ids. */
export async function boxes(
  api: Api,
  { installation }: Parts,
): Promise<readonly (BoxSeen & { id: string })[]> {
  const found = await api.ask('list its boxes', (limit) =>
    api.docker.listContainers({ all: true, filters: ours(installation), ...limit }),
  )
  return found.flatMap((container) => {
    const labels = readBoxLabels(container.Labels)
    const task = labels === null ? null : parseTaskId(labels.task)
    const name = container.Names[0]?.replace(/^\//, '')
    if (labels === null || task === null || name === undefined) return []
    return [
      { id: container.Id, name, task, specHash: labels.specHash, running: container.State === 'running' },
    ]
  })
}

/** A container counts as run only with a start time: a failed start leaves an exit code too. */
export function startOf({ State }: Seen): number | null {
  return State.StartedAt.startsWith('0001-') ? null : Date.parse(State.StartedAt)
}

async function unlessGone<T>(promise: Promise<T>): Promise<T | null> {
  try {
    return await promise
  } catch (error) {
    if (statusOf(error) === 404) return null
    throw error
  }
}
