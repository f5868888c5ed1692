import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { verifyAttestations } from '../../../control-plane/attest/verify.ts'
import { perform } from '../../../control-plane/gate/act.ts'
import { Keeper, type KeeperDeps } from '../../../control-plane/keep/keeper.ts'
import { placeOf } from '../../../control-plane/loop/work.ts'
import { ticks } from '../../../control-plane/ticks.ts'
import type { TaskId } from '../../../src/domain/ids.ts'
import { policyHash } from '../../../src/domain/policies.ts'
import type { Retention } from '../../../src/domain/retention.ts'
import type { Task } from '../../../src/domain/task.ts'
import { type LoopLab, loopLab } from '../../support/loop-lab.ts'
import { aRepository, git } from '../../support/repository.ts'
import { aSchedule } from '../../support/schedule.ts'
import { anOwner, aPolicy, aTask } from '../../support/task.ts'

const keep: Retention = { worktrees: 7, output: 30, undelivered: null, audit: 365 }
const told: Retention = { ...keep, undelivered: 90 }

let lab: LoopLab
let repo: string
beforeEach(async () => {
  lab = await loopLab()
  repo = aRepository()
})
afterEach(() => lab[Symbol.asyncDispose]())

/** Looks once, so many days from now. */
async function looked(days: number, retention: Retention, more: Partial<KeeperDeps> = {}): Promise<void> {
  await keeper(() => days * dayMs, retention, more).round()
}

const dayMs = 86_400_000

function keeper(ahead: () => number, retention: Retention, more: Partial<KeeperDeps> = {}): Keeper {
  const clock = (): number => Date.now() + ahead()
  const settled = (): Promise<void> => Promise.resolve()
  const { worktrees, deps } = lab
  return new Keeper({ ...deps, worktrees, retention, settled, ticks, clock, ...more })
}

/** Has it on record that a process has run for a day with a clock so many days ahead. */
function ran(days: number): void {
  lab.deps.store.access.seeClock({ at: Date.now() + days * dayMs, steadyMs: dayMs })
}

const kinds = ['private', 'tasks', 'trees', 'setups', 'attempts', 'logs'] as const
/** What there is of a task on the disk. */
const left = ({ id }: Task): readonly string[] =>
  kinds.filter((kind) => existsSync(join(dirname(lab.database), kind, id)))
const said = (id: TaskId, type: string): readonly string[] =>
  lab
    .events(id)
    .filter((event) => event.type === type)
    .map(({ text }) => text)

const applied = async (): Promise<Task> => {
  const { id } = await lab.birth(repo, 'echo one >one.txt; echo TASK_STATE: DONE', {
    test: 'true',
    policyHash: policyHash(aPolicy()),
  })
  return await lab.settled(id)
}
const blocked = async (): Promise<Task> => {
  const script = 'echo one >one.txt; echo BLOCK_REASON: tell me; echo TASK_STATE: BLOCKED'
  return await lab.settled((await lab.birth(repo, script)).id)
}

it('puts the worktree of an applied task away, with an event; its commits stay, and it verifies', async () => {
  const task = await applied()
  expect(task.status).toBe('APPLIED')
  const before = left(task)
  expect(before).toContain('tasks')
  await looked(6.9, keep)
  expect(left(task)).toEqual(before)
  await looked(7, keep)
  expect(left(task)).toEqual(['logs'])
  await looked(7, keep)
  expect(said(task.id, 'put_away')).toEqual([
    'The worktree is removed after 7 days (keep.worktrees); the commits and the branch stay.',
  ])
  expect(await lab.worktrees.diff(placeOf(task), task.base.commit, task.head)).toContain('+one')
  expect(git(repo, 'show', `${task.branch}:one.txt`)).toBe('one\n')
  const { store } = lab.deps
  const deps = { store, worktrees: lab.worktrees, key: () => lab.key, installation: 'lab' }
  expect((await verifyAttestations(deps, task.id, [], placeOf)).findings).toEqual([])
  await looked(31, keep)
  expect(left(task)).toEqual([])
  expect(said(task.id, 'put_away')).toHaveLength(2)
})

it('leaves undelivered work alone however old it is, and discards it where the configuration says so', async () => {
  const task = await blocked()
  const before = left(task)
  await looked(9999, keep)
  expect([left(task), lab.task(task.id).version]).toEqual([before, task.version])
  ran(89)
  await looked(89, told)
  expect(left(task)).toEqual(before)
  ran(90)
  await looked(90, told)
  expect([left(task), lab.task(task.id).delivery]).toEqual([['logs'], 'discarded'])
  expect(lab.events(task.id).at(-1)).toMatchObject({ type: 'discarded', actor: { kind: 'system' } })
  expect(said(task.id, 'discarded')[0]).toContain('for 90 days, and keep.undelivered in the configuration')
  expect(
    readdirSync(join(dirname(lab.database), 'mirrors', `${task.repository.key}.git`, 'refs/heads')),
  ).toEqual([])
})

