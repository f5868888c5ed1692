import { expect, it } from 'vitest'
import { refuseSpent } from '../../control-plane/gate/refusals.ts'
import { handlers } from '../../src/discord/commands/handlers.ts'
import { newsMessage } from '../../src/discord/messages/news.ts'
import { statusMessage } from '../../src/discord/messages/status.ts'
import { respelled } from '../../src/discord/respelled.ts'
import { transition } from '../../src/domain/transition/apply.ts'
import { aBudget, anOwner, aSpent, aTask, aTaskId as id, aPerson } from '../support/task.ts'

it.each([
  ['`cofferdam task list` shows those there are.', '`/task_list` shows those there are.'],
  ['`cofferdam task show x` or `cofferdam task diff x`', '`/task_status task:x` or `/task_changes task:x`'],
  ['`cofferdam task suggest x TEXT`', '`/task_suggest task:x text:TEXT`'],
  [
    '`cofferdam task resume x --instruction TEXT --steps 9`',
    '`/task_resume task:x instruction:TEXT steps:9`',
  ],
  ['`cofferdam ask --follow-up x QUESTION`', '`/ask follow_up:x question:QUESTION`'],
  ['`cofferdam task list --status FAILED`', '`cofferdam task list --status FAILED`'],
  ['`cofferdam task logs x y`', '`cofferdam task logs x y`'],
  ['`cofferdam task logs --step`', '`cofferdam task logs --step`'],
  ['`cofferdam task pull-ended x --merged`', '`/task_pull_ended task:x as:merged`'],
  ['`cofferdam task pull-ended x`', '`cofferdam task pull-ended x`'],
  ['`cofferdam task review x --withdraw N`', '`/task_withdraw task:x review:N`'],
  ['`cofferdam image build`', '`cofferdam image build`'],
  ['cofferdam task list, `git log`', 'cofferdam task list, `git log`'],
])('%s', (text, spelt) => {
  expect(respelled(text)).toBe(spelt)
})

it('what the control plane refuses names what can be typed here', () => {
  const answered = aTask({ kind: 'question', status: 'APPLIED', answer: 'So.' })
  const resumed = transition(answered, { type: 'resumed', instruction: null, budget: null }, 0)
  expect(resumed.kind === 'refused' ? respelled(resumed.text) : '').toContain(
    `\`/ask follow_up:${id} question:`,
  )
  const spent = aTask({ status: 'TIMEOUT', spent: aSpent({ steps: 8 }) })
  expect(() => refuseSpent(spent, aBudget(), null)).toThrow(/cofferdam task resume/)
  try {
    refuseSpent(spent, aBudget(), null)
  } catch (error) {
    expect(respelled(String(error))).toContain(`\`/task_resume task:${id} steps:12\``)
  }
})

it('also where it is told of, or asked for', async () => {
  const text = 'Look: `cofferdam task logs x`.'
  const task = aTask({ status: 'FAILED', halt: { reason: 'agent', text } })
  const news = { seq: 1, revision: 1, type: 'halted', status: 'FAILED', text, actor: aPerson } as const
  const reporting = { people: { users: [], roles: [] }, diff: '', mark: '', attaches: true, replies: true }
  const plane = {
    repositories: () => [{ path: '/shop', configured: true, agent: null }],
    agents: () => [],
    submit: () => Promise.resolve({ task, notes: [text] }),
    ask: () => Promise.resolve({ task, notes: [text] }),
    doctor: () => Promise.resolve([{ name: 'disk', state: 'problem', text }]),
  }
  const deps = { plane: () => plane, settings: {}, book: { find: () => null } }
  const typed = {
    text: (name: string) => (name === 'goal' || name === 'question' ? 'Do.' : null),
    number: () => null,
    yes: () => null,
  }
  const said = async (command: string): Promise<string> =>
    (await handlers[command]?.(deps as never, { caller: anOwner, typed, key: 'k' }))?.text ?? ''
  const all = [
    newsMessage(task, news, [], reporting).embeds?.[0]?.description,
    statusMessage(task, []).embeds?.[0]?.description,
    ...(await Promise.all(['task_start', 'ask', 'doctor'].map(said))),
  ]
  for (const each of all) expect(each).toContain('Look: \\`/task\\_logs task:x\\`.')
})

it('what a person said is told as they said it', () => {
  const news = {
    seq: 1,
    revision: 1,
    type: 'steered',
    status: 'RUNNING',
    text: 'Run `cofferdam task list`.',
    actor: aPerson,
  } as const
  const reporting = { people: { users: [], roles: [] }, diff: '', mark: '', attaches: true, replies: true }
  const told = newsMessage(aTask({ status: 'RUNNING' }), news, [], reporting).embeds?.[0]?.description
  expect(told).toContain('Run \\`cofferdam task list\\`.')
})

it('the answer of a question comes with its status, which is said to have it', async () => {
  const task = aTask({ kind: 'question', status: 'APPLIED', answer: 'So **it** is.' })
  const deps = { plane: () => ({ task: () => task, checkpoints: () => [] }), settings: { listen: [] } }
  const typed = { text: () => id, number: () => null, yes: () => null }
  const reply = await handlers['task_status']?.(deps as never, { caller: anOwner, typed, key: 'k' })
  expect(reply?.files).toEqual([{ name: `${id}.md`, text: 'So **it** is.' }])
})
