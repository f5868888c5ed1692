import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { takeConfigured } from '../../../control-plane/schedule/configured.ts'
import { foreseen } from '../../../control-plane/schedule/foreseen.ts'
import { Failure } from '../../../src/domain/failure.ts'
import { taskRequestSchema } from '../../../src/domain/intake.ts'
import type { Schedule } from '../../../src/domain/schedule/schedule.ts'
import { program, type Program } from '../../support/program.ts'
import { aSchedule } from '../../support/schedule.ts'
import { isSettled, phases, statuses } from '../../../src/domain/task.ts'
import { anOperator, anOwner, aTask, aTaskIdOf, aTime } from '../../support/task.ts'
import { startChild } from '../store/child.ts'
import { type Home, makeHome } from '../store/home.ts'
import { type ScheduleLab, scheduleLab } from './lab.ts'

const minute = 60_000
const quarter = 15 * minute

let home: Home
let now: number
let lab: ScheduleLab
let trouble: (() => void) | null

beforeEach(() => {
  home = makeHome()
  now = aTime
  trouble = null
  lab = scheduleLab(
    home.file,
    () => now,
    () => trouble?.(),
  )
})
afterEach(() => {
  lab[Symbol.dispose]()
  home[Symbol.dispose]()
})

function planned(fields: Partial<Schedule> = {}): void {
  expect(lab.store.schedules.change({ before: null, after: aSchedule(fields) })).toBe(true)
}

async function scanAt(after: number): Promise<void> {
  now = aTime + after
  await lab.scheduler.scan()
}

/** What is on record, oldest first: the state of each run, and the quarter of an hour that it was planned for. */
function runs(): readonly unknown[] {
  const found = lab.store.schedules.occurrences('nightly', null, 1000).toReversed()
  return found.map(({ state, plannedAt }) => [state, (plannedAt - aTime) / quarter])
}

const tasks = () => lab.store.tasks({}).toReversed()

function end(): void {
  for (const { id } of tasks()) {
    if (['DRAFT', 'PENDING'].includes(lab.tasks.get(id).status))
      lab.tasks.act(id, { type: 'stopped', text: null }, anOwner.actor)
  }
}

describe('B27 a schedule', () => {
  it('makes one task of each planned run, however often it is looked at', async () => {
    planned({ overlap: 'allow' })
    for (let after = 0; after <= 2 * quarter + 1000; after += 10_000) await scanAt(after)
    expect(runs()).toEqual([
      ['made', 1],
      ['made', 2],
    ])
    expect(tasks().map(({ status, createdBy }) => [status, createdBy.kind, createdBy.id])).toEqual([
      ['PENDING', 'schedule', 'nightly'],
      ['PENDING', 'schedule', 'nightly'],
    ])
  })

  it('makes up once for three days', async () => {
    planned()
    await scanAt(3 * 96 * quarter + 5 * minute)
    await scanAt(3 * 96 * quarter + 6 * minute)
    expect(runs()).toEqual([
      ['missed', 287],
      ['made', 288],
    ])
    expect(tasks()).toHaveLength(1)
  })

  it('skips a run while a task of it is not at rest, also a draft', async () => {
    planned({ task: taskRequestSchema.parse({ goal: 'sudo rm -rf /', repository: '/r' }) })
    await scanAt(quarter)
    await scanAt(2 * quarter)
    end()
    await scanAt(3 * quarter)
    expect(tasks().map(({ status }) => status)).toEqual(['STOPPED', 'DRAFT'])
    expect(runs()).toEqual([
      ['made', 1],
      ['skipped', 2],
      ['made', 3],
    ])
  })

  it('queues runs, and makes them one after the other', async () => {
    planned({ overlap: 'queue' })
    for (const at of [1, 2, 3]) await scanAt(at * quarter)
    expect(runs()).toEqual([
      ['made', 1],
      ['waiting', 2],
      ['waiting', 3],
    ])
    end()
    await scanAt(3 * quarter + 1000)
    await scanAt(3 * quarter + 2000)
    expect(runs()).toEqual([
      ['made', 1],
      ['made', 2],
      ['waiting', 3],
    ])
    lab.book.enable('nightly', false, anOwner)
    end()
    await scanAt(3 * quarter + 3000)
    expect(runs().at(-1)).toEqual(['skipped', 3])
    expect(tasks()).toHaveLength(2)
  })

  it('makes nothing twice when the clock is put back, and goes on', async () => {
    planned({ overlap: 'allow' })
    await scanAt(quarter)
    await scanAt(0)
    await scanAt(quarter)
    expect(tasks()).toHaveLength(1)
    await scanAt(100 * 96 * quarter)
    const far = tasks().length
    await scanAt(quarter + minute)
    await scanAt(2 * quarter)
    expect(tasks()).toHaveLength(far + 1)
  })

  it('does not miss what was planned while it was disabled', async () => {
    planned()
    lab.book.enable('nightly', false, anOwner)
    await scanAt(4 * quarter)
    lab.book.enable('nightly', true, anOwner)
    await scanAt(4 * quarter + minute)
    expect(runs()).toEqual([])
    await scanAt(5 * quarter)
    expect(runs()).toEqual([['made', 5]])
  })

  it.each<[string, Failure['code'], readonly string[]]>([
    ['tries again what mends itself', 'disk', ['made']],
    ['waits for a remote that does not answer', 'remote', ['made']],
    ['gives up what does not', 'repository', ['failed']],
  ])('%s', async (_, code, states) => {
    planned()
    trouble = () => {
      throw new Failure(code, 'It cannot be read.')
    }
    await scanAt(quarter)
    trouble = null
    await scanAt(quarter + minute)
    expect(lab.store.schedules.occurrences('nightly', null, 10).map(({ state }) => state)).toEqual(states)
  })
})

