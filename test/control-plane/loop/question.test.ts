import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { verifyAttestations } from '../../../control-plane/attest/verify.ts'
import { perform } from '../../../control-plane/gate/act.ts'
import { placeOf } from '../../../control-plane/loop/work.ts'
import { type Agent, agentHome } from '../../../src/domain/agent.ts'
import { readMarker } from '../../../src/domain/markers.ts'
import { KnownSecrets } from '../../../src/domain/leak.ts'
import { policyHash } from '../../../src/domain/policies.ts'
import type { Task } from '../../../src/domain/task.ts'
import { type LoopLab, loopLab } from '../../support/loop-lab.ts'
import { aRepository, git } from '../../support/repository.ts'
import { aBudget, anOwner, aPolicy } from '../../support/task.ts'

let lab: LoopLab
let repo: string
let outside: string
beforeEach(async () => {
  outside = mkdtempSync(join(tmpdir(), 'cofferdam-question-'))
  repo = aRepository({ 'a.txt': 'the letter a\n', '.env': 'KEY=1\n' })
  lab = await loopLab()
})
afterEach(async () => {
  await lab[Symbol.asyncDispose]()
  rmSync(outside, { recursive: true })
})

const policy = aPolicy()
const own = {
  kind: 'question',
  budget: aBudget({ steps: 1 }),
  policy,
  policyHash: policyHash(policy),
} as const

