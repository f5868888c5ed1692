import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { boxesOf, goneAfter, running } from '../support/boxes.ts'
import { aRepository, git } from '../support/repository.ts'
import { openTestPlane, sh, type TestPlane } from '../support/plane.ts'

let plane: TestPlane
beforeAll(async () => {
  plane = await openTestPlane()
})
afterAll(() => plane.close())

describe('stop, pause and time', () => {
  it('B09 a stop between two processes takes the box away that the first one left', async () => {
    const task = await plane.submit({ repo: aRepository(), argv: sh('echo kept > kept.txt; sleep 60') })
    await running(task.id, 'agent')
    await plane.reopen('own')
    expect((await plane.client.task(task.id)).status).toBe('PENDING')
    expect(boxesOf(task.id)).toHaveLength(1)
    await plane.client.act(task.id, { act: 'stop', text: null })
    expect(await goneAfter(task.id, 10_000)).not.toBe(Infinity)
    expect((await plane.settled(task.id)).status).toBe('STOPPED')
    await plane.reopen()
  })

  // What is undone, and what is said of it, is in test/worktree/verify.test.ts, and deeper in A032.
  it('what is nested too deep to be read is undone, and said', { tags: ['long'] }, async () => {
    const dig = `import os
for n in range(900): os.mkdir("dddd"); os.chdir("dddd")`
    const repo = aRepository()
    const task = await plane.run({ repo, argv: sh(`python3 -c '${dig}'`) })
    expect([task.status, task.halt?.reason, task.phase]).toEqual(['BLOCKED', 'no_change', null])
    const events = await plane.client.events(task.id, 0)
    const made = events.find(({ type }) => type === 'candidate_made')
    expect(made?.text).toMatch(/Left out: dddd.*nested deeper than 3500 bytes of path/)
    expect(boxesOf(task.id)).toEqual([])
  })

  it('pause and resume go on with the same budget', async () => {
    const repo = aRepository()
    const agent = sh('[ -f half.txt ] && { echo done > whole.txt; exit 0; }; echo half > half.txt; sleep 60')
    const task = await plane.submit({ repo, argv: agent })
    await running(task.id, 'agent')
    await new Promise((resolve) => setTimeout(resolve, 500))
    await plane.client.act(task.id, { act: 'pause' })
    const paused = await plane.settled(task.id)
    expect([paused.status, paused.halt?.reason, paused.spent.steps]).toEqual(['BLOCKED', 'paused', 0])
    await plane.client.act(task.id, { act: 'resume', instruction: null, budget: null })
    const task2 = await plane.settled(task.id)
    expect(task2.status).toBe('APPLIED')
    expect(git(repo, 'ls-tree', '--name-only', task2.branch)).toContain('whole.txt')
  })

  it('the time budget ends a step in the middle, and what was done is kept', async () => {
    const repo = aRepository()
    const task = await plane.run({ repo, argv: sh('echo early > early.txt; sleep 60'), minutes: 0.05 })
    expect([task.status, task.halt?.reason]).toEqual(['TIMEOUT', 'time'])
    expect(task.spent.ms).toBeGreaterThanOrEqual(2500)
    expect(await plane.client.diff(task.id, null)).toContain('early.txt')
    expect(boxesOf(task.id)).toEqual([])
  })

  it('steering a running task reaches the next prompt', async () => {
    const repo = aRepository()
    const agent = sh(
      'cp /cofferdam/attempt/prompt.md "p$(ls p* 2>/dev/null | wc -l).txt"; grep -q "use tabs" /cofferdam/attempt/prompt.md && exit 0; sleep 2; echo TASK_STATE: CONTINUE',
    )
    const task = await plane.submit({ repo, argv: agent })
    await running(task.id, 'agent')
    await plane.client.act(task.id, { act: 'steer', text: 'use tabs' })
    const done = await plane.settled(task.id)
    expect([done.status, done.spent.steps]).toEqual(['APPLIED', 2])
    expect(git(repo, 'show', `${done.branch}:p0.txt`)).not.toContain('use tabs')
  })
})

describe('restarts', () => {
  it('B08 a restart while the agent runs takes the box over: same attempt, nothing lost, no step charged', async () => {
    const repo = aRepository()
    const task = await plane.submit({ repo, argv: sh('echo one > one.txt; sleep 4.5; echo two > two.txt') })
    await running(task.id, 'agent')
    const before = boxesOf(task.id)
    await plane.reopen()
    expect(boxesOf(task.id)).toEqual(before)
    const done = await plane.settled(task.id)
    expect([done.status, done.spent.steps, done.attempt]).toEqual(['APPLIED', 1, 1])
    expect(done.fence).toBe(2)
    expect(git(repo, 'ls-tree', '--name-only', done.branch)).toContain('two.txt')
    expect(done.spent.ms).toBeGreaterThanOrEqual(4000)
  })

  it('B08 a restart in VALIDATING at step 3 is PENDING, then step 3 attempt 2: no step twice, the time charged', async () => {
    const repo = aRepository()
    const agent = sh('date +%s%N >> stamps.txt; [ $(wc -l < stamps.txt) -ge 3 ] || echo TASK_STATE: CONTINUE')
    const test = '[ ! -f stamps.txt ] || [ $(wc -l < stamps.txt) -lt 3 ] || sleep 3'
    const task = await plane.submit({ repo, argv: agent, test })
    await plane.until(task.id, ({ step, phase }) => step === 3 && phase === 'test')
    await running(task.id, 'test')
    await plane.until(task.id, ({ spent, step }) => step === 3 && spent.ms > 1000)
    const before = await plane.client.task(task.id)
    expect([before.status, before.attempt, before.spent.steps]).toEqual(['VALIDATING', 1, 2])

    await plane.reopen('own')
    const waiting = await plane.client.task(task.id)
    expect([waiting.status, waiting.step, waiting.spent.steps]).toEqual(['PENDING', 3, 2])
    expect(waiting.spent.ms).toBeGreaterThanOrEqual(before.spent.ms)

    await plane.reopen()
    const done = await plane.settled(task.id)
    expect([done.status, done.spent.steps, done.step, done.attempt]).toEqual(['APPLIED', 3, 3, 2])
    // The whole of the second test comes on top of what was charged before the restart.
    expect(done.spent.ms).toBeGreaterThanOrEqual(waiting.spent.ms + 2900)
    const events = await plane.client.events(task.id, 0)
    const begun = events
      .filter(({ data }) => data['kind'] === 'agent')
      .map(({ step, attempt }) => [step, attempt])
    expect(begun).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
    ])
    expect(git(repo, 'show', `${done.branch}:stamps.txt`).trim().split('\n')).toHaveLength(3)
    expect(git(repo, 'rev-list', '--count', `main..${done.branch}`).trim()).toBe('3')
  })
})