describe('B03 the risk gate', () => {
  const risky = taskRequestSchema.parse({ goal: 'Deploy to production with sudo', repository: '/r' })

  it('makes a draft of a scheduled task that it has something against', async () => {
    planned({ task: risky })
    await scanAt(quarter)
    const [task] = tasks()
    expect(task).toMatchObject({ status: 'DRAFT' })
    expect(task === undefined ? null : lab.store.openSurface(task.id)?.actions).toContain('approve')
  })

  it('has its reasons on record where the configuration approves them in advance', async () => {
    planned({ task: risky, autoApprove: true, origin: 'config' })
    await scanAt(quarter)
    const [task] = tasks()
    expect(task?.status).toBe('PENDING')
    expect(task?.risks.length).toBeGreaterThan(0)
    expect(task === undefined ? null : lab.store.lastDecision(task.id)).toMatchObject({
      usedAction: 'approve',
      usedBy: { kind: 'schedule', id: 'nightly' },
      text: 'autoApprove in cofferdam.yaml',
    })
  })
})

describe('what is foreseen of a run', () => {
  const risky = taskRequestSchema.parse({ goal: 'Deploy to production with sudo', repository: '/r' })
  const words = /^Each of its tasks waits as a DRAFT until a person approves it: .*sudo.* run by themselves, /
  const detail = () => lab.book.detail(lab.book.show('nightly'))

  it.each<[string, Partial<Schedule>, RegExp | null]>([
    ['nothing stands in its way', {}, null],
    ['drafts, of one made by an owner', { task: risky }, /, say it anew .*, or put it into cofferdam\.yaml/],
    ['drafts, of one of the configuration', { task: risky, origin: 'config' }, /, or put autoApprove: true/],
    [
      'drafts, as asked for',
      { task: { ...risky, draft: true } },
      /\(`cofferdam schedule update nightly`\)\.$/,
    ],
    ['approved in advance', { task: risky, origin: 'config', autoApprove: true }, null],
  ])('%s', async (_, fields, next) => {
    planned(fields)
    const { hindrance: said, terms } = await detail()
    const { agent, budget, policy } = aTask()
    expect(terms).toMatchObject({ agent, budget, policy })
    expect(terms).not.toHaveProperty('status')
    if (next === null) expect(said).toBeNull()
    else for (const part of [words, next]) expect(said).toMatch(part)
    expect([tasks(), runs()]).toEqual([[], []])
  })

  it('no task, and why', async () => {
    planned()
    trouble = () => {
      throw new Failure('repository', '/r is no repository: give the path of one.')
    }
    expect(await detail()).toMatchObject({
      terms: null,
      hindrance: 'No task of it can be made now: /r is no repository: give the path of one.',
    })
  })
})

