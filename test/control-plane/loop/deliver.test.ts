import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { perform } from '../../../control-plane/gate/act.ts'
import { Misses } from '../../../control-plane/gate/misses.ts'
import { decisionsOf, press } from '../../../control-plane/gate/press.ts'
import type { Change } from '../../../control-plane/store/store.ts'
import type { Caller } from '../../../src/domain/caller.ts'
import type { Act } from '../../../src/domain/control-plane.ts'
import type { Move } from '../../../src/domain/worktree.ts'
import { Failure } from '../../../src/domain/failure.ts'
import { isAtRest, type Task } from '../../../src/domain/task.ts'
import { type LoopLab, loopLab } from '../../support/loop-lab.ts'
import { aBudget } from '../../support/task.ts'
import { commitOn, leaveMain, point, tipIn } from '../../support/branches.ts'
import { aRepository, git } from '../../support/repository.ts'

const owner: Caller = { actor: { kind: 'local', id: 'ada' }, role: 'owner' }
const files = { 'a.txt': 'one\ntwo\nthree\n', '.gitignore': 'node_modules/\n' }

let lab: LoopLab
let repo: string
beforeEach(async () => {
  lab = await loopLab()
  repo = aRepository(files)
  leaveMain(repo, 'elsewhere')
})
afterEach(() => lab[Symbol.asyncDispose]())

/** An applied task that began from main. */
async function applied(script: string, more: Partial<Task> = {}): Promise<Task> {
  point(repo, 'main')
  const born = await lab.birth(repo, script, more)
  const task = await lab.settled(born.id)
  expect([task.halt, task.status]).toEqual([null, 'APPLIED'])
  point(repo, 'elsewhere')
  return task
}

function decide({ id }: Pick<Task, 'id'>, act: Partial<Act> & Pick<Act, 'act'>, caller = owner): Task {
  const wanted = { into: null, how: null, accept: [], ...act } as Act
  return perform({ store: lab.deps.store, tasks: lab.deps.tasks, clock: lab.deps.clock }, id, wanted, {
    caller,
    shown: null,
  })
}

const delivered = ({ id }: Pick<Task, 'id'>): Promise<Task> => lab.until(id, isAtRest)

async function merge(task: Task, more: object = {}): Promise<Task> {
  decide(task, { act: 'merge', ...more })
  return delivered(task)
}

/** Somebody goes on in main. */
function moves(name: string, content = 'x\n'): string {
  return commitOn(repo, 'main', { [name]: content })
}

const tip = (): string => tipIn(repo, 'main')
const typesSince = ({ id, version }: Task): readonly string[] =>
  lab
    .events(id)
    .filter(({ seq }) => seq > version)
    .map(({ type }) => type)

