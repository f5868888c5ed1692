import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { perform } from '../../../control-plane/gate/act.ts'
import { review } from '../../../control-plane/review/review.ts'
import { withdraw } from '../../../control-plane/review/withdraw.ts'
import type { Change } from '../../../control-plane/store/store.ts'
import type { Caller } from '../../../src/domain/caller.ts'
import { Failure } from '../../../src/domain/failure.ts'
import { type Reviewed, reviewRequestSchema } from '../../../src/domain/review/review.ts'
import { isAtRest, type Task } from '../../../src/domain/task.ts'
import { type LoopLab, loopLab } from '../../support/loop-lab.ts'
import { aRepository, git } from '../../support/repository.ts'
import { aBudget } from '../../support/task.ts'

const owner: Caller = { actor: { kind: 'local', id: 'ada' }, role: 'owner' }
const operator: Caller = { actor: { kind: 'token', id: 'ci' }, role: 'operator' }

let lab: LoopLab
let repo: string
beforeEach(async () => {
  lab = await loopLab()
  repo = aRepository({ 'a.txt': 'one\ntwo\n', 'package.json': '{}\n' })
})
afterEach(() => lab[Symbol.asyncDispose]())

/** What the agent of every task here does: it appends a line, and on the second time it does something else. */
const script =
  'if [ -f new.txt ]; then echo more > more.txt; else echo new > new.txt; echo "{\\"scripts\\":{\\"x\\":\\"y\\"}}" > package.json; fi'

async function applied(more: Partial<Task> = {}): Promise<Task> {
  const born = await lab.birth(repo, script, more)
  const task = await lab.settled(born.id)
  expect([task.halt, task.status]).toEqual([null, 'APPLIED'])
  return task
}

function reviewed(
  task: Pick<Task, 'id'>,
  request: object,
  caller = owner,
  shown: number | null = null,
): Promise<Reviewed> {
  const { store, tasks, bus, clock } = lab.deps
  const deps = { store, tasks, bus, clock, worktrees: lab.worktrees, defaults: { budget: aBudget() } }
  return review(deps, task.id, reviewRequestSchema.parse(request), caller, shown)
}

function withdrawn({ id }: Pick<Task, 'id'>, seq: number, caller = owner): Task {
  return withdraw({ store: lab.deps.store, tasks: lab.deps.tasks }, id, seq, caller)
}

const comment = { path: 'new.txt', line: 1, text: 'say more' }

