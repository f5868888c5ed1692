import { spawnSync } from 'node:child_process'
import { readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { backUpDated } from '../../../control-plane/backup/dated.ts'
import { verifyAttestations } from '../../../control-plane/attest/verify.ts'
import { placeOf } from '../../../control-plane/loop/work.ts'
import { openStore } from '../../../control-plane/store/open.ts'
import type { HostPath } from '../../../src/domain/brand.ts'
import { missingFrom } from '../../../src/worktree/missing.ts'
import { openWorktrees } from '../../../src/worktree/open.ts'
import { counted } from '../../../src/domain/text.ts'
import { policyHash } from '../../../src/domain/policies.ts'
import type { Task } from '../../../src/domain/task.ts'
import { compilePolicy } from '../../../src/domain/matcher.ts'
import { gitFolder } from '../../../src/sandbox/places.ts'
import { type LoopLab, loopLab } from '../../support/loop-lab.ts'
import { aRepository, git } from '../../support/repository.ts'
import { aBudget, anOwner, aPolicy } from '../../support/task.ts'
import { perform } from '../../../control-plane/gate/act.ts'
import { wholeTask } from '../attest/whole-task.ts'
import { at, backedUp, restored, scratch } from './lab.ts'

let folder: HostPath
beforeEach(() => {
  folder = scratch()
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const dataOf = (lab: LoopLab): HostPath => dirname(lab.database) as HostPath

/** The modes of all that is in a folder, the folder itself with them. */
function modesIn(place: string): ReadonlyMap<string, string> {
  const names = ['', ...readdirSync(place, { recursive: true, encoding: 'utf8' })]
  return new Map(names.map((name) => [name, (statSync(join(place, name)).mode & 0o777).toString(8)]))
}

describe('a backup', () => {
  it('is restored to a data folder where every task verifies, with its diff and its output', async () => {
    await using whole = await wholeTask()
    const { lab, task } = whole
    const report = await backedUp(dataOf(lab), at(folder, 'backup'))
    expect(report).toMatchObject({ path: at(folder, 'backup'), tasks: 1, notes: [] })
    const data = at(folder, 'data')
    expect((await restored(at(folder, 'backup'), data)).tasks).toBe(1)
    const place = placeOf(task)
    const worktrees = openWorktrees({
      data,
      user: lab.deps.user,
      author: { name: 'Cofferdam', email: 'cofferdam@localhost' },
      pointerTarget: gitFolder,
      policyMatcher: compilePolicy,
    })
    using store = openStore(at(data, 'cofferdam.db'))
    expect(store.task(task.id)).toEqual(lab.task(task.id))
    expect(store.events(task.id, 0, 1000)).toEqual(lab.events(task.id))
    const deps = { store, worktrees, key: () => lab.key, installation: 'lab' }
    expect(await verifyAttestations(deps, task.id, [], placeOf)).toMatchObject({ holds: true, findings: [] })
    const diff = await worktrees.diff(place, task.base.commit, task.head)
    expect(diff).toContain('+done')
    expect(diff).toBe(await lab.worktrees.diff(place, task.base.commit, task.head))
    expect(readdirSync(at(data, `logs/${task.id}`))).toEqual(readdirSync(at(dataOf(lab), `logs/${task.id}`)))
    // For its owner alone, as it was.
    const before = modesIn(dataOf(lab))
    for (const name of ['backup', 'data']) {
      const modes = modesIn(at(folder, name))
      if (name === 'backup')
        expect([...modes.keys()].filter((path) => /db-|lock|owner/.test(path))).toEqual([])
      expect([modes.get(''), modes.get('keys/attestation.pem')]).toEqual(['700', '600'])
      for (const [path, mode] of modes)
        if (!/^(?:cofferdam\.db.*|backup\.json|restored)$/.test(path))
          expect([path, mode]).toEqual([path, before.get(path)])
      expect(modes.get('cofferdam.db')).toBe('600')
      if (name === 'data') expect(modes.get('restored')).toBe('600')
    }
  })
})

describe('a task at work when the backup is made', () => {
  let lab: LoopLab
  beforeEach(async () => {
    lab = await loopLab()
  })
  afterEach(() => lab[Symbol.asyncDispose]())

  const script = `
    if [ -f one.txt ]; then echo two >two.txt; echo 2 >>runs.txt; echo TASK_STATE: DONE
    else echo one >one.txt; echo TASK_STATE: CONTINUE; fi`

  /** Waits until something that `when` names would be done in step 2, backs up, and says how the restored task ends. */
  async function endAfterRestore(
    repo: string,
    when: 'agent' | 'verify' | 'checkpoint',
  ): Promise<readonly unknown[]> {
    let holding: (() => void) | null = null
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const inStep2 = (): boolean => lab.deps.store.tasks({})[0]?.step === 2
    lab.faults.engine = async (method) => {
      if (when !== 'agent' || method !== 'run' || !inStep2()) return
      holding?.()
      await held
    }
    lab.faults.worktrees = async (method) => {
      if (when !== method || !inStep2()) return
      holding?.()
      await held
    }
    const reached = new Promise<void>((resolve) => {
      holding = resolve
    })
    const { id } = await lab.birth(repo, script, {
      test: 'true',
      budget: aBudget({ steps: 5 }),
      policyHash: policyHash(aPolicy()),
    })
    await reached
    await backedUp(dataOf(lab), at(folder, 'backup'))
    // The one that was backed up is no more, and with it its boxes.
    const closed = lab.close()
    release()
    await closed
    await restored(at(folder, 'backup'), at(folder, 'data'))
    await using again = await loopLab(at(folder, 'data'))
    const task = await again.settled(id)
    expect(git(repo, 'show', `${task.branch}:one.txt`)).toBe('one\n')
    expect(git(repo, 'show', `${task.branch}:runs.txt`)).toBe('2\n')
    expect(git(repo, 'rev-list', '--count', `main..${task.branch}`).trim()).toBe('2')
    const deps = {
      store: again.deps.store,
      worktrees: again.worktrees,
      key: () => again.key,
      installation: 'lab',
    }
    expect((await verifyAttestations(deps, id, [], placeOf)).findings).toEqual([])
    return [task.halt?.text, task.status, task.spent.steps]
  }

  it.each(['agent', 'verify', 'checkpoint'] as const)(
    'goes on from its last checkpoint, with nothing undone (at %s)',
    async (when) => {
      expect(await endAfterRestore(aRepository(), when)).toEqual([undefined, 'APPLIED', 2])
    },
  )
})

describe('commits that are gone from the data folder', () => {
  let lab: LoopLab
  beforeEach(async () => {
    lab = await loopLab()
    writeFileSync(at(dataOf(lab), 'installation'), 'abcdefghij23\n')
  })
  afterEach(() => lab[Symbol.asyncDispose]())

  let now = Date.UTC(2026, 10, 27, 12)
  const night = () =>
    backUpDated(folder, 1, {
      data: dataOf(lab),
      attestationKey: null,
      owner: { pid: process.pid, startedAt: 1, what: 'test' },
      clock: () => (now += 1000),
      missing: missingFrom,
    })
  const worked = async (repo: string): Promise<Task> =>
    await lab.settled((await lab.birth(repo, 'echo $$ >one.txt; echo TASK_STATE: DONE')).id)
  const mirrorOf = ({ repository }: Task): string => join(dataOf(lab), 'mirrors', `${repository.key}.git`)
  const harms: Readonly<Record<string, (task: Task) => void>> = {
    'with their mirror': (task) => rmSync(mirrorOf(task), { recursive: true }),
    'with all mirrors': (task) => rmSync(dirname(mirrorOf(task)), { recursive: true }),
    'from their mirror': (task) => {
      const { head } = task
      rmSync(join(mirrorOf(task), 'objects', head.slice(0, 2), head.slice(2)))
    },
    'with their trees': (task) => {
      const tree = git(mirrorOf(task), 'rev-parse', `${task.head}^{tree}`).trim()
      rmSync(join(mirrorOf(task), 'objects', tree.slice(0, 2), tree.slice(2)))
    },
  }

  it.each(Object.entries(harms))('%s: it is said, and no older copy is removed for it', async (how, harm) => {
    const [one, other] = [await worked(aRepository()), await worked(aRepository())]
    expect([one.status, other.status, one.head === one.base.commit]).toEqual(['APPLIED', 'APPLIED', false])
    const first = await night()
    const good = await night()
    expect([first.incomplete, good.incomplete]).toEqual([undefined, undefined])
    expect(readdirSync(folder)).toHaveLength(1)
    harm(one)
    const { path, incomplete, notes } = await night()
    const lost = how === 'with all mirrors' ? [one.id, other.id] : [one.id]
    expect(incomplete).toContain(`${path} is made, but the commits of ${counted(lost.length, 'task')} (`)
    expect(incomplete).toContain(
      `) are not in it, as they are gone from ${dataOf(lab)}/mirrors: a new task on the repository brings back what that has itself`,
    )
    expect([one.id, other.id].filter((id) => incomplete?.includes(id))).toEqual(lost)
    expect(notes).toEqual(['As it is incomplete, no older copy is removed.'])
    expect(readdirSync(folder)).toHaveLength(2)
    expect((await restored(path, at(folder, 'data'))).tasks).toBe(2)
    // As docs/runbook.md has it.
    spawnSync('cp', ['-an', `${good.path}/mirrors/.`, `${dataOf(lab)}/mirrors/`])
    expect((await night()).incomplete).toBeUndefined()
  })

  it('do not count where the task was discarded, was put away, or came to nothing', async () => {
    const [discarded, putAway] = [await worked(aRepository()), await worked(aRepository())]
    const nothing = await lab.settled(
      (await lab.birth(aRepository(), 'echo BLOCK_REASON: no; echo TASK_STATE: BLOCKED')).id,
    )
    await lab.worktrees.putAway(placeOf(putAway))
    perform(lab.deps, discarded.id, { act: 'discard' }, { caller: anOwner, shown: null })
    await lab.settled(discarded.id)
    for (const task of [discarded, nothing]) rmSync(mirrorOf(task), { recursive: true, force: true })
    expect(await night()).toMatchObject({ tasks: 2, notes: [] })
    expect((await night()).incomplete).toBeUndefined()
    expect(readdirSync(folder)).toHaveLength(1)
  })

  it('are not taken for none where the mirrors cannot be read', async () => {
    const { id } = await worked(aRepository())
    await night()
    const mirrors = join(dataOf(lab), 'mirrors')
    rmSync(mirrors, { recursive: true })
    symlinkSync('mirrors', mirrors)
    await expect(night()).rejects.toThrow(/cannot be made \(ELOOP.*, and nothing of it is left/)
    expect([readdirSync(folder).length, lab.task(id).status]).toEqual([1, 'APPLIED'])
  })
})
