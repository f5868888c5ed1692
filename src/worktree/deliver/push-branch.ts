import type { CommitId } from '../../domain/brand.ts'
import type { Remote } from '../../domain/delivery/forge.ts'
import type { Pushed, PushWish, TaskPlace } from '../../domain/worktree.ts'
import type { GitAnswer } from '../git.ts'
import { barePush, type Setting } from '../hardening.ts'
import { mirrorOf } from '../layout.ts'
import { leadsTo } from '../leads-to.ts'
import { refuseLost } from '../lost.ts'
import type { Site } from '../site.ts'
import { remoteRefusal } from './remote-refusal.ts'
import { type Way, wayTo } from './way-to-remote.ts'

const minute = 60_000
/** How long the far end may take to say where the branch is, ms: no hook of it is at work then. */
const lookMs = minute

/** Pushes a task's branch to another repository, where it may only be made or go forward. */
export async function pushBranch(
  site: Site,
  task: TaskPlace,
  head: CommitId,
  remote: Remote,
  { into, since }: PushWish,
): Promise<Pushed> {
  await refuseLost(site, task, head)
  const place = { gitDir: mirrorOf(site.data, task.repository.key) }
  const ref = `refs/heads/${task.branch}`
  const pushMs = site.pushMs ?? 10 * minute
  const way = await wayTo(site, remote)
  const ask = (args: readonly string[], timeoutMs: number): Promise<GitAnswer> =>
    site.git.ask(place, args, { ...way.options, timeoutMs })
  const refused = ({ out, err }: GitAnswer): Pushed => ({
    kind: 'refused',
    text: remoteRefusal(remote.url, task.branch, out.toString('utf8'), err),
  })
  const baseRef = `refs/heads/${into}`
  const looking = ['ls-remote', '--refs', ...way.end('upload-pack'), '--', way.url, ref, baseRef]
  const looked = await ask(looking, Math.min(lookMs, pushMs))
  if (looked.code !== 0) return refused(looked)
  const listed = looked.out.toString('utf8')
  const namesake = namesakes.map((place) => `${place}${ref}`).find((name) => tipOf(listed, name) !== null)
  // Git would push there, and say that it has pushed.
  if (namesake !== undefined)
    return {
      kind: 'refused',
      text: `${remote.url} has ${namesake}, which git takes for ${ref}: remove or rename it there, then try again.`,
    }
  const tip = tipOf(listed, ref)
  // Pushed before, by a process that did not live to say so.
  if (tip === head) return { kind: 'pushed' }
  if (tip !== null && !(await leadsTo(site.git, place, tip, head))) return { kind: 'elsewhere', tip }
  if (since !== null) {
    const base = { ref: baseRef, tip: tipOf(listed, baseRef) }
    if (base.tip === null)
      return { kind: 'refused', text: `${remote.url} has no branch ${into}: name another, or push it there.` }
    // Where it has not moved since, it is here.
    const brought =
      base.tip === since
        ? null
        : await bring(site, task, { ...way, timeoutMs: pushMs }, { ...base, tip: base.tip })
    if (brought !== null) return refused(brought)
    if (!(await leadsTo(site.git, place, since, base.tip))) {
      const count = await site.git.line(place, ['rev-list', '--count', `${base.tip}..${since}`])
      return { kind: 'foreign', commits: Number(count) }
    }
  }
  const push = [
    ...barePush,
    '--porcelain',
    ...way.end('receive-pack'),
    // Where it has to be, or that it must not be there: never just by force.
    `--force-with-lease=${ref}:${tip ?? ''}`,
    '--',
    way.url,
    `${head}:${ref}`,
  ]
  const pushed = await ask(push, pushMs)
  return pushed.code === 0 ? { kind: 'pushed' } : refused(pushed)
}

/** Where git looks for a name besides, also for one that begins with `refs/`. In another namespace it is another's. */
const namesakes: readonly string[] = ['refs/heads/', 'refs/tags/', 'refs/remotes/', 'refs/']

function tipOf(out: string, ref: string): CommitId | null {
  const found = out.split('\n').find((line) => line.endsWith(`\t${ref}`))
  return found === undefined ? null : (found.split('\t', 1)[0] as CommitId)
}

/** Has a commit of the remote in the mirror, if it is not there. What git said where it could not be had; else null. */
async function bring(
  site: Site,
  task: TaskPlace,
  way: Way & { readonly timeoutMs: number },
  { ref, tip }: { readonly ref: string; readonly tip: CommitId },
): Promise<GitAnswer | null> {
  const place = { gitDir: mirrorOf(site.data, task.repository.key) }
  if ((await site.git.ask(place, ['cat-file', '-e', `${tip}^{commit}`])).code === 0) return null
  const args = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules']
  const refspec = `+${ref}:refs/cofferdam/${task.id}/proposed`
  const answer = await site.git.ask(place, [...args, ...way.end('upload-pack'), '--', way.url, refspec], {
    ...way.options,
    timeoutMs: way.timeoutMs,
    config: [...(way.options.config ?? []), ...receivingOld],
    mostFileBytes: mostBytes,
  })
  return answer.code === 0 ? null : answer
}

/** What a branch may have more than the mirror, bytes. */
const mostBytes = 2 * 1024 * 1024 * 1024

const receivingOld: readonly Setting[] = [
  // What is old and odd in a history that is there already stays usable.
  ['fetch.fsckObjects', 'false'],
  // What comes in is one file, whose size has a limit.
  ['fetch.unpackLimit', '1'],
]
