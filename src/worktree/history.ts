import type { CommitId, HostPath, TreeId } from '../domain/brand.ts'
import { Failure, type Unreadable } from '../domain/failure.ts'
import { isByName } from '../domain/remote.ts'
import type { Branch, BranchCommit, History, TaskPlace } from '../domain/worktree.ts'
import type { Identity } from './git.ts'
import { mirrorOf } from './layout.ts'
import { formatOf, objectId } from './objects.ts'
import { type ObjectsPlace, soundObjects } from './sound-objects.ts'
import { unsealed } from './seal.ts'
import type { Site } from './site.ts'
import { asRepository, sourceOf } from './source.ts'

/** So many commits of a branch are looked at; a task has one for each of its steps. */
const most = 1000

/** The task's branch in the mirror and in the source, read by the bytes of its objects. */
export async function historyOf(site: Site, task: TaskPlace, head: CommitId): Promise<History> {
  const mirror = await readable(() =>
    branchIn(site, placeAt(mirrorOf(site.data, task.repository.key), null), task, head),
  )
  // Of a repository by URL it is the source.
  if (isByName(task.repository.path)) return { mirror, source: mirror }
  return {
    mirror,
    source: await readable(async () => {
      const source = await sourceOf(task, site.self)
      return await asRepository(source, () =>
        branchIn(site, placeAt(source.commonDir, source.owner), task, head),
      )
    }),
  }
}

function placeAt(gitDir: HostPath, as: Identity | null): ObjectsPlace {
  return { git: { gitDir }, as }
}

async function readable(read: () => Promise<Branch>): Promise<Branch | Unreadable> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof Failure) return { unreadable: error.message }
    throw error
  }
}

async function branchIn(site: Site, place: ObjectsPlace, task: TaskPlace, head: CommitId): Promise<Branch> {
  const { git, as } = place
  const ref = `refs/heads/${task.branch}^{commit}`
  const answer = await site.git.ask(git, ['rev-parse', '--verify', '--quiet', ref], { as })
  if (answer.code !== 0) return { tip: null, commits: [] }
  const tip = answer.out.toString('utf8').trim() as CommitId
  const list = async (from: string, ...args: readonly string[]): Promise<readonly string[]> =>
    (await site.git.run(git, ['rev-list', ...args, from, `^${task.base.commit}`, '--'], { as }))
      .toString('utf8')
      .split('\n')
      .filter(Boolean)
  const ids = (await list(tip, '--first-parent')).slice(-most)
  const last = tip === head ? tip : await lastInCommon(site, place, tip, head)
  const objects = last === null ? [] : await list(last, '--objects', '--no-object-names')
  const { commits, sound } = await soundObjects(site, place, objects)
  const whole = sound && !(await isReplaced(site, place, objects))
  const listed = new Set(objects)
  const beyond = await soundObjects(
    site,
    place,
    ids.filter((id) => !listed.has(id)),
  )
  const bodyOf = (id: string): Buffer | null => commits.get(id) ?? beyond.commits.get(id) ?? null
  return { tip, commits: ids.map((id) => commitOf(id as CommitId, bodyOf(id), whole)) }
}

/** How far a branch that has gone on, was moved back or led elsewhere is the task's; null where the head is not there. */
async function lastInCommon(
  site: Site,
  { git, as }: ObjectsPlace,
  tip: string,
  head: string,
): Promise<string | null> {
  const { code, out } = await site.git.ask(git, ['merge-base', tip, head], { as })
  return code === 0 ? out.toString('utf8').trim() : null
}

/** Whether people who look with git see something else in the place of one of these objects. Our own git looks past that. */
async function isReplaced(
  site: Site,
  { git, as }: ObjectsPlace,
  objects: readonly string[],
): Promise<boolean> {
  const refs = await site.git.run(git, ['for-each-ref', '--format=%(refname:lstrip=2)', 'refs/replace/'], {
    as,
  })
  const replaced = new Set(refs.toString('utf8').split('\n'))
  return objects.some((id) => replaced.has(id))
}

function commitOf(id: CommitId, body: Buffer | null, sound: boolean): BranchCommit {
  if (body === null)
    return { id, tree: '' as TreeId, parents: [], attestation: null, unsealed: id, sound: false }
  const head = body.toString('utf8', 0, Math.max(0, body.indexOf('\n\n'))).split('\n')
  const named = (word: string): readonly string[] =>
    head.filter((text) => text.startsWith(`${word} `)).map((text) => text.slice(word.length + 1))
  const seal = unsealed(body)
  return {
    id,
    tree: (named('tree')[0] ?? '') as TreeId,
    parents: named('parent').map((parent) => parent as CommitId),
    attestation: seal?.attestation ?? null,
    unsealed: seal === null ? id : (objectId('commit', seal.body, formatOf(id)) as CommitId),
    sound,
  }
}
