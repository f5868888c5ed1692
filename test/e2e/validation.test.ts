import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { boxesOf } from '../support/boxes.ts'
import { openTestPlane, sh, type TestPlane } from '../support/plane.ts'
import { aRepository, git } from '../support/repository.ts'

let plane: TestPlane
beforeAll(async () => {
  plane = await openTestPlane()
})
afterAll(() => plane.close())

/** In front of an agent's script: its prompt becomes `prompts/<n>.md` of the tree. */
const keepPrompt =
  'mkdir -p prompts; n=$(($(ls prompts | wc -l) + 1)); cp /cofferdam/attempt/prompt.md prompts/$n.md\n'

const promptsOf = (repo: string, branch: string): readonly string[] =>
  git(repo, 'ls-tree', '--name-only', branch, 'prompts/')
    .trim()
    .split('\n')
    .map((path) => git(repo, 'show', `${branch}:${path}`))

/** The processes of this machine by their ids, each with its command line; those of boxes are among them. */
const processes = (): ReadonlyMap<number, string> =>
  new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => {
        try {
          const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
          return [Number(pid), line.replaceAll('\0', ' ').trim()]
        } catch {
          return [Number(pid), ''] // It ended in the meantime.
        }
      }),
  )

describe('B16 a test that misbehaves', () => {
  it('B16 100 MB of output is capped and marked; files and processes of the test are gone', async () => {
    const repo = aRepository({ 'README.md': 'hello\n' })
    const test = `
      [ -f a.txt ] || exit 1
      echo junk > junk.txt; echo junk > README.md; setsid sleep 31416 > /dev/null 2>&1 & sleep 27183 & wait $!
      cat junk.txt README.md; echo THE-START; yes $(printf %01000d 0) | head -c 100000000; echo; echo THE-END; [ -f mended.txt ]`
    const agent = sh(`${keepPrompt} [ -f a.txt ] && echo x > mended.txt; echo x > a.txt`)
    const { id } = await plane.submit({ repo, argv: agent, test, limits: { outputMb: 2 } })
    // Each of the two tests waits until what it has left was seen here, as it would be later.
    const seen = new Set<number>()
    for (const tests of [1, 2])
      await plane.until(id, () => {
        const all = [...processes()]
        const waiting = all.find(([pid, line]) => line === 'sleep 27183' && !seen.has(pid))?.[0]
        if (waiting === undefined || !all.some(([, line]) => line === 'sleep 31416')) return false
        process.kill(waiting)
        return seen.add(waiting).size === tests
      })
    const task = await plane.settled(id)
    expect([task.status, task.spent.steps]).toEqual(['APPLIED', 2])

    expect(git(repo, 'diff', '--name-only', 'main', task.branch).trim().split('\n')).toEqual([
      'a.txt',
      'mended.txt',
      'prompts/1.md',
      'prompts/2.md',
    ])
    expect([...processes().values()]).not.toContain('sleep 31416')
    expect(boxesOf(task.id)).toEqual([])
    const tested = (await plane.client.events(task.id, 0)).filter(({ type }) => type === 'tested')
    expect(tested.map(({ data }) => [data['passed'], data['truncated']])).toEqual([
      [false, true],
      [true, true],
    ])

    const first = (await plane.client.checkpoints(task.id)).find((row) => row.step === 1)
    expect(first?.test).toMatchObject({ passed: false, end: 'exited', exitCode: 1 })
    expect(first?.test?.tail).toMatch(/^\[…\][^]*\nTHE-END\n$/)
    expect(first?.test?.tail.length).toBeLessThan(20_000)
    const log = await plane.client.logs(task.id, 1)
    expect(log).toMatch(/\njunk\njunk\nTHE-START\n[^]*\n\[\.\.\. the limit of output is reached/)
    expect(log.length).toBeLessThan(2.2 * 1024 * 1024)

    const second = promptsOf(repo, task.branch)[1]
    expect(second).toMatch(/^\| \[…\]/m)
    expect(second).toMatch(/^\| THE-END$/m)
  })

  it('B16 a test past its limit is a failed validation, with the output before the kill', async () => {
    const repo = aRepository()
    const test = '[ -f a.txt ] || exit 1; [ -f b.txt ] && exit 0; echo BEFORE-THE-KILL; sleep 60; echo AFTER'
    const agent = sh(`${keepPrompt} [ -f a.txt ] && echo x > b.txt; echo x > a.txt`)
    const task = await plane.run({ repo, argv: agent, test, limits: { testSeconds: 2 } })
    expect([task.status, task.spent.steps]).toEqual(['APPLIED', 2])
    const first = (await plane.client.checkpoints(task.id)).find((row) => row.step === 1)
    expect(first?.test).toEqual({ passed: false, end: 'time', exitCode: 124, tail: 'BEFORE-THE-KILL\n' })
    expect(await plane.client.logs(task.id, 1)).toContain('BEFORE-THE-KILL')
    const second = promptsOf(repo, task.branch)[1]
    expect(second).toMatch(/^\| BEFORE-THE-KILL$/m)
    expect(second).toContain('after its 2 s')
  })
})

describe('from one prompt to the next', () => {
  it('B17 the failure of step 1 is in the prompt of step 2 and no more in that of step 3', async () => {
    const repo = aRepository({
      'test.sh': '[ -f prompts/2.md ] && exit 0; [ -f prompts/1.md ] && echo FAILED-AFTER-ONE; exit 1',
    })
    const agent = sh(`${keepPrompt} [ $n -lt 3 ] && echo "TASK_STATE: CONTINUE" || echo "TASK_STATE: DONE"`)
    const task = await plane.run({ repo, argv: agent, test: 'sh test.sh' })
    expect([task.status, task.spent.steps]).toEqual(['APPLIED', 3])
    const told = promptsOf(repo, task.branch).map((prompt) => [
      prompt.includes('The last step failed'),
      prompt.includes('FAILED-AFTER-ONE'),
    ])
    expect(told).toEqual([
      [false, false],
      [true, true],
      [false, false],
    ])
  })

  it('B06 B13 the instruction of a resume is in the next prompt, once, and in no later one', async () => {
    const repo = aRepository()
    const agent = sh(`${keepPrompt}
      case $n in 1) echo "BLOCK_REASON: which word?"; echo "TASK_STATE: BLOCKED";;
      2) echo "TASK_STATE: CONTINUE";; *) echo "TASK_STATE: DONE";; esac`)
    const { id, status, halt } = await plane.run({ repo, argv: agent })
    const text =
      'The agent says it is blocked: "which word?" Resume it with an instruction if its command reads the prompt, else begin anew with another command.'
    expect([status, halt]).toEqual(['BLOCKED', { reason: 'agent', text }])
    await plane.client.act(id, { act: 'resume', instruction: 'the word is right', budget: null })
    const task = await plane.settled(id)
    expect(task.status).toBe('APPLIED')
    const times = promptsOf(repo, task.branch).map((prompt) => prompt.split('the word is right').length - 1)
    expect(times).toEqual([0, 1, 0])
  })
})

describe('B18 the steps are used up', () => {
  it('B18 a resume with more steps goes on from the last checkpoint, with nothing that came after it', async () => {
    const repo = aRepository()
    const agent = sh(
      'ls *.txt > seen.txt; echo step >> steps.txt; echo x > $(wc -l < steps.txt).txt; echo "TASK_STATE: DONE"',
    )
    const test = '[ -f 3.txt ]'
    const timeout = await plane.run({ repo, argv: agent, test, steps: 2 })
    expect([timeout.status, timeout.halt?.reason, timeout.spent.steps]).toEqual(['TIMEOUT', 'steps', 2])
    const kept = (await plane.client.checkpoints(timeout.id)).filter((row) => row.state === 'kept')
    expect(kept.map((row) => row.step)).toEqual([0, 1, 2])
    expect(kept.at(-1)?.commit).toBe(timeout.head)

    writeFileSync(join(plane.config.dataFolder, 'tasks', timeout.id, 'stray.txt'), 'no part of it\n')
    await plane.reopen()
    await expect(
      plane.client.act(timeout.id, { act: 'resume', instruction: null, budget: null }),
    ).rejects.toThrow(/--steps/)
    await plane.client.act(timeout.id, { act: 'resume', instruction: null, budget: { steps: 3 } })
    const task = await plane.settled(timeout.id)
    expect([task.status, task.spent.steps]).toEqual(['APPLIED', 3])
    expect(git(repo, 'show', `${task.branch}:seen.txt`).trim().split('\n')).toEqual([
      '1.txt',
      '2.txt',
      'seen.txt',
      'steps.txt',
    ])
    expect(git(repo, 'rev-parse', `${task.branch}^`).trim()).toBe(timeout.head)
    expect(git(repo, 'rev-list', '--count', `main..${task.branch}`).trim()).toBe('3')
  })
})