async function asked(script: string, more: Partial<Task> = {}): Promise<Task> {
  const { id } = await lab.birth(repo, script, {
    ...own,
    goal: 'What is in a.txt?',
    request: 'What is in a.txt?',
    ...more,
  })
  return await lab.settled(id)
}
const types = ({ id }: Task): readonly string[] => lab.events(id).map(({ type }) => type)
const branches = (): string => git(repo, 'branch', '--list', 'cofferdam*')
async function holds({ id }: Task): Promise<readonly string[]> {
  const { store } = lab.deps
  const deps = { store, worktrees: lab.worktrees, key: () => lab.key, installation: 'lab' }
  const { findings, notes } = await verifyAttestations(deps, id, [], placeOf)
  return [...findings.map(({ where, text }) => `${where}: ${text}`), ...notes]
}
describe('a question', () => {
  it('is answered by what the agent prints, tests nothing, leaves no branch, and its record holds', async () => {
    const task = await asked(`cat a.txt; test -e .env || echo hidden; echo TASK_STATE: DONE`, { test: null })
    expect([task.status, task.answer, task.phase, task.spent.steps]).toEqual([
      'APPLIED',
      'the letter a\nhidden',
      null,
      1,
    ])
    expect(types(task)).toEqual(['submitted', 'claimed', 'advanced', 'begun', 'agent_finished', 'answered'])
    expect(branches()).toBe('')
    const [row] = lab.deps.store.checkpoints(task.id)
    expect(row).toMatchObject({ state: 'kept', candidate: null, test: null, commit: null })
    expect(row?.box?.mounts.filter(({ readonly }) => !readonly)).toEqual([])
    expect(await holds(task)).toEqual([])
  })

  it('has a prompt of its own on standard input, and its answer is found', async () => {
    const task = await asked('cat')
    expect(task.answer).toContain('## Question\n\nWhat is in a.txt?')
    expect(task.answer).toContain('Your final message is the answer')
  })

  it('leaves the tree as it was, whatever its agent writes there', async () => {
    const task = await asked('echo b >a.txt; echo c >c.txt; git commit -qam mine; echo done')
    expect([task.status, task.answer]).toEqual(['APPLIED', expect.stringMatching(/done$/)])
    expect(readFileSync(join(dirname(lab.database), 'tasks', task.id, 'a.txt'), 'utf8')).toBe(
      'the letter a\n',
    )
    expect(await holds(task)).toEqual([])
  })

  it.each([
    ['changed', 'a.txt'],
    ['made', 'new/b.txt'],
    ['denied', '.env'],
  ])('is refused where a path of the tree was %s nonetheless, which is undone', async (_, path) => {
    lab.faults.worktrees = (method, [place]) => {
      if (method !== 'verify') return
      const worktree = join(dirname(lab.database), 'tasks', (place as Task).id)
      const file = join(worktree, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, 'changed\n')
    }
    const task = await asked('echo So.')
    expect([task.status, task.halt?.reason, task.answer]).toEqual(['FAILED', 'policy', null])
    expect(task.halt?.text).toMatch(/^The agent got past a read-only mount and changed /)
    expect(git(repo, 'status', '--porcelain')).toBe('')
    lab.faults.worktrees = () => undefined
    await lab.until(task.id, ({ phase }) => phase === null)
    expect(readFileSync(join(dirname(lab.database), 'tasks', task.id, 'a.txt'), 'utf8')).toBe(
      'the letter a\n',
    )
    expect(await holds(task)).toEqual([])
  })

  it('fails with what went wrong, and a resume asks once more', async () => {
    const task = await asked(`if [ -e ${outside}/mended ]; then echo Now.; else echo oh no; exit 3; fi`)
    expect([task.status, task.halt?.reason, task.answer]).toEqual(['FAILED', 'agent', null])
    expect(task.halt?.text).toMatch(
      /ended with exit code 3\.[^]*oh no[^]*Resume it to have the question asked once more/,
    )
    expect(await holds(task)).toEqual([])
    writeFileSync(join(outside, 'mended'), '')
    perform(
      lab.deps,
      task.id,
      { act: 'resume', instruction: null, budget: null },
      { caller: anOwner, shown: null },
    )
    const again = await lab.settled(task.id)
    expect([again.status, again.answer, again.budget.steps, again.spent.steps]).toEqual([
      'APPLIED',
      'Now.',
      2,
      2,
    ])
    expect(await holds(again)).toEqual([])
  })

  it('is tried again by itself where it has steps for that, and told why', async () => {
    const script = `if grep -q 'It broke' /dev/stdin; then echo So.; else echo It broke; exit 1; fi`
    const task = await asked(script, { budget: aBudget({ steps: 2 }) })
    expect([task.status, task.answer, task.spent.steps]).toEqual(['APPLIED', 'So.', 2])
    expect(await holds(task)).toEqual([])
  })

  it('B13 waits for a person where the agent is blocked, and goes on with their word', async () => {
    const script = `if grep -q 'the second' /dev/stdin; then echo Two.; else echo BLOCK_REASON: Which?; echo TASK_STATE: BLOCKED; fi`
    const task = await asked(script)
    expect([task.status, task.halt?.text]).toEqual(['BLOCKED', expect.stringContaining('"Which?"')])
    const resume = { act: 'resume', instruction: 'the second', budget: null } as const
    perform(lab.deps, task.id, resume, { caller: anOwner, shown: null })
    expect(await lab.settled(task.id)).toMatchObject({ status: 'APPLIED', answer: 'Two.' })
  })

  it('B09 stopped while it is answered leaves nothing, and a resume asks it anew', async () => {
    const { id } = await lab.birth(repo, `[ -e ${outside}/go ] || sleep 60; echo So.`, own)
    await lab.until(id, ({ phase, step }) => phase === 'agent' && step === 1)
    perform(lab.deps, id, { act: 'stop', text: null }, { caller: anOwner, shown: null })
    const stopped = await lab.settled(id)
    expect([stopped.status, stopped.phase, stopped.head, stopped.answer]).toEqual([
      'STOPPED',
      null,
      stopped.base.commit,
      null,
    ])
    expect(lab.deps.store.checkpoints(id).map(({ state }) => state)).toEqual(['dropped'])
    expect(await holds(stopped)).toEqual([])
    writeFileSync(join(outside, 'go'), '')
    perform(
      lab.deps,
      id,
      { act: 'resume', instruction: null, budget: null },
      { caller: anOwner, shown: null },
    )
    expect(await lab.settled(id)).toMatchObject({ status: 'APPLIED', answer: 'So.' })
  })

  it('B08 a process that ends while it is answered leaves it to the next, which takes the box over', async () => {
    const { id } = await lab.birth(repo, `until [ -e ${outside}/go ]; do sleep 0.05; done; echo So.`, own)
    await lab.until(id, ({ phase, step }) => phase === 'agent' && step === 1)
    await lab.close()
    writeFileSync(join(outside, 'go'), '')
    await lab.reopen()
    const task = await lab.settled(id)
    expect([task.status, task.answer, task.spent.steps]).toEqual(['APPLIED', 'So.', 1])
    expect(await holds(task)).toEqual([])
  })

  it('B28 has no known secret in its answer, however it was printed', async () => {
    const value = 'hunter2-hunter2-hunter2'
    lab.secrets = new KnownSecrets([{ name: 'key', value }])
    await lab.reopen()
    const backwards = (text: string): string => text.split('').toReversed().join('')
    const mirroring: Agent = {
      ...talker,
      call: () => ({ argv: ['printf', '%s', backwards(`It is ${value}.`)], env: {}, files: {} }),
      reading: () => {
        const own = talker.reading()
        return { ...own, end: (box, said) => ({ ...own.end(box, said), text: backwards(box.output) }) }
      },
    }
    lab.agents.set('talker', mirroring)
    const task = await asked('', { agent: { name: 'talker', argv: [] } })
    expect(task.answer).toBe('It is [redacted:key].')
    const plainly = await asked(`echo ${value}`)
    expect(plainly.answer).toBe('[redacted:key]')
  })
})

