import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CommitId } from '../../../src/domain/brand.ts'
import type { Input, StepVerdict } from '../../../src/domain/input.ts'
import { phases, type Task } from '../../../src/domain/task.ts'
import type { Violation } from '../../../src/domain/policy.ts'
import { transition } from '../../../src/domain/transition/apply.ts'
import { table } from '../../../src/domain/transition/table.ts'
import { aTask, aTime } from '../../support/task.ts'

const text = fc.string({ maxLength: 20 })
const commit = fc.constantFrom('a', 'b', 'c').map((letter) => letter.repeat(40) as CommitId)
const verdict = fc.oneof(
  fc.constantFrom<StepVerdict>(
    { kind: 'apply', outcome: 'tested' },
    { kind: 'no_change' },
    { kind: 'stuck' },
    { kind: 'steps' },
    { kind: 'next' },
    { kind: 'setup_changed', text: 'why' },
  ),
  text.map((reason): StepVerdict => ({ kind: 'agent_blocked', text: reason })),
)
const violation = fc
  .constantFrom<Violation['what']>('created', 'changed', 'mask')
  .map((what): Violation => ({ path: 'x', rule: 'x', kind: 'deny', what, found: 'file' }))
const input: fc.Arbitrary<Input> = fc.oneof(
  fc.constantFrom<Input>(
    { type: 'approved' },
    { type: 'rejected', text: null },
    { type: 'stopped', text: null },
    { type: 'paused' },
    { type: 'discarded' },
    { type: 'put_away', text: '' },
    { type: 'claimed', leaseUntil: 1 },
    { type: 'candidate_made', text: '' },
    { type: 'handed_over' },
    { type: 'budget_spent', reason: 'time' },
    { type: 'lost', text: '' },
    { type: 'requeued', text: '', crashed: true },
  ),
  fc.record({ type: fc.constant('suggested' as const), text, risks: fc.constant([]) }),
  fc.record({ type: fc.constant('steered' as const), text }),
  fc.record({
    type: fc.constant('resumed' as const),
    instruction: fc.option(text),
    budget: fc.option(
      fc.record({
        steps: fc.integer({ min: 8, max: 40 }),
        seconds: fc.constant(3600),
        tokens: fc.option(fc.constant(1000)),
        costUsd: fc.option(fc.constant(1.5)),
      }),
    ),
  }),
  fc.record({ type: fc.constant('advanced' as const), phase: fc.constantFrom(...phases), text }),
  fc.record({
    type: fc.constant('begun' as const),
    step: fc.nat(9),
    attempt: fc.nat(9),
    text,
    consumed: fc.option(text),
  }),
  fc.record({ type: fc.constant('agent_finished' as const), text }),
  fc.record({
    type: fc.constant('violated' as const),
    violations: fc.array(violation, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ type: fc.constant('tested' as const), text, priorFailure: fc.option(text) }),
  fc.record({
    type: fc.constant('checkpointed' as const),
    verdict,
    head: commit,
    progress: fc.constant({ signature: '', repeats: 1 }),
    marks: fc.constant([]),
  }),
  fc.record({
    type: fc.constant('answered' as const),
    verdict: fc.oneof(
      fc.record({ kind: fc.constant('answer' as const), answer: text }),
      fc.record({ kind: fc.constantFrom('agent_blocked', 'no_answer', 'again'), text }),
    ),
  }),
  fc.record({ type: fc.constant('salvaged' as const), head: commit, text }),
  fc.record({ type: fc.constant('halted' as const), reason: fc.constant('disk' as const), text }),
  fc.record({ type: fc.constant('failed' as const), reason: fc.constant('worktree' as const), text }),
)

/** Every task that a history of inputs passes through, with the input that led to it. */
function* history(
  inputs: readonly Input[],
  birth: Task['status'],
): Generator<{ before: Task; after: Task; input: Input }> {
  let task = aTask({ status: birth })
  let now = aTime
  for (const next of inputs) {
    now += 1
    const changed = transition(task, next, now)
    if (changed.kind === 'refused') continue
    yield { before: task, after: changed.task, input: next }
    task = changed.task
  }
}

const anyHistory = fc.tuple(
  fc.array(input, { maxLength: 60 }),
  fc.constantFrom<Task['status']>('DRAFT', 'PENDING'),
)
const everyStep = (check: (step: { before: Task; after: Task; input: Input }) => void): void => {
  fc.assert(
    fc.property(anyHistory, ([inputs, birth]) => {
      for (const step of history(inputs, birth)) check(step)
    }),
    { numRuns: 2000 },
  )
}

describe('any history of a task', () => {
  it('takes only rows of the table', () => {
    everyStep(({ before, after, input: by }) => {
      const row = table.some(
        (candidate) =>
          candidate.on === by.type &&
          candidate.from.includes(before.status) &&
          (candidate.to === after.status || (candidate.to === 'same' && before.status === after.status)),
      )
      expect(row).toBe(true)
    })
  })

  it('counts every write, and never lowers fence, revision or what is spent', () => {
    everyStep(({ before, after }) => {
      expect(after.version).toBe(before.version + 1)
      expect(after.fence).toBeGreaterThanOrEqual(before.fence)
      expect(after.revision).toBeGreaterThanOrEqual(before.revision)
      expect(after.spent.steps).toBeGreaterThanOrEqual(before.spent.steps)
    })
  })

  it('never leaves APPLIED and REJECTED', () => {
    everyStep(({ before, after }) => {
      if (before.status === 'APPLIED' || before.status === 'REJECTED')
        expect(after.status).toBe(before.status)
    })
  })

  it('has a phase exactly while the loop has something to do, and a lease only while working', () => {
    everyStep(({ after }) => {
      const working = after.status === 'RUNNING' || after.status === 'VALIDATING'
      if (working) expect(after.phase).not.toBeNull()
      else expect([null, 'salvage', 'postponed']).toContain(after.phase)
      if (!working) expect(after.leaseUntil).toBeNull()
    })
  })

  it('says why it is halted, and only then', () => {
    everyStep(({ after }) => {
      const halted = ['BLOCKED', 'FAILED', 'TIMEOUT', 'STOPPED', 'REJECTED'].includes(after.status)
      expect(after.halt !== null).toBe(halted)
      if (
        after.halt !== null &&
        after.halt.reason !== 'agent' &&
        after.halt.reason !== 'disk' &&
        after.halt.reason !== 'worktree'
      ) {
        expect(after.halt.text).not.toBe('')
      }
    })
  })

  it('lets no person do anything with what is discarded', () => {
    everyStep(({ before, after, input: by }) => {
      if (before.delivery !== 'discarded') return
      expect(after.delivery).toBe('discarded')
      // What its boxes printed goes by age.
      expect(['salvaged', 'put_away']).toContain(by.type)
    })
  })

  it('has marks of what is validated, and of nothing that came after', () => {
    everyStep(({ after }) => expect(after.marks !== null).toBe(after.outcome !== null))
  })

  it('keeps the request as it was', () => {
    everyStep(({ before, after }) => expect(after.request).toBe(before.request))
  })
})