it('discards nothing by a clock that has leapt before it has run for a day with it, over restarts too', async () => {
  const task = await blocked()
  ran(0)
  let [ahead, tick] = [73 * 365 * dayMs, 0]
  const lookAgain = async (by: Keeper, hours = 0): Promise<string> => {
    ahead += hours * 3_600_000
    tick += hours * 3_600_000
    await by.round()
    return lab.task(task.id).delivery
  }
  const made = (): Keeper => keeper(() => ahead, told, { ticks: { now: () => tick } })
  const first = made()
  expect([await lookAgain(first), await lookAgain(first, 23)]).toEqual(['none', 'none'])
  expect(lab.logged().at(-1)).toMatchObject({
    task: task.id,
    msg: 'old work is kept until the server has run for a day with this clock',
  })
  // The next process finds its own time on record, and has run for no time itself.
  const next = made()
  expect([await lookAgain(next), await lookAgain(next, 0.9), await lookAgain(next, 0.2)]).toEqual([
    'none',
    'none',
    'discarded',
  ])
})

it('does not discard what somebody has just resumed', async () => {
  const task = await blocked()
  const doer = { caller: anOwner, shown: null }
  perform(lab.deps, task.id, { act: 'resume', instruction: 'Go on', budget: null }, doer)
  ran(9999)
  await looked(9999, told)
  expect((await lab.settled(task.id)).delivery).toBe('none')
  expect(said(task.id, 'discarded')).toEqual([])
})

it('does after a kill in the middle what it has said, and says it once', async () => {
  const task = await applied()
  const putAway = (): Promise<void> => Promise.reject(new Error('killed'))
  await looked(7, keep, { worktrees: { ...lab.worktrees, putAway } })
  expect(left(task)).toContain('tasks')
  await looked(7, keep)
  expect(left(task)).toEqual(['logs'])
  expect(said(task.id, 'put_away')).toHaveLength(1)
})

it('goes on with the next task where one cannot be put away', async () => {
  const tasks = [await applied(), await applied()]
  let calls = 0
  const putAway: LoopLab['worktrees']['putAway'] = (place) =>
    (calls += 1) === 1 ? Promise.reject(new Error('no')) : lab.worktrees.putAway(place)
  await looked(7, keep, { worktrees: { ...lab.worktrees, putAway } })
  expect(tasks.filter((task) => left(task).includes('tasks'))).toHaveLength(1)
  expect(lab.logged().at(-1)).toMatchObject({ msg: 'what a task has left could not be removed' })
})

it('makes room on the disk also where the audit log cannot be written', async () => {
  const task = await applied()
  const { store } = lab.deps
  const endAudit = (): never => {
    throw new Error('the disk is full')
  }
  await looked(366, keep, { store: { ...store, access: { ...store.access, endAudit } } })
  expect(left(task)).toEqual([])
  expect(lab.logged().at(-1)).toMatchObject({ msg: 'old rows of the database could not be removed' })
})

it('removes rows of the audit log after their time, and never where it is kept for ever', async () => {
  const { access } = lab.deps.store
  const row = {
    actor: anOwner.actor,
    action: 'POST /v1/tasks',
    taskId: null,
    outcome: 'allowed',
    text: '',
  } as const
  const day = 86_400_000
  access.addAudit({ ...row, at: Date.now() - 364 * day, requestId: 'younger' })
  access.addAudit({ ...row, at: Date.now() - 366 * day, requestId: 'older' })
  const kept = (): readonly string[] => access.audit({ limit: 10 }).map(({ requestId }) => requestId)
  await looked(0, { ...keep, audit: null })
  expect(kept()).toEqual(['older', 'younger'])
  await looked(0, keep)
  expect(kept()).toEqual(['younger'])
})

it('removes runs of schedules after the same time, but for those that became a task or wait', async () => {
  const { store, tasks } = lab.deps
  const day = 86_400_000
  const schedule = aSchedule({})
  store.schedules.change({ before: null, after: schedule })
  const run = { schedule: schedule.name, kind: 'planned', text: '', task: null } as const
  const settle = (days: number, state: 'waiting' | 'skipped' | 'missed' | 'failed'): void => {
    const at = Date.now() - days * day
    const occurrence = { ...run, state, plannedAt: at, at }
    expect(store.schedules.settle({ occurrence, revision: schedule.revision, alone: false })).toBeNull()
  }
  settle(366, 'skipped')
  settle(367, 'missed')
  settle(368, 'failed')
  settle(369, 'waiting')
  settle(364, 'skipped')
  const at = Date.now() - 370 * day
  const task = aTask({ status: 'APPLIED' })
  const occurrence = { ...run, state: 'made', plannedAt: at, at, task: task.id } as const
  tasks.bear(task, '', { scheduled: { occurrence, revision: schedule.revision, alone: false } })
  const kept = (): readonly string[] =>
    store.schedules.occurrences(schedule.name, null, 10).map(({ state }) => state)
  await looked(0, { ...keep, audit: null })
  expect(kept()).toHaveLength(6)
  await looked(0, keep)
  expect(kept()).toEqual(['skipped', 'waiting', 'made'])
})