describe('a review', () => {
  it('that only says something is on record, and leaves all else as it is', async () => {
    const task = await applied()
    const { task: after, followUp } = await reviewed(task, { text: 'Nearly.', comments: [comment] })
    expect([after.delivery, followUp]).toEqual(['none', null])
    const event = lab.events(task.id).at(-1)
    expect([event?.type, event?.text]).toEqual([
      'reviewed',
      'Reviewed: Nearly.\n- new.txt:1 (`new`): say more',
    ])
    expect(event?.data).toEqual({ text: 'Nearly.', comments: [comment] })
    expect(lab.deps.store.openSurface(task.id)?.actions).toEqual(['merge', 'pull-request', 'discard'])
  })

  it('that requests changes has another task make them on this work, with all that was said', async () => {
    const task = await applied({ goal: 'Add a file' })
    await reviewed(task, { comments: [comment] })
    const surface = lab.deps.store.openSurface(task.id)
    const { task: parent, followUp } = await reviewed(
      task,
      { text: 'And test it.', requestChanges: true },
      owner,
      2,
    )
    expect([parent.delivery, followUp?.status, followUp?.parentTaskId]).toEqual([
      'superseded',
      'PENDING',
      task.id,
    ])
    expect([followUp?.base.commit, followUp?.base.ref]).toEqual([task.head, 'main'])
    expect(followUp?.goal).toMatch(/^Add a file\n\n.*\n\nAnd test it\.\n- new\.txt:1 \(`new`\): say more$/s)
    expect(lab.deps.store.surfaces(task.id).find(({ id }) => id === surface?.id)?.closedAt).not.toBe(null)
    expect(lab.deps.store.lastDecision(task.id)?.usedAction).toBe('request_changes')
    expect(lab.events(task.id).at(-1)).toMatchObject({
      type: 'superseded',
      text: `Changes were requested: task ${followUp?.id} makes them.`,
      data: { by: followUp?.id, text: 'And test it.', comments: [comment] },
    })
    if (followUp === null) throw new Error('there is none')
    const child = await lab.settled(followUp.id)
    expect([child.status, git(repo, 'show', `${child.branch}:more.txt`)]).toEqual(['APPLIED', 'more\n'])
    expect(git(repo, 'rev-parse', `${child.branch}~1`).trim()).toBe(task.head)
    // What the first task has changed is delivered with it, and so wants the same words.
    expect(child.marks?.map(({ rule }) => rule)).toEqual(['scripts'])
    const merging = { act: 'merge', into: null, how: null, accept: ['scripts'] } as const
    const { store, tasks, clock } = lab.deps
    perform({ store, tasks, clock }, child.id, merging, { caller: owner, shown: null })
    expect((await lab.until(child.id, isAtRest)).merge?.said).toMatch(/^Merged into main/)
    expect(git(repo, 'ls-tree', '--name-only', 'main')).toBe('a.txt\nmore.txt\nnew.txt\npackage.json\n')
  })

  it.each([
    [{ comments: [{ ...comment, path: 'a.txt' }] }, /"a\.txt" is not among the files/],
    [{ comments: [{ ...comment, line: 2 }] }, /has 1 line, and no line 2/],
    [{}, /Nothing is said about the work/],
    [{ requestChanges: true }, /Nothing is said about the work/],
  ])('that is %j is refused, and nothing is written', async (request, words) => {
    const task = await applied()
    await expect(reviewed(task, request)).rejects.toThrow(words)
    expect(lab.task(task.id).version).toBe(task.version)
  })

  it('can be withdrawn by who said it or an owner, until a task is made for it', async () => {
    const task = await applied({ createdBy: operator.actor, goal: 'Add a file' })
    const long = { path: 'new.txt', line: null, text: 'x'.repeat(3990) }
    const first = (await reviewed(task, { text: 'Not this.', comments: [long, long] })).task.version
    const second = (await reviewed(task, { comments: [comment] }, operator)).task.version
    const third = (await reviewed(task, { comments: [long, long, long] }, operator)).task.version
    await expect(reviewed(task, { requestChanges: true }, operator)).rejects.toThrow(
      `Together with the goal, what is said has 20,173 characters, and 20,000 are possible. \`cofferdam task review ${task.id} --withdraw N\` takes back what was said before; N is of ${first} (8013 characters), ${second} (21 characters), ${third} (12005 characters).`,
    )
    expect(() => withdrawn(task, first, operator)).toThrow(
      'is an operator, and that is not what they said: an owner can withdraw it.',
    )
    expect(() => withdrawn(task, first, { ...owner, role: 'viewer' })).toThrow('may look, and not review')
    expect(() => withdrawn(task, 1)).toThrow(`Task ${task.id} has no review 1 to be withdrawn: there is`)
    withdrawn(task, third, operator)
    const event = lab.events(task.id).at(-1)
    expect([event?.type, event?.text, event?.data, event?.actor]).toEqual([
      'review_withdrawn',
      `Withdrawn: review ${third}.`,
      { review: third },
      operator.actor,
    ])
    withdrawn(task, first)
    expect(() => withdrawn(task, first)).toThrow(
      `Task ${task.id} has no review ${first} to be withdrawn: there is ${second} (21 characters).`,
    )
    const { followUp } = await reviewed(task, { requestChanges: true }, operator)
    expect(followUp?.goal.endsWith('and nothing else.\n\n- new.txt:1 (`new`): say more')).toBe(true)
    expect(() => withdrawn(task, second)).toThrow(
      'is superseded by another task: withdraw a review is not possible.',
    )
  })

  it('comes too late where the work is merged, superseded or another than was shown', async () => {
    const task = await applied({ marks: [] })
    await expect(reviewed(task, { text: 'x', requestChanges: true }, owner, 1)).rejects.toThrow(
      /changed since it was shown/,
    )
    expect(lab.deps.store.tasks({}).length).toBe(1)
    await reviewed(task, { text: 'x', requestChanges: true })
    await expect(reviewed(task, { text: 'y', requestChanges: true })).rejects.toThrow(
      /is superseded: its work cannot be reviewed now/,
    )
    expect(lab.deps.store.tasks({}).length).toBe(2)
  })
})

