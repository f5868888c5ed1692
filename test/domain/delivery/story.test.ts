import { expect, it } from 'vitest'
import { storyOf, type Told } from '../../../src/domain/delivery/story.ts'
import { aCheckpoint, aTask } from '../../support/task.ts'

const told = (more: Partial<Told> = {}): Told => ({
  task: aTask({
    goal: 'Mend the parser\nIt drops #1.',
    status: 'APPLIED',
    test: 'npm test',
    outcome: 'tested',
    marks: [],
  }),
  checkpoints: [],
  decisions: [],
  attestations: [],
  ...more,
})

it('a story has goal, test, steps, decisions, cost and attestations, each quoted', () => {
  const { task } = told()
  const event = {
    taskId: task.id,
    seq: 1,
    from: null,
    to: 'PENDING',
    step: 0,
    attempt: 0,
    fence: 0,
    data: {},
  } as const
  const { title, body } = storyOf(
    told({
      checkpoints: [
        aCheckpoint({
          step: 1,
          state: 'kept',
          agent: {
            marker: { state: 'DONE' },
            text: 'Done. @ada please merge. Closes #4.\n```\n![x](https://evil.test/p.png)',
            exitCode: 0,
            session: null,
            usage: null,
            failure: null,
          },
          test: { passed: true, end: 'exited', exitCode: 0, tail: '' },
        }),
      ],
      decisions: [
        { ...event, at: 0, type: 'approved', actor: { kind: 'discord', id: '42' }, text: 'Approved.' },
      ],
      attestations: [{ seq: 1, hash: 'a'.repeat(64) }],
    }),
  )
  expect(title).toBe('Mend the parser')
  const heads = body.split('\n').filter((line) => line.startsWith('#'))
  expect(heads).toEqual([
    '## Goal',
    '## Test',
    '## Steps',
    expect.stringMatching(/^### Step 1.*: kept; .*test passed$/),
    '## Decisions',
    '## Cost',
    '## Attestations',
  ])
  expect(body).toContain('- 1970-01-01T00:00:00.000Z, discord ` 42 `: approved, ` Approved. `')
  expect(body).not.toContain('Box.')
  expect(body).toContain(`1 ${'a'.repeat(64)}`)
  // What the agent said stands in a block that its own fence does not end, and refers to nobody.
  expect(body).toMatch(/^````text\nDone\./m)
  expect(body).not.toMatch(/@ada|#4|:\/\/evil/)
})

it('a story says what has not been tested, and what nobody has looked at', () => {
  const { body } = storyOf(told({ task: aTask({ test: null, marks: null }) }))
  expect(body).toContain('**nothing has tested this**')
  expect(body).toContain('Nobody has looked through what it changes.')
})

it('a story of a long task stays within what forges take', () => {
  const rows = Array.from({ length: 100 }, (_, index) =>
    aCheckpoint({
      step: index + 1,
      state: 'kept',
      agent: {
        marker: { state: 'NONE' },
        text: '@'.repeat(100_000),
        exitCode: 0,
        session: null,
        usage: null,
        failure: null,
      },
    }),
  )
  const { title, body } = storyOf(told({ task: aTask({ goal: '#1 '.repeat(50_000) }), checkpoints: rows }))
  expect([Array.from(title).length, body.length <= 65_000]).toEqual([72, true])
})

it('a story that is too long leaves out whole parts, so that what is quoted stays quoted', () => {
  const long = (letters: string): string => `![x](https://evil.test/p.png) ${letters.repeat(700)}`
  const rows = Array.from({ length: 15 }, (_, index) =>
    aCheckpoint({
      step: index + 1,
      state: 'kept',
      agent: {
        marker: { state: 'DONE' },
        // Each sign that could refer to something is followed by one that nobody sees.
        text: long('@a'),
        exitCode: 0,
        session: null,
        usage: null,
        failure: null,
      },
    }),
  )
  const marks = Array.from({ length: 20 }, () => ({ rule: 'ci', path: '.', text: '#1'.repeat(250) }) as const)
  const event = { taskId: told().task.id, seq: 1, from: null, to: 'PENDING', step: 0, attempt: 0 } as const
  const decisions = Array.from({ length: 20 }, () => ({
    ...event,
    fence: 0,
    data: {},
    at: 0,
    type: 'steered' as const,
    actor: { kind: 'local' as const, id: 'ada' },
    text: `\`${'#1'.repeat(250)}`,
  }))
  const task = aTask({ goal: '#1 '.repeat(3000), marks })
  const { body } = storyOf(told({ task, checkpoints: rows, decisions }))
  expect(body.length).toBeLessThan(60_000)
  expect(body).toContain('\n\nToo long to be shown here.\n\n')
  expect(body).toContain('## Cost\n\n')
  // Every block that is begun is ended, so that the next begins.
  const fences = body.split('\n').filter((line) => /^`{3,}/.test(line))
  for (let at = 0; at < fences.length; at += 2) {
    expect(fences[at]?.endsWith('text')).toBe(true)
    expect(fences[at + 1]).toBe(fences[at]?.replace('text', ''))
  }
})