describe('a merge', () => {
  it('of what was tested as it is moves the branch without another test, and can be undone', async () => {
    const before = tip()
    const task = await applied('echo new > new.txt', { test: 'test -f new.txt' })
    const merged = await merge(task)
    expect([merged.delivery, merged.phase, merged.merge?.said]).toEqual([
      'merged',
      null,
      `Merged into main: ${before.slice(0, 10)}..${tip().slice(0, 10)}.`,
    ])
    expect(typesSince(task)).toEqual(['merge_decided', 'merge_advanced', 'merged'])
    expect(git(repo, 'show', '-s', '--format=%B', 'main')).toContain(`Cofferdam-Task: ${task.id}`)
    decide(task, { act: 'undo' })
    expect((await delivered(task)).delivery).toBe('undone')
    expect(tip()).toBe(before)
    expect((await merge(task)).delivery).toBe('merged')
  })

  it('with what is new in the branch is tested first, in a box on exactly that', async () => {
    const task = await applied('echo new > new.txt', {
      test: 'ls; test -f new.txt && test -f theirs.txt || ! test -f theirs.txt',
    })
    moves('theirs.txt')
    const merged = await merge(task)
    expect(merged.merge?.said).toMatch(/^Merged into main/)
    expect(typesSince(task)).toEqual([
      'merge_decided',
      'merge_advanced',
      'merge_begun',
      'merge_advanced',
      'merged',
    ])
    const row = lab.deps.store.checkpoints(task.id).findLast(({ step }) => step === 0)
    expect([row?.state, row?.test?.passed, row?.test?.tail.split('\n')]).toEqual([
      'kept',
      true,
      ['a.txt', 'new.txt', 'theirs.txt', ''],
    ])
    expect(merged.spent).toEqual(task.spent)
  })

  it('whose test fails there leaves the branch as it was, and says what it printed', async () => {
    const task = await applied('echo new > new.txt', { test: 'echo no room; ! test -f theirs.txt' })
    const theirs = moves('theirs.txt')
    const refused = await merge(task)
    expect([refused.delivery, tip()]).toEqual(['rejected', theirs])
    expect(refused.merge?.said).toBe(
      'Not merged: the test fails on main with this work (exit code 1). It printed last: "no room"',
    )
    expect(lab.deps.store.openSurface(task.id)?.actions).toEqual(['merge', 'pull-request', 'discard'])
  })

  it('of the second of two that change the same lines names them, and leaves the first as it is', async () => {
    const [one, two] = [await applied('echo 1 > a.txt'), await applied('echo 2 > a.txt')]
    decide(one, { act: 'merge' })
    decide(two, { act: 'merge' })
    expect((await delivered(one)).delivery).toBe('merged')
    const first = tip()
    const conflict = await delivered(two)
    expect([conflict.delivery, tip()]).toEqual(['conflict', first])
    expect(conflict.merge?.said).toContain('have both changed a.txt')
    expect(lab.events(two.id).at(-1)?.data['paths']).toEqual(['a.txt'])
    expect((await merge(two, { how: 'fast-forward' })).merge?.said).toContain('has gone on since')
  })

  it('begins again where the branch moves while it is tested', async () => {
    const task = await applied('echo new > new.txt', { test: 'true' })
    moves('theirs.txt')
    let later = ''
    lab.faults.worktrees = (method) => {
      if (method === 'move' && later === '') later = moves('later.txt')
    }
    expect((await merge(task)).merge).toMatchObject({ from: later, tries: 1 })
    expect(typesSince(task)).toContain('merge_overtaken')
    expect(git(repo, 'ls-tree', '--name-only', 'main').split('\n')).toEqual([
      '.gitignore',
      'a.txt',
      'later.txt',
      'new.txt',
      'theirs.txt',
      '',
    ])
  })

  it('is given up where the branch moves each time', async () => {
    const task = await applied('echo new > new.txt')
    let count = 0
    lab.faults.worktrees = (method) => {
      if (method === 'move') moves(`${(count += 1)}.txt`)
    }
    const refused = await merge(task)
    expect([refused.delivery, count]).toEqual(['none', 5])
    expect(refused.merge?.said).toContain('That was the 5th time')
  })

  it.each([
    ['at once', 0, 6],
    ['after a long silence', 90_000, 2],
  ])('whose far end fails %s is tried so often, and no longer', async (_, silenceMs, tries) => {
    const task = await applied('echo new > new.txt')
    let count = 0
    lab.faults.worktrees = async (method) => {
      if (method !== 'move') return
      count += 1
      await lab.deps.sleep(silenceMs, new AbortController().signal)
      throw new Failure('remote', 'The remote of shop does not answer.')
    }
    const refused = await merge(task)
    expect([refused.delivery, count]).toEqual(['none', tries])
    expect(refused.merge?.said).toBe('Not merged into main: The remote of shop does not answer.')
  })

  it('is one at a time in a repository', async () => {
    const [one, two] = [await applied('echo 1 > 1.txt'), await applied('echo 2 > 2.txt')]
    let [under, most] = [0, 0]
    lab.faults.worktrees = (method) => {
      if (method === 'merge') most = Math.max(most, (under += 1))
    }
    lab.faults.store = (method, args) => {
      if (method === 'write' && (args[0] as Change).event.type === 'merged') under -= 1
    }
    decide(one, { act: 'merge' })
    decide(two, { act: 'merge' })
    await delivered(two)
    await delivered(one)
    expect([most, under]).toEqual([1, 0])
    expect(git(repo, 'ls-tree', '--name-only', 'main')).toContain('1.txt\n2.txt')
  })

  it('brings no more than the work into a branch, unless an owner accepts that', async () => {
    const release = 'release$(touch${IFS}x)'
    git(repo, 'branch', release, 'main')
    moves('theirs.txt')
    const task = await applied('echo new > new.txt')
    const refused = await merge(task, { into: release })
    expect([refused.delivery, refused.merge?.said]).toEqual([
      'none',
      expect.stringContaining("1 commit would come with it that are not this task's"),
    ])
    // It is for a shell to take as it stands.
    expect(refused.merge?.said).toContain(`task diff ${task.id} --against '${release}'\``)
    expect(refused.merge?.said).toContain(`--into '${release}' --accept foreign\`.`)
    const input = { act: 'merge', into: release, accept: ['foreign'] } as const
    expect(() => decide(task, input, { ...owner, role: 'operator' })).not.toThrow()
    expect((await delivered(task)).delivery).toBe('none')
    expect((await merge(task, input)).delivery).toBe('merged')
    expect(git(repo, 'show', `${release}:theirs.txt`)).toBe('x\n')
  })

  it('by the button accepts what is marked, and not that others’ commits go with it', async () => {
    git(repo, 'branch', 'release', 'main')
    moves('theirs.txt')
    const task = await applied('mkdir test && head -c 300000 /dev/zero | tr "\\0" a > test/a.test.ts')
    expect(task.marks).toMatchObject([{ rule: 'unread' }])
    const { store, tasks, clock } = lab.deps
    const defaults = { budget: aBudget(), repository: () => ({ delivery: { into: 'release' } }) }
    const deps = { store, tasks, clock, defaults, nonceKey: () => 'k', misses: new Misses() }
    const { offer, merge: shown } = decisionsOf(deps, task.id, owner)
    expect(shown?.accepts).toEqual(['unread'])
    press(deps, task.id, offer?.choices.find(({ action }) => action === 'merge')?.id ?? '', null, owner)
    const refused = await delivered(task)
    expect([refused.delivery, refused.merge?.accepted]).toEqual(['none', ['unread']])
    expect(refused.merge?.said).toContain(`--into release --accept unread,foreign\`.`)
    const input = { into: 'release', accept: ['unread', 'foreign'] }
    expect((await merge(task, input)).delivery).toBe('merged')
  })

  it('says why it was refused by the repository, and can be decided again', async () => {
    const task = await applied('echo new > new.txt')
    expect((await merge(task, { into: 'nowhere' })).merge?.said).toMatch(
      /^Not merged into nowhere: .* has no branch nowhere/,
    )
    git(repo, 'checkout', '-q', 'main')
    writeFileSync(join(repo, 'a.txt'), 'mine\n')
    const refused = await merge(task)
    expect([refused.delivery, refused.merge?.said]).toEqual([
      'none',
      expect.stringContaining('not committed (a.txt)'),
    ])
    git(repo, 'checkout', '-q', 'a.txt')
    expect((await merge(task)).delivery).toBe('merged')
    expect(existsSync(join(repo, 'new.txt'))).toBe(true)
  })

  it('needs setup anew where that is gone by now, or where the branch has other manifests', async () => {
    const task = await applied('echo new > new.txt', {
      setup: 'mkdir node_modules; cp package.json node_modules/ 2>/dev/null; touch node_modules/x',
      test: 'test -d node_modules',
    })
    moves('theirs.txt')
    await lab.worktrees.putAway(task)
    expect((await merge(task)).merge?.said).toMatch(/^Merged/)
    const kinds = lab
      .events(task.id)
      .flatMap(({ type, data }) => (type === 'merge_begun' ? [data['kind']] : []))
    expect(kinds).toEqual(['setup', 'test'])
    decide(task, { act: 'undo' })
    await delivered(task)
    moves('package.json', '{"dependencies":{"x":"1"}}\n')
    const version = lab.task(task.id)
    await merge(task)
    expect(
      lab
        .events(task.id)
        .flatMap(({ seq, data }) => (seq > version.version ? [data['kind']] : []))
        .filter(Boolean),
    ).toEqual(['setup', 'test'])
  })
})

