import type { CommitId, HostPath } from '../../domain/brand.ts'
import { Failure } from '../../domain/failure.ts'
import type { Moved, Move, TaskPlace } from '../../domain/worktree.ts'
import { complaintsIn } from '../complaints.ts'
import { gitFailure, openGit } from '../git.ts'
import { acceptedAlready } from '../handover.ts'
import { mirrorOf } from '../layout.ts'
import { leadsTo } from '../leads-to.ts'
import { receiving } from '../receiving.ts'
import type { Site } from '../site.ts'
import { sourcePlace } from '../source.ts'
import { beginMove, endMove } from './broken-off.ts'
import { followingOf } from './checkout-follows.ts'
import { push, type Push } from './push.ts'
import { pushTrouble } from './push-trouble.ts'
import { Refused, type Target, targetOf } from './target.ts'

/**
 * Moves a branch of the source from one commit to another, if it is still where it was; a clean checkout of it follows. Of
 * a repository by URL it is the branch of the remote that moves.
 * Done again after a crash it finds out how far it had come.
 */
export async function moveTarget(site: Site, task: TaskPlace, move: Move): Promise<Moved> {
  const { into, from, to, back } = move
  const mirror = mirrorOf(site.data, task.repository.key)
  try {
    const target = await targetOf(site, task, into)
    if (target.tip !== from) {
      // What an earlier try has moved needs nothing taken back.
      endMove(mirror)
      return await whereItIs(site, target, move)
    }
    if (target.source.remote === true) return await moveFar(site, task, move)
    const { settings, how, folder } = await followingOf(site, mirror, target, to)
    if (how === 'follows' && folder !== null) await beginMove(mirror, folder, from, to)
    const said = await pushed(site, mirror, task, target, {
      ref: target.ref,
      to,
      lease: from,
      settings: [...receiving(target.ref), ['receive.denyNonFastForwards', String(!back)], ...settings],
    })
    const after = await targetOf(site, task, into)
    if (after.tip !== from) {
      endMove(mirror)
      return await whereItIs(site, after, move)
    }
    // What git could not bring to an end in a checkout is taken back.
    if (how === 'follows') await followingOf(site, mirror, target, to)
    endMove(mirror)
    if (said !== null) return { kind: 'refused', text: refusalOf(target, said) }
  } catch (error) {
    if (error instanceof Refused) return { kind: 'refused', text: error.message }
    throw error
  }
  throw new Failure('worktree', `git push has not moved ${into}, and said nothing.`)
}

async function moveFar(site: Site, task: TaskPlace, move: Move): Promise<Moved> {
  const { into, from, to, back } = move
  const why = await site.remotes.move(task.repository.path, { branch: into, from, to, back })
  if (why === null) return { kind: 'moved' }
  // What was not answered may have come about, and what was refused may be so as somebody was there before.
  const after = await targetOf(site, task, into)
  return after.tip === from ? { kind: 'refused', text: why } : await whereItIs(site, after, move)
}

/** A branch that is not where it was: it was moved to where it is to be by an earlier try, or by somebody else. */
async function whereItIs(site: Site, target: Target, { from, to, back }: Move): Promise<Moved> {
  const { tip, source } = target
  if (tip === to) return { kind: 'moved' }
  const leads = (commit: CommitId): Promise<boolean> =>
    leadsTo(site.git, sourcePlace(source), commit, tip, { as: source.owner })
  // Somebody has gone on from what an earlier try had moved it to, or has taken out by hand what was to be taken back.
  if (back) return (await leads(from)) ? { kind: 'elsewhere', tip } : { kind: 'gone', tip }
  return (await leads(to)) ? { kind: 'moved' } : { kind: 'elsewhere', tip }
}

/** What git said where it did not do it; null where it did. */
async function pushed(
  site: Site,
  mirror: HostPath,
  task: TaskPlace,
  { source }: Target,
  wanted: Push,
): Promise<string | null> {
  // Not ended with this process: half of a checkout that follows would be neither the one nor the other.
  const git = openGit(site.settings)
  let answer = await push(git, mirror, source, wanted)
  if (answer.code !== 0 && complaintsIn(answer.err).length > 0) {
    const accepted = await acceptedAlready(site, mirror, task.base.commit)
    answer = await push(git, mirror, source, { ...wanted, settings: [...wanted.settings, ...accepted] })
  }
  return answer.code === 0 ? null : answer.err
}

function refusalOf({ source, branch }: Target, err: string): string {
  const said = gitFailure('push', err)
  if (said.code === 'disk')
    throw new Failure('disk', `The disk is full that ${source.top} lies on, or that of the data folder.`)
  const untracked = /[Uu]ntracked working tree file '([^']+)'/.exec(err)?.[1]
  const reason =
    untracked !== undefined
      ? `The file ${untracked} is in the way, which is not tracked there: move it, then try again.`
      : pushTrouble(err) === 'checkedOut'
        ? 'It was checked out at this very moment: try again.'
        : said.message
  return `${source.top} does not let ${branch} be moved. ${reason}`
}
