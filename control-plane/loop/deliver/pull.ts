import type { PullPlace } from '../../../src/domain/delivery/forge.ts'
import { isSamePlace, pullName } from '../../../src/domain/delivery/pull.ts'
import { mostOf, storyOf } from '../../../src/domain/delivery/story.ts'
import { quotedInline } from '../../../src/domain/shell.ts'
import { rulesOf } from '../../../src/domain/standing.ts'
import type { Task } from '../../../src/domain/task.ts'
import { counted } from '../../../src/domain/text.ts'
import { originOf } from '../marks.ts'
import { placeOf, type Work } from '../work.ts'
import { end, refuse } from './ending.ts'
import { pullOf } from './plan.ts'

/** Pushes the task's branch to where it is to be proposed, unless somebody has moved it there. */
export async function push(work: Work): Promise<void> {
  const { deps, task } = work
  const place = proposedAt(work)
  if (place === null) return
  const { remote, into, accepted } = pullOf(task)
  const since = accepted.includes('foreign') ? null : originOf(deps.store, task)
  const pushed = await deps.worktrees.push(placeOf(task), task.head, place.remote, { into, since })
  switch (pushed.kind) {
    case 'pushed':
      work.report({
        type: 'pull_pushed',
        pushed: task.head,
        text: `${task.branch} is at ${task.head.slice(0, 10)} in ${remote}.`,
      })
      return
    case 'elsewhere':
      refuse(
        work,
        `${task.branch} in ${remote} is at ${pushed.tip.slice(0, 10)}, which is not from here: somebody has moved it. Rename or remove it there, then try again.`,
      )
      return
    case 'foreign':
      refuse(work, foreignText(task, remote, pushed.commits), 'foreign')
      return
    case 'refused':
      refuse(work, pushed.text)
  }
}

function foreignText(task: Task, remote: string, commits: number): string {
  const { id, base } = task
  const { into } = pullOf(task)
  const accept = [...rulesOf(task), 'foreign'].join(',')
  return `${into} in ${remote} does not hold the commit of ${base.ref} that the work began from, so ${counted(commits, 'commit')} would go there with it that this task has not made. Push those there first; an owner sends them along with \`cofferdam task pull-request ${id} --into ${quotedInline(into)} --accept ${accept}\`.`
}

/** Opens the pull request, or finds the one that was opened before this process knew of it. */
export async function pullOpen(work: Work): Promise<void> {
  const { task, signal } = work
  const place = proposedAt(work)
  if (place === null) return
  const pull = pullOf(task)
  const forge = await place.forge()
  const { branch } = task
  const { into, draft } = pull
  const found = await forge.find(branch, signal)
  const before = found.find((each) => each.into === into)
  const [other] = found
  if (before === undefined && other !== undefined) {
    const name = pullName({ ...pull, number: other.number })
    refuse(
      work,
      `${name} proposes this work for ${other.into} already. Close it there, then try again, or propose it for ${other.into}.`,
    )
    return
  }
  const state = before ?? (await forge.open({ branch, into, draft, ...story(work) }, signal))
  const { number, url } = state
  const name = pullName({ ...pull, number })
  const text = `Proposed for ${into}: ${name}${draft ? ', a draft' : ''}${url === null ? '' : ` (${url})`}.`
  end(work, { type: 'pull_opened', number, url, text }, { data: { number, url, into } })
}

/** The task's story without any secret that is known here: it leaves this machine. */
function story({ deps, task }: Work): { readonly title: string; readonly body: string } {
  const { store, secrets } = deps
  const { title, body } = storyOf({
    task: redacted(task, (text) => secrets.redact(text)),
    checkpoints: store.checkpoints(task.id).map((row) => ({
      ...row,
      agent: row.agent === null ? null : { ...row.agent, text: secrets.redact(row.agent.text) },
    })),
    decisions: store
      .decisions(task.id, mostOf.decisions)
      .map((event) => ({ ...event, text: secrets.redact(event.text) })),
    attestations: store.attestations(task.id),
  })
  // Once more, for what has come together only here.
  return { title: secrets.redact(title), body: secrets.redact(body) }
}

function redacted(task: Task, redact: (text: string) => string): Task {
  return { ...task, goal: redact(task.goal), test: task.test === null ? null : redact(task.test) }
}

/** Null where that is configured in another way by now, which was said. */
function proposedAt(work: Work): PullPlace | null {
  const { deps, task } = work
  const place = deps.pulls(task.repository.path)
  const pull = pullOf(task)
  if (place !== null && isSamePlace(place.settings, pull)) return place
  refuse(work, `${pull.project} is no longer what is configured for ${task.repository.path}: decide again.`)
  return null
}
