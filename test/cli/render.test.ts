import picocolors from 'picocolors'
import { describe, expect, it } from 'vitest'
import { draftLines } from '../../src/cli/render/draft.ts'
import { findingLines } from '../../src/cli/render/findings.ts'
import type { Refusal } from '../../src/domain/delivery/refusal.ts'
import { nextCommands, type Spell } from '../../src/cli/render/next.ts'
import { OutputLines } from '../../src/cli/render/output-lines.ts'
import { eventLines } from '../../src/cli/render/progress.ts'
import { respelled } from '../../src/cli/render/respelled.ts'
import { statusLine } from '../../src/cli/render/status-line.ts'
import { nextLines, summaryLines } from '../../src/cli/render/summary.ts'
import { type Shown, taskLines, termsRows } from '../../src/cli/render/task.ts'
import { taskTable } from '../../src/cli/render/task-list.ts'
import { columns, duration, firstLine, hang, plain, wrapped } from '../../src/cli/render/text.ts'
import type { AgentResult } from '../../src/domain/agent.ts'
import { defaultPolicy, effectivePolicy } from '../../src/domain/policies.ts'
import { policyRequestSchema } from '../../src/domain/policy-request.ts'
import type { Budget, Spent, Task, TaskEvent } from '../../src/domain/task.ts'
import {
  aBudget,
  aCheckpoint,
  aCommitOf,
  aMerge,
  aPull,
  aPerson,
  aSpent,
  aTask,
  aTaskId,
  aTime,
} from '../support/task.ts'

const paint = picocolors.createColors(false)
const spell = (command: string): string => `cofferdam ${command}`
const nothingOf: Shown = { task: aTask(), checkpoints: [], attestations: [], events: [] }

function anEvent(overrides: Partial<TaskEvent>): TaskEvent {
  return {
    taskId: aTaskId,
    seq: 1,
    at: aTime,
    type: 'noted',
    actor: aPerson,
    from: 'RUNNING',
    to: 'RUNNING',
    step: 2,
    attempt: 1,
    fence: 1,
    text: 'Something happened.',
    data: {},
    ...overrides,
  }
}

describe('text that comes out of a box', () => {
  it.each([
    ['\u001b[31mred\u001b[0m', 'red'],
    ['\u001b]0;title\u0007text', 'text'],
    ['\u001b]8;;https://example.org\u001b\\link\u001b]8;;\u001b\\', 'link'],
    ['\u001b[2J\u001b[H\u001b[?25lgone', 'gone'],
    ['\u009b31mred', 'red'],
    ['bell\u0007 back\b nul\0 del\u007f', 'bell back nul del'],
    ['a\r\nb\r\r\nc', 'a\nb\nc'],
    ['10%\r20%', '10%\n20%'],
    ['tab\tstays', 'tab\tstays'],
    ['turn\u202eed', 'turned'],
    ['ünïcödé 修复 🚀', 'ünïcödé 修复 🚀'],
  ])('%j is printed as %j', (text, printed) => {
    expect(plain(text)).toBe(printed)
  })

  it('is cut into whole lines wherever the pieces end', () => {
    const lines = new OutputLines()
    const text = 'one\ntwo \u001b[31mred\u001b[0m\n\nthree'
    const whole = Array.from(text).flatMap((letter) => lines.push(letter))
    expect([...whole, ...lines.rest()]).toEqual(['one', 'two red', '', 'three'])
    expect(lines.rest()).toEqual([])
  })

  it('is shown in pieces when a line does not end', () => {
    const lines = new OutputLines()
    expect(lines.push('x'.repeat(5000))).toEqual(['x'.repeat(5000)])
    expect(lines.rest()).toEqual([])
  })
})

describe('a budget', () => {
  it.each<[Partial<Budget>, Partial<Spent> | null, readonly string[]]>([
    [{}, {}, ['steps 0 of 8 used', 'time 0s of 20m 00s used']],
    [{}, null, ['steps 8', 'time 20m 00s']],
    [{ tokens: 9, costUsd: 5 }, null, ['steps 8', 'time 20m 00s', 'tokens 9', 'cost 5 USD']],
    [
      { tokens: 9 },
      { tokens: 4, costUsd: 0.5 },
      ['steps 0 of 8 used', 'time 0s of 20m 00s used', 'tokens 4 of 9 used', 'cost 0.5000 USD'],
    ],
  ])('%j of which %j is spent', (budget, spent, rows) => {
    const terms = aTask({ budget: aBudget(budget) })
    const shown = termsRows(terms, spent === null ? null : aSpent(spent)).map((row) => row.join(' '))
    expect(shown.slice(3)).toEqual(rows)
  })
})