it('what is foreseen of a run keeps nobody waiting for a repository that does not answer', async () => {
  planned()
  const draft = (): Promise<never> => new Promise(() => {})
  expect(await foreseen({ draft }, lab.book.show('nightly'), aTaskIdOf(1), 10)).toEqual({
    terms: null,
    hindrance: expect.stringMatching(
      /^What comes of a run is not known yet, for \/repositories\/example is still being looked at\./,
    ),
  })
})

describe('a run that is asked for', () => {
  it('makes a task of its caller at once, whatever the overlap, and one under one key', async () => {
    planned({ enabled: false })
    const first = await lab.book.run('nightly', anOperator, 'k')
    expect(first.task).toMatchObject({ status: 'PENDING', createdBy: anOperator.actor })
    expect(first.occurrence).toMatchObject({ kind: 'asked', state: 'made', task: first.task.id })
    expect((await lab.book.run('nightly', anOperator, 'k')).occurrence).toEqual(first.occurrence)
    await lab.book.run('nightly', anOwner, null)
    expect(tasks()).toHaveLength(2)
    now += 7 * 24 * 60 * 60 * 1000
    expect((await lab.book.run('nightly', anOperator, 'k')).task.id).not.toBe(first.task.id)
    expect(tasks()).toHaveLength(3)
  })

  it('knows of a task of its own whether it is settled', () => {
    const states = statuses.flatMap((status) => [...phases, null].map((phase) => ({ status, phase })))
    for (const [index, state] of states.entries()) {
      const name = `of-${state.status}-${state.phase ?? 'none'}`.toLowerCase().replace('_', '-')
      planned({ name })
      const isDelivered = /^(?:merge|undo|push|pull)/.test(state.phase ?? '')
      const delivery = isDelivered ? 'delivering' : 'none'
      const task = aTask({ id: aTaskIdOf(index), ...state, delivery })
      const run = { schedule: name, plannedAt: aTime, kind: 'planned', state: 'made' } as const
      const occurrence = { ...run, task: task.id, text: '', at: aTime }
      lab.tasks.bear(task, '', { scheduled: { occurrence, revision: 1, alone: false } })
      expect([name, lab.store.schedules.underWay(name) === null]).toEqual([name, isSettled(state)])
    }
  })

  it('takes no planned time away', async () => {
    planned({ overlap: 'allow' })
    now = aTime + quarter
    await lab.book.run('nightly', anOwner, null)
    await scanAt(quarter)
    expect(
      lab.store.schedules
        .occurrences('nightly', null, 10)
        .map(({ kind }) => kind)
        .toSorted(),
    ).toEqual(['asked', 'planned'])
  })
})

