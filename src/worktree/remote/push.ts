import { stat } from 'node:fs/promises'
import { geteuid } from 'node:process'
import { fileURLToPath } from 'node:url'
import type { CommitId, HostPath } from '../../domain/brand.ts'
import { Failure } from '../../domain/failure.ts'
import type { RemoteMove, RemoteSettings } from '../../domain/remote.ts'
import type { Git } from '../git.ts'
import { barePush, remoteEnd, type Setting } from '../hardening.ts'
import { callRemote } from './ask.ts'
import { connectionTo } from './connect.ts'
import { trackedAs } from './listing.ts'
import { pushRefusal } from './push-refusal.ts'

/** Where a branch of the remote was when it was fetched last; null where there was none. */
export async function trackedTip(git: Git, mirror: HostPath, branch: string): Promise<CommitId | null> {
  const name = `${trackedAs(`refs/heads/${branch}`)}^{commit}`
  const { code, out } = await git.ask({ gitDir: mirror }, ['rev-parse', '--verify', '--quiet', name])
  return code === 0 ? (out.toString('utf8').trim() as CommitId) : null
}

/**
 * Moves a branch of a remote, if it is where it is said to be: what somebody else has put there is never pushed over.
 * @param how `rehearse` sends nothing, and asks only whether there is a way in
 * @param ms how long it may take, the hooks there included
 * @returns why it was not moved; null where it was
 */
export async function pushMove(
  git: Git,
  remote: RemoteSettings,
  mirror: HostPath,
  move: RemoteMove,
  { how, ms }: { readonly how: 'push' | 'rehearse'; readonly ms: number },
): Promise<string | null> {
  const { branch, from, to } = move
  const ref = `refs/heads/${branch}`
  const args = [
    ...barePush,
    '--porcelain',
    ...(how === 'rehearse' ? ['--dry-run'] : []),
    ...(await endOf(remote)),
    `--force-with-lease=${ref}:${from}`,
    '--',
    remote.url,
    `${to}:${ref}`,
  ]
  const connection = connectionTo(remote)
  const options = { ...connection, config: [...connection.config, ...patient] }
  try {
    const { code, out, err } = await callRemote(git, remote, { gitDir: mirror }, args, ms, options)
    return code === 0 ? null : pushRefusal(remote, move, out.toString('utf8'), err)
  } catch (error) {
    if (error instanceof Failure && (error.code === 'remote' || error.code === 'repository'))
      return error.message
    throw error
  }
}

/** A server may say nothing while its hooks are at work. */
const patient: readonly Setting[] = [
  ['http.lowSpeedLimit', '1'],
  ['http.lowSpeedTime', '300'],
]

/** A repository of this machine is written to as its owner, so that nothing in it becomes root's. */
async function endOf({ url }: RemoteSettings): Promise<readonly string[]> {
  if (!url.startsWith('file:')) return []
  const { uid, gid } = await stat(fileURLToPath(url)).catch(() => ({ uid: 0, gid: 0 }))
  const owner = geteuid?.() === 0 && uid !== 0 ? { uid, gid } : null
  return [`--receive-pack=${remoteEnd('receive-pack', owner)}`]
}