it('a command is shown with all of its lines, and hides nothing', () => {
  const agent = { name: 'command', argv: ['sh', '-c', 'a\nb'] }
  const terms = aTask({ agent, setup: 'npm ci\n./evil.sh', test: 'npm test \u001b];./evil.sh;\u0007' })
  expect(termsRows(terms, null).slice(0, 3)).toEqual([
    ['agent', "command sh -c 'a\nb'"],
    ['setup', 'npm ci\n./evil.sh'],
    ['test', 'npm test ␛];./evil.sh;␇'],
  ])
  const [, [, long = ''] = []] = termsRows(aTask({ setup: 'x'.repeat(2010) }), null)
  expect(long).toBe(`${'x'.repeat(2000)}… (10 more characters: --json has all of it)`)
})

describe('text for people', () => {
  it.each([
    [-5, '0s'],
    [400, '0s'],
    [59_600, '1m 00s'],
    [185_000, '3m 05s'],
    [3_720_000, '1h 02m'],
    [273_600_000, '3d 04h'],
  ])('%i ms is %s', (ms, text) => {
    expect(duration(ms)).toBe(text)
  })

  it('fits one line, hangs several, and stands in columns', () => {
    expect(firstLine('  one\ntwo', 80)).toBe('one')
    expect(firstLine('修复这个问题', 4)).toBe('修复这…')
    expect(hang('one\ntwo', 3)).toBe('one\n   two')
    expect(
      columns([
        ['a', 'bb', 'c'],
        ['aaa', '', 'ccc'],
      ]),
    ).toEqual(['a    bb  c', 'aaa      ccc'])
  })
})

describe('a sentence with a command', () => {
  const there: Spell = (command) => `cofferdam ${command} --data /d`
  it.each([
    ['Nothing of the kind.', 'Nothing of the kind.'],
    ['Run `cofferdam image build`.', 'Run `cofferdam image build --data /d`.'],
    [
      '`cofferdam doctor` or `cofferdam serve`',
      '`cofferdam doctor --data /d` or `cofferdam serve --data /d`',
    ],
    ['`cofferdam task show x --data /e`', '`cofferdam task show x --data /e`'],
    ['`cofferdam run --repo . -- true`', '`cofferdam run --repo . -- true`'],
    ['`git log` of cofferdam task', '`git log` of cofferdam task'],
  ])('%s', (text, spelled) => {
    expect(respelled(text, there)).toBe(spelled)
  })

  it.each(['suggested', 'steered', 'resumed', 'stopped', 'rejected', 'reviewed', 'superseded', 'answered'])(
    'stays as it was said in an event of type %s',
    (type) => {
      const events = [anEvent({ type, text: 'Said: `cofferdam doctor`' })]
      expect(taskLines({ ...nothingOf, events }, there, paint).join('\n')).toContain(
        'Said: `cofferdam doctor`',
      )
    },
  )

  it('leads to the same data folder, wherever it stands', () => {
    const halt = { reason: 'image', text: 'Run `cofferdam image build`.' } as const
    const task = aTask({ status: 'FAILED', halt })
    const event = anEvent({ type: 'halted', text: halt.text })
    const lines = [
      summaryLines(task, there, paint, false),
      taskLines({ ...nothingOf, task }, there, paint),
      taskLines({ ...nothingOf, events: [event] }, there, paint),
      findingLines([{ name: 'image', state: 'problem', text: halt.text }], there, paint),
    ]
    for (const each of lines) expect(each.join('\n')).toContain('Run `cofferdam image build --data /d`.')
  })
})