describe('a process that ends in the middle of a delivery', () => {
  const writes = ['merge_decided', 'merge_advanced', 'merge_begun', 'merged'] as const
  it.each(['merge_advanced', 'merge_begun', 'merged'] as const)(
    'before %s is on record leaves it to the next, and the branch is moved once',
    async (type) => {
      const task = await applied('echo new > new.txt', { test: 'true' })
      moves('theirs.txt')
      let died = false
      lab.faults.store = (method, args) => {
        if (died || method !== 'write' || (args[0] as Change).event.type !== type) return
        died = true
        void lab.reopen()
        throw new Failure('database', 'It is gone.')
      }
      const merged = await merge(task)
      expect([died, merged.delivery]).toEqual([true, 'merged'])
      expect(git(repo, 'log', '--merges', '--format=%P', 'main').trim().split('\n')).toHaveLength(1)
      expect(writes.filter((each) => !typesSince(task).includes(each))).toEqual([])
    },
  )

  it('after git has moved the branch says that it is merged, and not that it was refused', async () => {
    const task = await applied('echo new > new.txt')
    let moved = 0
    lab.faults.worktrees = async (method, args) => {
      if (method !== 'move' || moved > 0) return
      moved += 1
      await lab.worktrees.move(args[0] as Task, args[1] as Move)
      throw new Failure('worktree', 'git push was ended.')
    }
    expect((await merge(task)).delivery).toBe('merged')
    expect(git(repo, 'log', '--merges', '--format=%s', 'main').trim()).toBe(`Merge ${task.branch} into main`)
    moved = 0
    decide(task, { act: 'undo' })
    expect((await delivered(task)).delivery).toBe('undone')
  })
})
