import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aRepository, git } from '../support/repository.ts'
import { openTestPlane, sh, type TestPlane } from '../support/plane.ts'

let plane: TestPlane
beforeAll(async () => {
  plane = await openTestPlane()
})
afterAll(() => plane.close())

/** Two bugs behind one test script: each step's agent mends the one that it is told of. */
const twoBugs = {
  'a.txt': 'wrong\n',
  'b.txt': 'wrong\n',
  'test.sh':
    'grep -q right a.txt || { echo "a.txt is wrong"; exit 1; }\ngrep -q right b.txt || { echo "b.txt is wrong"; exit 1; }\n',
}

describe('a goal becomes an applied change', () => {
  it('mends a failing test in one step and leaves everything else alone', async () => {
    const repo = aRepository(twoBugs)
    const before = git(repo, 'status', '--porcelain=v2', '--branch')
    const task = await plane.run({
      repo,
      argv: sh('echo right > a.txt; echo right > b.txt'),
      test: 'sh test.sh',
    })
    expect([task.status, task.outcome, task.spent.steps]).toEqual(['APPLIED', 'tested', 1])
    expect(git(repo, 'show', `${task.branch}:a.txt`)).toBe('right\n')
    expect(git(repo, 'log', '-1', '--format=%B', task.branch)).toContain(`Cofferdam-Task: ${task.id}`)
    expect(git(repo, 'status', '--porcelain=v2', '--branch')).toBe(before)
    expect(readFileSync(join(repo, 'a.txt'), 'utf8')).toBe('wrong\n')
  })

  // What these walk is walked further in validation.test.ts.
  it(
    'B17 tests fail in step 1 and pass in step 2: the failure is in the second prompt, and only there',
    { tags: ['long'] },
    async () => {
      const repo = aRepository(twoBugs)
      const agent = sh(`
      n=$(ls prompts 2>/dev/null | wc -l); mkdir -p prompts; cp /cofferdam/attempt/prompt.md prompts/$((n+1)).md
      if grep -q "b.txt is wrong" /cofferdam/attempt/prompt.md; then echo right > b.txt; else echo right > a.txt; fi
      echo "TASK_STATE: DONE"`)
      const task = await plane.run({ repo, argv: agent, test: 'sh test.sh' })
      expect([task.status, task.spent.steps]).toEqual(['APPLIED', 2])
      const prompt = (n: number): string => git(repo, 'show', `${task.branch}:prompts/${n}.md`)
      expect(prompt(1)).toContain('a.txt is wrong')
      expect(prompt(1)).not.toContain('The last step failed')
      expect(prompt(2)).toContain('The last step failed')
      expect(prompt(2)).toContain('b.txt is wrong')
      expect(prompt(2)).toContain('2/8')
    },
  )

  it(
    'B18 DONE but tests fail goes on until the steps are used up, then a resume goes on from the last checkpoint',
    { tags: ['long'] },
    async () => {
      const repo = aRepository(twoBugs)
      const agent = sh(
        'date +%N >> tries.txt; [ $(wc -l < tries.txt) -ge 3 ] && { echo right > a.txt; echo right > b.txt; }; echo "TASK_STATE: DONE"',
      )
      const timeout = await plane.run({ repo, argv: agent, test: 'sh test.sh', steps: 2 })
      expect([timeout.status, timeout.halt?.reason, timeout.spent.steps]).toEqual(['TIMEOUT', 'steps', 2])
      await expect(
        plane.client.act(timeout.id, { act: 'resume', instruction: null, budget: null }),
      ).rejects.toThrow(/--steps/)
      await plane.client.act(timeout.id, { act: 'resume', instruction: null, budget: { steps: 4 } })
      const task = await plane.settled(timeout.id)
      expect([task.status, task.spent.steps]).toEqual(['APPLIED', 3])
      expect(git(repo, 'show', `${task.branch}:tries.txt`).trim().split('\n')).toHaveLength(3)
    },
  )

  it('stops when three steps bring nothing new', async () => {
    const repo = aRepository(twoBugs)
    const task = await plane.run({ repo, argv: sh('echo "TASK_STATE: CONTINUE"'), test: 'sh test.sh' })
    expect([task.status, task.halt?.reason, task.spent.steps]).toEqual(['BLOCKED', 'stuck', 3])
  })

  it('without a test the result is untested, and without a change it is BLOCKED no_change', async () => {
    const changed = await plane.run({ repo: aRepository(), argv: sh('echo x > new.txt') })
    expect([changed.status, changed.outcome]).toEqual(['APPLIED', 'untested'])
    const idle = await plane.run({ repo: aRepository(), argv: sh('true') })
    expect([idle.status, idle.halt?.reason]).toEqual(['BLOCKED', 'no_change'])
  })

  it('a failing agent is a failed step whose message reaches the next prompt', async () => {
    const repo = aRepository(twoBugs)
    const agent = sh(
      'grep -q "boom" /cofferdam/attempt/prompt.md && { echo right > a.txt; echo right > b.txt; exit 0; }; echo boom; exit 3',
    )
    const task = await plane.run({ repo, argv: agent, test: 'sh test.sh' })
    expect([task.status, task.spent.steps]).toEqual(['APPLIED', 2])
  })

  // A failed step like the one above; what 127 of its own is, is in test/contract/engine.ts.
  it(
    'an agent that ends with 127, because of a tool that is missing, is a failed step like any other',
    { tags: ['long'] },
    async () => {
      const agent = sh('grep -q "frobnicate: not found" && { echo x > new.txt; exit 0; }; frobnicate')
      const task = await plane.run({ repo: aRepository(), argv: agent })
      expect([task.status, task.spent.steps]).toEqual(['APPLIED', 2])
    },
  )

  it('an agent that cannot be started fails the task with a sentence', async () => {
    const task = await plane.run({ repo: aRepository(), argv: ['/no/such/program'] })
    expect([task.status, task.halt?.reason]).toEqual(['FAILED', 'agent'])
    expect(task.halt?.text).toContain('/no/such/program')
  })

  it('a test that cannot start on the base is BLOCKED setup, and no step is charged', async () => {
    const task = await plane.run({ repo: aRepository(), argv: sh('true'), test: 'no-such-test-runner --all' })
    expect([task.status, task.halt?.reason, task.spent.steps]).toEqual(['BLOCKED', 'setup', 0])
    expect(task.halt?.text).toContain('--setup')
  })

  it('setup leaves dependencies for agent and test, and nothing of it is committed', async () => {
    const repo = aRepository({ '.gitignore': 'deps/\n', 'a.txt': 'wrong\n' })
    const task = await plane.run({
      repo,
      argv: sh('cat deps/word > a.txt; echo scribble > deps/word'),
      setup: 'mkdir deps && echo right > deps/word && echo stray > stray.txt',
      test: 'grep -q right a.txt && grep -q right deps/word',
      yes: true,
    })
    expect([task.status, task.outcome]).toEqual(['APPLIED', 'tested'])
    expect(git(repo, 'ls-tree', '-r', '--name-only', task.branch).trim().split('\n')).toEqual([
      '.gitignore',
      'a.txt',
    ])
  })

  it('B20 the source moves on, is dirty and checks out another branch while a task runs', async () => {
    const repo = aRepository()
    const started = await plane.submit({ repo, argv: sh('sleep 2; echo x > new.txt') })
    await plane.until(started.id, (task) => task.phase === 'agent' && task.step === 1)
    git(repo, 'commit', '-q', '--allow-empty', '-m', 'Move on')
    git(repo, 'checkout', '-q', '-b', 'other')
    const dirty = join(repo, 'README.md')
    git(repo, 'config', 'user.name', 'Ada')
    writeFileSync(dirty, 'mine\n')
    git(repo, 'add', 'README.md')
    const before = [
      git(repo, 'status', '--porcelain=v2', '--branch'),
      git(repo, 'rev-parse', 'main'),
      readFileSync(join(repo, '.git/config'), 'utf8'),
    ]
    const task = await plane.settled(started.id)
    expect(task.status).toBe('APPLIED')
    expect([
      git(repo, 'status', '--porcelain=v2', '--branch'),
      git(repo, 'rev-parse', 'main'),
      readFileSync(join(repo, '.git/config'), 'utf8'),
    ]).toEqual(before)
    expect(git(repo, 'ls-tree', '--name-only', task.branch)).toContain('new.txt')
    expect(git(repo, 'show', `${task.branch}:README.md`)).toBe('hello\n')
  })
})
