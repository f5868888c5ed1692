import type Docker from 'dockerode'
import { messageOf } from '../../../domain/failure.ts'
import { follow } from './follow.ts'
import type { BuildWatcher } from './watcher.ts'

/** How long a registry has until its first answer, and then from one to the next, milliseconds. */
const patience = { first: 6000, next: 60_000 }

/** Pulls the base image and tags it; false where no registry answers in time. */
export async function pullBase(
  docker: Docker,
  name: string,
  tag: { readonly repo: string; readonly tag: string },
  watcher: BuildWatcher,
): Promise<boolean> {
  watcher.progress(`pulling ${name}`)
  const giveUp = new AbortController()
  let timer = setTimeout(() => giveUp.abort(), patience.first)
  try {
    const answer = await docker.pull(name, { abortSignal: giveUp.signal })
    await follow(answer, `pull ${name}`, () => {
      clearTimeout(timer)
      timer = setTimeout(() => giveUp.abort(), patience.next)
    })
    await docker.getImage(name).tag(tag)
    return true
  } catch (error) {
    const why = giveUp.signal.aborted ? 'none answered in time' : messageOf(error)
    watcher.progress(`no base image from a registry: ${why}`)
    return false
  } finally {
    clearTimeout(timer)
  }
}