describe('work that another task was to change', () => {
  const act = (id: Task['id'], name: 'discard' | 'reject'): Task => {
    const { store, tasks, clock } = lab.deps
    const wanted = name === 'reject' ? ({ act: name, text: null } as const) : ({ act: name } as const)
    return perform({ store, tasks, clock }, id, wanted, { caller: owner, shown: null })
  }
  const changing = async (text: string, caller = owner): Promise<{ first: Task; second: Task }> => {
    const task = await applied({ createdBy: caller.actor })
    const { task: first, followUp } = await reviewed(task, { text, requestChanges: true }, caller)
    if (followUp === null) throw new Error('there is none')
    return { first, second: followUp }
  }

  it('is given back once that is discarded', async () => {
    const { first, second } = await changing('x')
    const done = await lab.settled(second.id)
    expect([done.status, lab.task(first.id).delivery]).toEqual(['APPLIED', 'superseded'])
    const told: string[] = []
    lab.deps.bus.subscribe({ changed: ({ id }, type) => told.push(`${id} ${type}`) })
    act(second.id, 'discard')
    expect(lab.task(first.id).delivery).toBe('none')
    expect(lab.events(first.id).at(-1)).toMatchObject({
      type: 'given_back',
      actor: owner.actor,
      text: `Given back: task ${second.id}, which was to change it, is given up. It can be delivered again.`,
      data: { by: second.id },
    })
    expect(lab.deps.store.openSurface(first.id)?.actions).toEqual(['merge', 'pull-request', 'discard'])
    expect(told).toEqual([`${second.id} discarded`, `${first.id} given_back`])
  })

  it('is given back once that is rejected, and not again when that is discarded later', async () => {
    const { first, second } = await changing('Run sudo make install.', operator)
    expect(act(second.id, 'reject').status).toBe('REJECTED')
    expect(lab.task(first.id).delivery).toBe('none')
    await reviewed(first, { text: 'y', requestChanges: true })
    act(second.id, 'discard')
    expect(lab.task(first.id).delivery).toBe('superseded')
  })

  it('is not given back where that was merged, or it is discarded itself', async () => {
    const { first, second } = await changing('x')
    await lab.settled(second.id)
    const { store, tasks, clock } = lab.deps
    const merging = { act: 'merge', into: null, how: null, accept: ['scripts'] } as const
    perform({ store, tasks, clock }, second.id, merging, { caller: owner, shown: null })
    expect((await lab.until(second.id, isAtRest)).delivery).toBe('merged')
    act(second.id, 'discard')
    expect(lab.task(first.id).delivery).toBe('superseded')
    act(first.id, 'discard')
    expect(lab.task(first.id).delivery).toBe('discarded')
  })

  it('stays discarded, whatever becomes of that', async () => {
    const { first, second } = await changing('x')
    act(first.id, 'discard')
    await lab.settled(second.id)
    act(second.id, 'discard')
    expect(lab.events(first.id).at(-1)?.type).toBe('discarded')
  })

  it('is as it was where its own part cannot be written', async () => {
    const { first, second } = await changing('x')
    await lab.settled(second.id)
    lab.faults.store = (method, args) => {
      if (method === 'write' && (args[0] as Change).event.type === 'given_back')
        throw new Failure('busy', 'The storage is busy.')
    }
    expect(() => act(second.id, 'discard')).toThrow('The storage is busy.')
    expect([lab.task(first.id).delivery, lab.task(second.id).delivery]).toEqual(['superseded', 'none'])
  })
})

describe('what a review asks for is read by the rules of a submission', () => {
  const risky = { text: 'Run sudo make install.', requestChanges: true }

  it('and waits as a draft, unless an owner has asked for it', async () => {
    const task = await applied({ createdBy: operator.actor })
    const { followUp, task: parent } = await reviewed(task, risky, operator)
    expect([followUp?.status, parent.delivery]).toEqual(['DRAFT', 'superseded'])
    expect(followUp?.risks.some(({ text }) => text.includes('sudo'))).toBe(true)
    expect(lab.deps.store.openSurface(followUp?.id ?? task.id)?.actions).toEqual([
      'approve',
      'reject',
      'suggest',
    ])
    const other = await applied()
    expect((await reviewed(other, risky)).followUp?.status).toBe('PENDING')
  })

  it('also a larger budget', async () => {
    const task = await applied({ createdBy: operator.actor, budget: aBudget({ steps: 8 }) })
    const { followUp } = await reviewed(
      task,
      { text: 'x', requestChanges: true, budget: { steps: 30 } },
      operator,
    )
    expect([followUp?.status, followUp?.budget.steps, followUp?.risks[0]?.rule]).toEqual([
      'DRAFT',
      30,
      'steps',
    ])
  })

  it('and is for those who may suggest something', async () => {
    const task = await applied()
    await expect(reviewed(task, { text: 'x' }, operator)).rejects.toThrow(
      /is an operator, and task .* is not theirs: an owner can review it/,
    )
    const viewer: Caller = { ...operator, role: 'viewer' }
    await expect(reviewed(task, { text: 'x' }, viewer)).rejects.toThrow(/may look, and not review a task/)
  })
})