describe('a question that follows another up', () => {
  it('is told what was asked and answered before, where its agent has no conversation', async () => {
    const first = await asked('echo The letter a.')
    const second = await asked('cat', { goal: 'Why?', request: 'Why?', parentTaskId: first.id })
    expect(second.answer).toContain('| Question: What is in a.txt?\n| Answer: The letter a.\n')
    expect(second.answer).toContain('## Question\n\nWhy?')
  })

  it('goes on with the conversation where it is kept, and is told nothing twice', async () => {
    lab.agents.set('talker', talker)
    const agent = { name: 'talker', argv: [] }
    const first = await asked('', { agent })
    expect(first.answer).toBe('none: 0 said before, told of 0')
    const second = await asked('', { agent, parentTaskId: first.id })
    expect(second.answer).toBe('talk: 1 said before, told of 0')
    const third = await asked('', { agent, parentTaskId: second.id })
    expect(third.answer).toBe('talk: 2 said before, told of 0')
    const other = await asked('', { agent, parentTaskId: first.id })
    expect(other.answer).toBe('talk: 1 said before, told of 0')
  })

  it('begins a new one, and is told of the old, where that is gone, another agent’s, or too long', async () => {
    lab.agents.set('talker', talker).set('other', { ...talker, name: 'other' })
    const agent = { name: 'talker', argv: [] }
    const first = await asked('', { agent })
    const elsewhere = await asked('', { agent: { name: 'other', argv: [] }, parentTaskId: first.id })
    expect(elsewhere.answer).toBe('none: 0 said before, told of 1')
    writeFileSync(join(outside, 'too-long'), '')
    const long = await asked('', { agent, parentTaskId: first.id })
    expect(long.answer).toBe('none: 0 said before, told of 1')
    expect(types(long)).toContain('lost')
    await lab.worktrees.putAway(placeOf(first))
    const gone = await asked('', { agent, parentTaskId: first.id })
    expect(gone.answer).toBe('none: 0 said before, told of 1')
  })
})

/** An agent with a conversation: a file that grows. It finds that too long where a test says so. */
const talker: Agent = {
  name: 'talker',
  upstream: 'anthropic',
  call: (_, session) => ({
    argv: ['/bin/sh', '-c', program, session ?? 'none', outside],
    env: { OWN: agentHome },
    files: {},
  }),
  keeps: (path) => path === 'talk.txt',
  reading: () => ({
    line: (line) => [{ kind: 'said', text: line }],
    end: (box, said) => {
      const failed = box.exitCode !== 0
      return {
        marker: readMarker(box.output, said),
        text: box.output,
        exitCode: box.exitCode,
        session: failed ? null : 'talk',
        usage: null,
        failure: failed ? 'It is too long.' : null,
        ...(failed ? { error: 'context' } : {}),
      }
    },
  }),
}
const program = `
told=$(grep -c '^| Question: ' /dev/stdin)
if [ "$0" != none ] && [ -e "$1/too-long" ]; then exit 1; fi
said=$(cat "$OWN/talk.txt" 2>/dev/null | wc -l)
echo said >>"$OWN/talk.txt"
echo "$0: $said said before, told of $told"`