describe('a schedule that is removed', () => {
  const again = {
    name: 'nightly',
    cron: '0 3 * * *',
    timezone: 'UTC',
    missed: 'skip',
    overlap: 'skip',
    enabled: true,
    task: taskRequestSchema.parse({ goal: 'Mend the scanner', repository: '/repositories/example' }),
  } as const
  const remove = (): void => lab.book.remove('nightly', anOwner, null)

  it('is not there for anybody, nor run, and can be made again', async () => {
    planned({ overlap: 'allow' })
    remove()
    expect(lab.book.list()).toEqual([])
    expect(() => lab.book.show('nightly')).toThrow('There is no schedule nightly')
    expect(() => lab.book.enable('nightly', false, anOwner)).toThrow('There is no schedule nightly')
    expect(remove).toThrow('There is no schedule nightly')
    await expect(lab.book.run('nightly', anOwner, null)).rejects.toThrow('There is no schedule nightly')
    await scanAt(quarter)
    expect(tasks()).toEqual([])
    expect(lab.book.create(again, anOwner)).toMatchObject({ revision: 3, createdAt: now, gone: false })
    expect(lab.book.list().map(({ name }) => name)).toEqual(['nightly'])
  })

  it('and made again is another to those who saw the old one', () => {
    planned()
    remove()
    lab.book.create(again, anOwner)
    for (const shown of [1, 2])
      expect(() => lab.book.remove('nightly', anOwner, shown)).toThrow('changed since it was shown')
  })

  it('and made again does not take a run of the old one that is being drafted for its own', async () => {
    planned()
    trouble = () => {
      trouble = null
      remove()
      lab.book.create(again, anOwner)
    }
    await expect(lab.book.run('nightly', anOwner, null)).rejects.toThrow('changed at the same moment')
    expect(tasks()).toEqual([])
  })

  it('counts an interval anew when it is made again', () => {
    planned({ timing: { kind: 'every', every: '6h', from: aTime } })
    remove()
    now = aTime + minute
    const { cron: _, timezone: __, ...words } = again
    expect(lab.book.create({ ...words, every: '6h' }, anOwner).timing).toMatchObject({ from: now })
  })

  it('is taken over by a configuration that has one of its name, as new', () => {
    planned()
    remove()
    now = aTime + minute
    const { timing, missed, overlap, autoApprove, task } = aSchedule()
    const configured = { name: 'nightly', timing, missed, overlap, autoApprove, task }
    takeConfigured(lab.store.schedules, [configured], now, true)
    expect(lab.book.show('nightly')).toMatchObject({
      origin: 'config',
      revision: 3,
      createdAt: now,
      createdBy: { kind: 'system', id: 'cofferdam.yaml' },
    })
  })
})

describe('B27 processes on one database', () => {
  let scanner: Program
  beforeAll(() => {
    scanner = program(new URL('programs/scanner.ts', import.meta.url))
  })
  afterAll(() => scanner[Symbol.dispose]())

  const times = Array.from({ length: 20 }, (_, n) => String(aTime + (n + 1) * quarter))

  it('make one task of each run', { timeout: 60_000 }, async () => {
    planned({ overlap: 'allow' })
    const go = join(home.folder, 'go')
    const children = [1, 2, 3].map(() =>
      startChild(process.execPath, [scanner.file, home.file, go, ...times]),
    )
    await Promise.all(children.map((child) => child.printed(/ready/)))
    writeFileSync(go, '')
    await Promise.all(children.map((child) => child.ended()))
    expect(children.map((child) => child.output().includes('done'))).toEqual([true, true, true])
    expect(runs()).toEqual(times.map((_, n) => ['made', n + 1]))
    const made = lab.store.schedules.occurrences('nightly', null, 100).map(({ task }) => task)
    expect(new Set(tasks().map(({ id }) => id))).toEqual(new Set(made))
    expect(tasks()).toHaveLength(times.length)
  })

  it('make one task of each run, also where they are killed in the middle', { timeout: 60_000 }, async () => {
    planned({ overlap: 'allow' })
    const go = join(home.folder, 'go')
    writeFileSync(go, '')
    for (const after of [1, 3, 6]) {
      const child = startChild(process.execPath, [scanner.file, home.file, go, ...times])
      await child.printed(new RegExp(`(making\\s+){${after}}|done`))
      await child.kill()
      const rows = lab.store.schedules.occurrences('nightly', null, 100)
      expect(new Set(rows.map(({ task }) => task))).toEqual(new Set(tasks().map(({ id }) => id)))
      expect(rows).toHaveLength(tasks().length)
    }
    const last = startChild(process.execPath, [scanner.file, home.file, go, ...times])
    await last.ended()
    expect(runs()).toEqual(times.map((_, n) => ['made', n + 1]))
    expect(tasks()).toHaveLength(times.length)
  })
})
