import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Agent, agentErrors, agentHome, type AgentErrorKind } from '../../../src/domain/agent.ts'
import { readMarker } from '../../../src/domain/markers.ts'
import type { Task } from '../../../src/domain/task.ts'
import { lossCap } from '../../../src/domain/transition/table.ts'
import { type LoopLab, loopLab } from '../../support/loop-lab.ts'
import { aRepository, git } from '../../support/repository.ts'

let lab: LoopLab
/** Outside of every worktree: what the agents were called with, and what each attempt is to come to. */
let outside: string

/**
 * An agent with a model, a conversation and errors: its program writes down how it was called, leaves `work.txt`, and does
 * what the next line of `plan` says: the kind of an error, or a state; with a `!` it breaks the policy as well. Its
 * conversation is a file that grows.
 */
const standIn = (name: string): Agent => ({
  name,
  upstream: 'anthropic',
  call: (_, session) => ({
    argv: ['/bin/sh', '-c', program, name, outside, session ?? 'none'],
    env: { OWN: agentHome },
    files: { 'settings.json': '{}' },
  }),
  keeps: (path) => path === 'talk.txt',
  reading: () => {
    let error: AgentErrorKind | undefined
    return {
      line(line) {
        error = agentErrors.find((kind) => line === `ERROR ${kind}`) ?? error
        return [{ kind: 'said', text: line }]
      },
      end: (box, prompt) => ({
        marker: error === undefined ? readMarker(box.output, prompt) : { state: 'NONE' },
        text: '',
        exitCode: box.exitCode,
        session: error === undefined ? `talk-of-${name}` : null,
        usage: null,
        failure: error === undefined ? null : `It met ${error}.`,
        ...(error === undefined ? {} : { error }),
      }),
    }
  },
})
const program = `
echo "$0 $2" >>"$1/calls"
next=$(head -n 1 "$1/plan"); sed -i 1d "$1/plan"
echo "$0" >>work.txt
echo said >>"$OWN/talk.txt"
case $next in *!) mkdir -p sub; echo A=1 >sub/.env; next=$(printf %s "$next" | tr -d !) ;; esac
case $next in DONE|CONTINUE) echo "TASK_STATE: $next" ;; *) echo "ERROR $next"; exit 1 ;; esac
`

beforeEach(async () => {
  outside = mkdtempSync(join(tmpdir(), 'cofferdam-agents-'))
  lab = await loopLab()
  lab.agents.set('a', standIn('a')).set('b', standIn('b'))
})
afterEach(async () => {
  await lab[Symbol.asyncDispose]()
  rmSync(outside, { recursive: true })
})

async function ran(plan: readonly string[], fallback: readonly string[] = []): Promise<Task> {
  writeFileSync(join(outside, 'plan'), plan.map((line) => `${line}\n`).join(''))
  return await born(fallback)
}
async function born(fallback: readonly string[]): Promise<Task> {
  const agent = { name: 'a', argv: [], fallback }
  const { id } = await lab.birth(aRepository({ 'a.txt': 'a\n' }), '', { agent })
  return await lab.settled(id)
}
const calls = (): readonly string[] => readFileSync(join(outside, 'calls'), 'utf8').trimEnd().split('\n')
const kept = (task: Task): string => git(task.repository.path, 'show', `${task.branch}:work.txt`)