describe('an event', () => {
  it('in what is shown of a task has the last lines of an agent that failed, and of nothing else', () => {
    const text = `It failed. Its last lines:\n${[1, 2, 3, 4, 5, 6].map((line) => `\u001b[31mline ${line}`).join('\n')}`
    const shown = (type: string): string =>
      taskLines({ ...nothingOf, events: [anEvent({ type, text })] }, spell, paint).join('\n')
    expect(shown('agent_finished')).toMatch(
      /It failed\. Its last lines:\n {6}line 2\n {6}line 3\n {6}line 4\n {6}line 5\n {6}line 6(?:\n|$)/,
    )
    expect(shown('noted')).not.toContain('line 6')
  })

  it.each<[Partial<TaskEvent>, readonly string[]]>([
    [{}, ['  Something happened.']],
    [{ type: 'begun', data: { kind: 'agent' } }, ['', 'Step 2/8  19m 00s left']],
    [{ type: 'begun', data: { kind: 'agent' }, attempt: 2 }, ['', 'Step 2/8, attempt 2  19m 00s left']],
    [{ type: 'begun', data: { kind: 'test' }, text: 'The test starts.' }, ['  The test starts.']],
    [{ type: 'tested', data: { passed: true }, text: 'Passes.' }, ['  ✔ Passes.']],
    [{ type: 'tested', data: { passed: false }, text: 'Fails.' }, ['  ✖ Fails.']],
    [{ type: 'tested', text: 'Not tested.' }, ['  Not tested.']],
    [{ type: 'violated', text: 'Policy.' }, ['  ✖ Policy.']],
    [{ type: 'halted', text: 'One\ntwo\u001b[31m' }, ['  ! One', '    two']],
  ])('%j', (event, lines) => {
    expect(eventLines(anEvent(event), aTask({ spent: aSpent({ steps: 1, ms: 60_000 }) }), paint)).toEqual(
      lines,
    )
  })
})

describe('the live line', () => {
  const task = aTask({ status: 'RUNNING', phase: 'agent', step: 2, spent: aSpent({ steps: 1, ms: 60_000 }) })
  it.each<[Partial<Task>, string]>([
    [{}, 'step 2/8 · agent at work · 10s · 18m 50s of 20m 00s left'],
    // Outside a box no budget goes by.
    [{ phase: 'verify' }, 'step 2/8 · checking the tree · 10s · 19m 00s of 20m 00s left'],
    [
      { phase: 'verify', spent: aSpent({ steps: 1, ms: 60_000, tokens: 4711, costUsd: 0.128 }) },
      'step 2/8 · checking the tree · 10s · 19m 00s of 20m 00s left · 4711 tokens · 0.13 USD',
    ],
    [{ phase: null, status: 'PENDING', step: 0 }, 'pending · 10s · 19m 00s of 20m 00s left'],
  ])('%j', (overrides, line) => {
    const standing = { task: { ...task, ...overrides }, since: aTime }
    expect(statusLine(standing, aTime + 10_000, 200, paint)).toBe(`  ${line}`)
    expect(statusLine(standing, aTime + 10_000, 20, paint)).toHaveLength(19)
  })
})

describe('what to do next', () => {
  it.each<[Partial<Task>, readonly string[]]>([
    [{ status: 'DRAFT' }, ['approve', 'suggest', 'reject']],
    [{ status: 'PENDING' }, ['watch', 'stop']],
    [{ status: 'RUNNING' }, ['watch', 'stop']],
    [{ status: 'APPLIED', marks: [] }, ['merge']],
    [{ status: 'APPLIED', delivery: 'delivering', merge: aMerge() }, ['watch']],
    [{ status: 'APPLIED', delivery: 'conflict', merge: aMerge() }, ['--repo', 'merge']],
    [{ status: 'APPLIED', delivery: 'rejected', merge: aMerge() }, ['review', 'merge']],
    [
      {
        status: 'APPLIED',
        delivery: 'merged',
        merge: aMerge({ from: aCommitOf('b'), commit: aCommitOf('c') }),
      },
      ['undo'],
    ],
    [{ status: 'APPLIED', delivery: 'pr_open', pull: aPull() }, []],
    [
      { status: 'APPLIED', delivery: 'pr_open', pull: aPull({ unfollowed: 'Gone.' }) },
      ['pull-ended', 'pull-ended'],
    ],
    [{ status: 'REJECTED' }, ['discard']],
    [{ status: 'STOPPED' }, ['resume', 'discard']],
    [{ status: 'BLOCKED' }, ['resume', 'reject', 'discard']],
    [{ status: 'STOPPED', delivery: 'discarded' }, []],
    [{ status: 'BLOCKED', delivery: 'discarded', halt: { reason: 'image', text: '' } }, []],
    [{ status: 'FAILED', delivery: 'discarded', halt: { reason: 'engine', text: '' } }, []],
  ])('%j: %j', (overrides, verbs) => {
    const offered = nextCommands(aTask(overrides), spell).map(({ command }) => command.split(' ')[2])
    expect(offered).toEqual(verbs)
  })

  it.each<[Refusal, readonly string[]]>([
    ['foreign', ['merge ID --into release --accept foreign: merge it into release']],
    ['diverged', ['merge ID --into release --how merge: merge it into release']],
    [
      'conflict',
      [
        expect.stringMatching(
          /^cofferdam run .* --ref release .*: have it done anew, from release as it is now$/,
        ),
        'merge ID --into release: merge it into release',
      ],
    ],
    [
      'test',
      [
        'review ID --text TEXT --request-changes: have a task mend what the test fails on',
        'merge ID --into release: merge it into release',
      ],
    ],
    ['other', ['merge ID --into release: merge it into release']],
  ])('a merge that was refused (%s) is offered as it may come about', (refusal, offers) => {
    const task = aTask({
      status: 'APPLIED',
      delivery: 'none',
      marks: [],
      merge: aMerge({ into: 'release', refusal }),
    })
    const offered = nextCommands(task, spell)
    expect(
      offered.map(
        ({ command, what }) => `${command.replace('cofferdam task ', '').replace(aTaskId, 'ID')}: ${what}`,
      ),
    ).toEqual(offers)
  })

  it('others’ commits are accepted in the way that was refused for them alone', () => {
    const pull = aPull({ into: 'main', refusal: 'foreign' })
    const task = aTask({ status: 'APPLIED', delivery: 'none', marks: [], pull })
    expect(nextCommands(task, spell).map(({ command }) => command.replace(aTaskId, 'ID'))).toEqual([
      'cofferdam task merge ID',
      'cofferdam task pull-request ID --into main --accept foreign',
    ])
  })

  it.each<[Partial<Task>, string]>([
    [{ status: 'TIMEOUT', halt: { reason: 'steps', text: '' } }, '--steps 12'],
    [{ status: 'TIMEOUT', halt: { reason: 'time', text: '' } }, '--minutes 30'],
    [{ status: 'BLOCKED', halt: { reason: 'stuck', text: '' } }, '--instruction TEXT'],
    [{ status: 'BLOCKED', halt: { reason: 'paused', text: '' } }, `resume ${aTaskId}`],
    [{ status: 'BLOCKED', halt: { reason: 'approval', text: '' } }, `resume ${aTaskId}`],
    [{ status: 'BLOCKED', halt: { reason: 'agent', text: '' } }, '--instruction TEXT'],
    [{ status: 'BLOCKED', halt: { reason: 'disk', text: '' } }, 'doctor'],
    [{ status: 'FAILED', halt: { reason: 'engine', text: '' } }, 'doctor'],
    [{ status: 'BLOCKED', halt: { reason: 'image', text: '' } }, 'image build'],
    [
      {
        status: 'BLOCKED',
        halt: { reason: 'image', text: 'It has no pi: run `cofferdam image build --agents pi`.' },
      },
      'image build --agents pi',
    ],
  ])('%j begins with what it needs', (overrides, option) => {
    expect(nextCommands(aTask(overrides), spell)[0]?.command.endsWith(option)).toBe(true)
  })
})

it('a question that failed is asked once more, or given up: it has neither checkpoint nor work', () => {
  const failed = aTask({
    kind: 'question',
    status: 'FAILED',
    halt: { reason: 'agent', text: '' },
    test: null,
  })
  expect(nextCommands(failed, spell).map(({ what }) => what)).toEqual([
    'have it asked once more',
    'give it up: its record stays',
  ])
})

it('an agent that could not be started is offered a mended command before it is tried again', () => {
  const halt = { reason: 'agent', text: '' } as const
  const offered = nextCommands(aTask({ status: 'FAILED', halt, setup: 'npm ci' }), spell)
  expect(offered.slice(0, 2)).toEqual([
    {
      command: expect.stringMatching(/^cofferdam run --repo .* --setup 'npm ci' .* -- /) as string,
      what: "begin anew with the agent's command mended",
    },
    { command: `cofferdam task resume ${aTaskId}`, what: 'go on from the last checkpoint' },
  ])
  expect(nextCommands(aTask({ status: 'FAILED', halt, setup: null }), spell)[0]?.command).not.toContain(
    '--setup',
  )
})

describe('a run anew after a setup that was not enough', () => {
  const anew = (overrides: Partial<Task>): string =>
    nextCommands(
      aTask({ status: 'BLOCKED', halt: { reason: 'setup', text: '' }, ...overrides }),
      (command) => `cofferdam ${command} --data here`,
    )[0]?.command ?? ''

  it('has all that the task was made of, quoted, with the program at the end', () => {
    const task = {
      goal: "Mend Ann's tests",
      test: 'npm test',
      budget: aBudget({ steps: 3, seconds: 100 }),
      policy: effectivePolicy(policyRequestSchema.parse({ deny: ['a b'], allow: ['src'] }), defaultPolicy),
      agent: { name: 'command', argv: ['sh', '-c', 'echo $HOME'] },
    }
    expect(anew(task)).toBe(
      "cofferdam run --repo /repositories/example --ref main --goal 'Mend Ann'\\''s tests' --setup COMMAND --test 'npm test' " +
        "--steps 3 --minutes 1.67 --deny 'a b' --allow src --data here -- sh -c 'echo $HOME'",
    )
  })

  it('leaves a word for what is no line, and names an agent without a program', () => {
    const agent = { name: 'pi', argv: [] }
    expect(anew({ goal: 'one\ntwo', test: null, agent, policy: defaultPolicy })).toMatch(
      / --goal TEXT --setup COMMAND --steps 8 --minutes 20 --agent pi --data here$/,
    )
  })

  it('stands below what it is good for', () => {
    const lines = nextLines(aTask({ status: 'BLOCKED', halt: { reason: 'setup', text: '' } }), spell)
    expect(lines.slice(2, 4)).toEqual([
      '  # begin anew with a setup that makes the test start:',
      expect.stringMatching(/^ {2}cofferdam run --repo /) as string,
    ])
    expect(lines[4]).toMatch(/^ {2}cofferdam task resume \w{10} {2,10}try setup/)
  })
})

it.each([
  [false, 'by hand', 'git -C /repositories/example merge cofferdam/'],
  [true, 'pull', 'git pull /repositories/example cofferdam/'],
])('where the repository is bare (%j), the work is taken by way of: %s', (bare, name, command) => {
  const task = aTask({ status: 'APPLIED', outcome: 'tested', head: aCommitOf('b') })
  const lines = summaryLines(task, spell, paint, bare).filter((line) =>
    /^ {2}(?:by hand|merge|pull) /.test(line),
  )
  expect(lines).toEqual([expect.stringMatching(`^  ${name} .*${command}`)])
})

it.each([
  ['what a run ends with', (task: Task) => summaryLines(task, spell, paint, false)],
  ['what is shown of a task', (task: Task) => taskLines({ ...nothingOf, task }, spell, paint)],
])('%s names every reason why delivering wants an owner, and only where there is one', (_, lines) => {
  const task = aTask({ status: 'APPLIED', outcome: 'tested', head: aCommitOf('b') })
  const marks = [
    { rule: 'ci', path: '.ci/run', text: '".ci/run" is changed.' },
    { rule: 'tests', path: 'a\u001b[2J', text: 'The test "a\u001b[2J" is deleted.' },
  ] as const
  const said = lines({ ...task, marks }).join('\n')
  expect(said).toContain(
    `Delivering it takes an owner's decision, because:\n  ci: ".ci/run" is changed.\n  tests: The test "a" is deleted.`,
  )
  for (const none of [null, []])
    expect(lines({ ...task, marks: none }).join('\n')).not.toContain('Delivering')
})

it('says what is being done on a task, and nothing about a delivery that there is not', () => {
  const facts = (overrides: Partial<Task>): string =>
    taskLines({ ...nothingOf, task: aTask(overrides) }, spell, paint).join('\n')
  expect(facts({ status: 'RUNNING', phase: 'agent' })).toContain('\n  now         agent at work\n')
  expect(facts({ status: 'PENDING' })).not.toMatch(/now|delivery/)
  const gone = {
    status: 'BLOCKED',
    delivery: 'discarded',
    halt: { reason: 'disk', text: 'Then resume.' },
  } as const
  expect(facts(gone)).toContain('delivery    discarded')
  expect(facts(gone)).toContain('\n  discarded: its work is gone.\n')
  expect(facts(gone)).not.toContain('resume')
  expect(taskTable([aTask(gone)], aTime, 200)[1]).toMatch(/^\w{10} +discarded /)
})

it('lists what has become of a task and not that it was applied alone', () => {
  const applied = { status: 'APPLIED', outcome: 'tested', merge: aMerge() } as const
  const listed = (more: Partial<Task>) => taskTable([aTask({ ...applied, ...more })], aTime, 200)[1]
  expect(listed({ delivery: 'conflict' })).toMatch(/^\w{10} +APPLIED, conflicts with main {2}/)
  expect(listed({ delivery: 'merged' })).toMatch(/^\w{10} +merged into main {2}/)
  expect(listed({ outcome: 'untested' })).toMatch(/^\w{10} +APPLIED, untested {2}/)
})

it('breaks a list into lines', () => {
  expect(wrapped(['aa', 'bb', 'a long one', 'c'], 9)).toEqual(['aa, bb', 'a long one', 'c'])
  expect(wrapped([], 9)).toEqual([])
})

it('shows each step of a task with what came of it', () => {
  const agent: AgentResult = {
    marker: { state: 'NONE' },
    text: '',
    exitCode: 0,
    session: null,
    usage: null,
    failure: null,
  }
  const stat = { files: 2, insertions: 3, deletions: 1 }
  const candidate = {
    commit: aCommitOf('b'),
    tree: aCommitOf('c') as never,
    changed: true,
    leftOut: [],
    stat,
  }
  const test = { passed: false, end: 'exited', exitCode: 1, tail: '' } as const
  const rows = [
    aCheckpoint({ step: 0 }),
    aCheckpoint({ state: 'kept', agent, candidate, test, commit: aCommitOf('b'), endedAt: aTime + 5000 }),
    aCheckpoint({
      step: 2,
      state: 'dropped',
      agent: { ...agent, failure: 'It ended with 3.' },
      endedAt: aTime,
    }),
    aCheckpoint({
      step: 2,
      attempt: 2,
      state: 'kept',
      agent,
      test: { ...test, passed: true },
      endedAt: aTime,
    }),
    aCheckpoint({ step: 3 }),
  ]
  const lines = taskLines({ ...nothingOf, checkpoints: rows }, spell, paint)
  const steps = lines.slice(lines.indexOf('Steps:') + 1, lines.indexOf('Next:') - 1)
  expect(steps.map((line) => line.trim().split(/ {2,}/))).toEqual([
    ['1', 'kept', 'bbbbbbbbbb', '5s', '2 files +3 −1', 'test fails (exit code 1)'],
    ['2', 'dropped', '-', '0s', 'It ended with 3.'],
    ['2 (attempt 2)', 'kept', '-', '0s', 'test passes'],
    ['3', 'open', '-', 'under way'],
  ])
})

it('text of several lines stands beneath its first, however wide the names beside it are', () => {
  const follows = { goal: 'Mend it.\nAnd test it.', test: 'npm ci\nnpm test' }
  const lines = (task: Partial<Task>): string =>
    taskLines({ ...nothingOf, task: aTask({ ...follows, ...task }) }, spell, paint).join('\n')
  expect(lines({})).toContain('  goal        Mend it.\n              And test it.\n')
  const second = lines({ parentTaskId: aTaskId })
  expect(second).toContain('  goal          Mend it.\n                And test it.\n')
  expect(second).toContain('  test          npm ci\n                npm test\n')
  expect(draftLines(aTask(follows)).join('\n')).toContain('  test       npm ci\n             npm test\n')
})