describe('an attempt of an agent that failed', () => {
  it.each(['rate_limit', 'overload'])(
    'for %s is made again after a pause, charges no step, keeps nothing',
    async (kind) => {
      const task = await ran([kind, 'DONE'])
      expect([task.status, task.spent.steps, task.attempt, kept(task)]).toEqual(['APPLIED', 1, 2, 'a\n'])
      expect(lab.pauses).toContain(15_000)
    },
  )

  it('for a provider that stays away is given up after a bounded number, with the work of before', async () => {
    const task = await ran(['CONTINUE', ...Array.from({ length: 9 }, () => 'overload')])
    expect([task.status, task.halt?.reason, task.spent.steps]).toEqual(['FAILED', 'agent', 1])
    expect(task.halt?.text).toMatch(
      /^Gave up after 5 lost attempts in a row: resume when it works again\. .* It met overload\.$/,
    )
    expect(calls()).toHaveLength(1 + lossCap)
    expect(lab.pauses.filter((ms) => ms > 10_000)).toEqual([15_000, 60_000, 240_000, 900_000])
  })

  it('gives its place to others while it waits for its provider, and has the next that is free', async () => {
    let over = (): void => undefined
    const paused = new Promise<void>((resolve) => {
      over = resolve
    })
    const { sleep } = lab.deps
    Object.assign(lab.deps, {
      sleep: async (ms: number, signal: AbortSignal) => {
        if (ms > 10_000) await Promise.race([paused, once(signal, 'abort')])
        await sleep(ms, signal)
      },
    })
    await lab.reopen()
    writeFileSync(join(outside, 'plan'), 'overload\noverload\noverload\nDONE\nDONE\nDONE\n')
    const agent = { name: 'a', argv: [] }
    // More than there are places.
    const waiting = await Promise.all(
      [1, 2, 3].map(() => lab.birth(aRepository({ 'a.txt': 'a\n' }), '', { agent })),
    )
    const other = await lab.birth(aRepository({ 'a.txt': 'a\n' }), 'echo b >a.txt')
    expect((await lab.settled(other.id)).status).toBe('APPLIED')
    over()
    for (const { id } of waiting) expect((await lab.settled(id)).status).toBe('APPLIED')
  })

  it('is taken over by the next agent, in a conversation of its own, which then stays', async () => {
    const task = await ran(['CONTINUE', 'overload', 'overload', 'CONTINUE', 'DONE'], ['b'])
    expect([task.status, task.spent.steps]).toEqual(['APPLIED', 3])
    expect(calls()).toEqual(['a none', 'a talk-of-a', 'a talk-of-a', 'b none', 'b talk-of-b'])
    expect(lab.events(task.id).map(({ text }) => text)).toContainEqual('It met overload. b takes over.')
  })

  it('for its key is taken over at once', async () => {
    const task = await ran(['auth', 'DONE'], ['b'])
    expect([task.status, kept(task)]).toEqual(['APPLIED', 'b\n'])
    expect(lab.pauses.filter((ms) => ms > 10_000)).toEqual([])
  })

  it.each(['rate_limit', 'overload', 'auth'])(
    'for %s, in which it broke the policy, is told as that, charged, and ends the task the second time',
    async (kind) => {
      const once = await ran([`${kind}!`, 'DONE'])
      expect([once.status, once.violations, once.spent.steps, kept(once)]).toEqual(['APPLIED', 1, 2, 'a\n'])
      const told = lab.events(once.id).find(({ type }) => type === 'violated')
      expect(told?.text).toContain('sub/.env')
      expect(lab.deps.store.checkpoints(once.id, 1)[0]?.violations).toHaveLength(1)

      const twice = await ran([`${kind}!`, `${kind}!`])
      expect([twice.status, twice.halt?.reason]).toEqual(['FAILED', 'policy'])
      expect(twice.halt?.text).toContain('sub/.env')
    },
  )

  it('for its key waits for a person where nobody takes over, and goes on with a resume', async () => {
    const task = await ran(['auth', 'auth', 'DONE'], ['b'])
    expect([task.status, task.halt?.reason, task.spent.steps, task.halt?.text]).toEqual([
      'BLOCKED',
      'agent',
      0,
      'It met auth.',
    ])
    lab.deps.tasks.act(
      task.id,
      { type: 'resumed', instruction: null, budget: null },
      { kind: 'local', id: 'me' },
    )
    const done = await lab.settled(task.id)
    expect([done.status, calls()[2]]).toEqual(['APPLIED', 'a none'])
  })

  it.each(['context', 'session'])('for %s begins a new conversation', async (kind) => {
    const task = await ran(['CONTINUE', kind, 'DONE'])
    expect([task.status, task.spent.steps]).toEqual(['APPLIED', 2])
    expect(calls()).toEqual(['a none', 'a talk-of-a', 'a none'])
  })

  it('for a context that a new conversation filled too is a step that failed, with its work', async () => {
    const task = await ran(['CONTINUE', 'context', 'context', 'DONE'])
    expect([task.status, task.spent.steps]).toEqual(['APPLIED', 3])
    expect(calls()).toEqual(['a none', 'a talk-of-a', 'a none', 'a none'])
  })

  it.each(['context', 'session', 'turns', 'crash'])(
    'for %s, where there was no conversation, is a step that failed, and is told to the next',
    async (kind) => {
      const task = await ran([kind, 'DONE'])
      expect([task.status, task.spent.steps, kept(task)]).toEqual(['APPLIED', 2, 'a\na\n'])
      expect(lab.events(task.id).map(({ text }) => text)).toContainEqual(`The agent failed: It met ${kind}.`)
    },
  )
})
