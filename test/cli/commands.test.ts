import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { World } from '../../src/cli/world.ts'
import { Failure } from '../../src/domain/failure.ts'
import { applies, beginStep, blocks, worksForever } from '../support/scripted-plane.ts'
import { type Ended, type ScriptedMachine, scriptedMachine } from '../support/scripted-world.ts'
import { aCommit } from '../support/task.ts'

let machine: ScriptedMachine
beforeEach(() => {
  machine = scriptedMachine(applies)
})
afterEach(() => machine.remove())

const unknown = 'aaaaaaaaaa'

/** Makes a task and runs it to where it ends. */
async function made(goal: string, script = applies): Promise<string> {
  const { out } = await machine.run(['run', '--repo', '.', '--goal', goal, '--', 'true'], { script })
  return /Task ([a-z2-7]{10})/.exec(out)?.[1] ?? 'no id'
}

async function json(args: readonly string[]): Promise<unknown> {
  const { out } = await machine.run([...args, '--json'])
  return JSON.parse(out)
}

/** As a person is shown it. */
async function revisionOf(id: string): Promise<string> {
  const { task } = (await json(['task', 'show', id])) as { readonly task: { readonly revision: number } }
  return String(task.revision)
}

it('says its version', async () => {
  const { code, out } = await machine.run(['--version'])
  expect([code, out]).toEqual([
    0,
    expect.stringMatching(/^\d+\.\d+\.\d+(?: \([0-9a-f]{7,}(?:-dirty)?\))?\n$/),
  ])
})

describe('task list', () => {
  it('says how to begin where there is nothing', async () => {
    const { code, out } = await machine.run(['task', 'list'])
    expect([code, out]).toEqual([
      0,
      'No tasks yet. Start one with\n  cofferdam run --repo PATH --goal TEXT -- PROGRAM\n',
    ])
    expect((await machine.run(['task', 'list', '--status', 'blocked'])).out).toBe('No task is blocked.\n')
  })

  it('is a table, newest first, with the goal in one line', async () => {
    const first = await made('Mend the tests\nand say why')
    const second = await made('sudo format')
    const { out } = await machine.run(['task', 'list'])
    const [head, ...rows] = out.trimEnd().split('\n')
    expect(head).toMatch(/^ID +STATUS +STEP +AGE +REPOSITORY +GOAL$/)
    expect(rows.map((row) => row.split(/ {2,}/))).toEqual([
      [second, 'DRAFT', '0/8', expect.any(String), expect.any(String), 'sudo format'],
      [first, 'APPLIED', '1/8', expect.any(String), expect.any(String), 'Mend the tests'],
    ])
    expect(await json(['task', 'list', '--status', 'draft,blocked'])).toMatchObject({
      tasks: [{ id: second }],
    })
    expect(await json(['task', 'list', '--limit', '1'])).toMatchObject({ tasks: [{ id: second }] })
  })

  it('says that it goes on, and with which command', async () => {
    const first = await made('sudo one')
    const second = await made('sudo two')
    const page = await machine.run(['task', 'list', '--status', 'draft', '--limit', '1'])
    expect(page.out).toContain(second)
    const [, command = ''] = /^There are more: `cofferdam (.+)` goes on\.\n$/.exec(page.error) ?? []
    expect(command).toMatch(/^task list --status draft --limit 1 --cursor \S+$/)
    const rest = await machine.run(command.split(' '))
    expect([rest.out.includes(first), rest.out.includes(second), rest.error]).toEqual([true, false, ''])
    const cursorAt = command.split(' ').slice(-2)
    expect(await json(['task', 'list', '--limit', '1', ...cursorAt])).toMatchObject({
      tasks: [{ id: first }],
      next: null,
    })
  })

  it('replaces the cursor that was given', async () => {
    const ids = [await made('sudo one'), await made('sudo two'), await made('sudo three')].toReversed()
    const seen: string[] = []
    for (let args = ['task', 'list', '--limit', '1']; args.length > 0;) {
      const { out, error } = await machine.run(args)
      seen.push(...ids.filter((id) => out.includes(id)))
      args = /`cofferdam (.+)`/.exec(error)?.[1]?.split(' ') ?? []
    }
    expect(seen).toEqual(ids)
  })

  it('narrows to a repository and a time', async () => {
    const id = await made('sudo one')
    expect(await json(['task', 'list', '--repo', '.', '--since', '1h'])).toMatchObject({ tasks: [{ id }] })
    for (const filter of [
      ['--repo', 'elsewhere'],
      ['--until', '1h'],
      ['--since', '2100-01-01'],
    ]) {
      expect(await json(['task', 'list', ...filter])).toMatchObject({ tasks: [] })
      expect((await machine.run(['task', 'list', ...filter])).out).toBe('No task is meant by the options.\n')
    }
  })
})

it('names commands as they reach the data folder that was given', async () => {
  const data = join(machine.folder, 'other')
  const { error } = await machine.run(['task', 'show', unknown, '--data', data])
  expect(error).toContain(`There is no task ${unknown}: \`cofferdam task list --data ${data}\` shows those`)
  const bad = await machine.run(['task', 'show', 'no-id', '--data', data])
  expect(bad.error).toContain(`\`cofferdam task list --data ${data}\` shows them`)
})

describe('task show, logs and diff', () => {
  it('shows all about one task and what to do', async () => {
    const id = await made('Mend the tests', blocks)
    const { out } = await machine.run(['task', 'show', id])
    expect(out).toContain(`Task ${id}  BLOCKED\n  agent: Which word?\n`)
    for (const text of [
      'goal        Mend the tests',
      'steps       0 of 8 used',
      'Events:',
      'Submitted.',
      'Next:',
    ]) {
      expect(out).toContain(text)
    }
    expect(await json(['task', 'show', id])).toMatchObject({
      task: { id, status: 'BLOCKED' },
      checkpoints: [],
      events: expect.any(Array),
    })
  })

  it('prints logs without control sequences', async () => {
    const id = await made('Mend the tests')
    expect((await machine.run(['task', 'logs', id, '--step', '2'])).out).toBe(
      `== agent box, step 2, ${id} ==\ngreen\n`,
    )
  })

  it('prints a diff as it is for a file, and safe for a terminal', async () => {
    const id = await made('Mend the tests')
    expect((await machine.run(['task', 'diff', id])).out).toContain('+\u001b[31mred\n')
    expect((await machine.run(['task', 'diff', id], { live: true })).out).toContain('+␛[31mred\n')
    expect(await json(['task', 'diff', id, '--step', '1'])).toMatchObject({ diff: expect.any(String) })
  })

  it('says so when there is nothing to print', async () => {
    const id = await made('sudo format')
    expect(await machine.run(['task', 'diff', id])).toEqual({
      code: 0,
      out: '',
      error: 'Nothing is changed so far.\n',
    })
  })

  it.each([
    [['diff', '--against', 'main'], 'A merge would change nothing in main as it is now.\n'],
    [['egress', '--box', 'none'], /^No box none of this task has asked for anything: /],
  ])('of %j alone, where there may be more', async ([name = '', ...options], error) => {
    const id = await made('sudo format')
    const said = await machine.run(['task', name, id, ...options])
    expect([said.code, said.out, said.error]).toEqual([0, '', expect.stringMatching(error)])
  })
})

describe('decisions and acts', () => {
  it('approves a draft and follows it to its end', async () => {
    const id = await made('sudo format')
    const { code, out } = await machine.run(['task', 'approve', id])
    expect(code).toBe(0)
    expect(out).toContain(
      `Approving task ${id}:\n  goal: sudo format\n  agent      command true\n  setup      none\n  test       npm test\n  steps      8\n  time       20m 00s\n  may reach  nothing\nThis task wants a person, because:\n  words: The goal says "sudo".\n`,
    )
    expect(out).toContain('» Approved.')
    expect(out).not.toContain('Submitted.')
    expect(out).toContain('APPLIED')
  })

  it('only records it where nobody is to wait, and says who goes on', async () => {
    const id = await made('sudo format')
    const { code, out } = await machine.run(['task', 'approve', id, '--detach'])
    expect(code).toBe(0)
    expect(out).toContain(`Task ${id} is PENDING.`)
    expect(out).toContain(`No process works on it yet: \`cofferdam task watch ${id}\``)
  })

  it.each([
    ['approve', [], 'is PENDING.'],
    ['reject', [], 'is REJECTED.'],
    ['suggest', ['and use ls'], 'is DRAFT.'],
  ])('%s decides on the revision that was shown, and on no other', async (act, more, says) => {
    const id = await made('sudo format')
    await machine.run(['task', 'suggest', id, 'mind the gap'])
    const decide = async (revision: string): Promise<Ended> =>
      machine.run([
        'task',
        act,
        id,
        ...more,
        '--revision',
        revision,
        ...(act === 'reject' ? [] : ['--detach']),
      ])
    const late = await decide('1')
    expect([late.code, late.error]).toEqual([
      2,
      `cofferdam: Task ${id} changed since it was shown (revision 1, now 2): look at it and decide again.\n`,
    ])
    expect(late.out).not.toContain('Approving')
    expect(await json(['task', 'show', id])).toMatchObject({ task: { status: 'DRAFT', revision: 2 } })
    const { code, out } = await decide('2')
    expect([code, out.includes(says)]).toEqual([0, true])
  })

  it('shows a draft that is not as it was shown, where it is not approved', async () => {
    const id = await made('sudo format')
    await machine.run(['task', 'suggest', id, 'mind the gap'])
    const { out } = await machine.run(['task', 'approve', id, '--revision', '1'])
    expect(out).toContain(`Task ${id} as it is now:\n  goal: sudo format\n    \n    mind the gap\n`)
  })

  it('resumes with a word and a larger budget', async () => {
    const id = await made('Mend the tests', blocks)
    const args = [
      'task',
      'resume',
      id,
      '--instruction',
      'the word is right',
      '--steps',
      '12',
      '--minutes',
      '0.5',
    ]
    const { code, out } = await machine.run(args)
    expect(code).toBe(0)
    expect(out).toMatch(/» Resumed with a budget of 12 steps.*: the word is right/)
    expect(out).toContain('! Approved with it (steps): 12 steps are more than the 8 that run unasked.')
    expect(await json(['task', 'show', id])).toMatchObject({ task: { budget: { steps: 12, seconds: 30 } } })
  })

  it('says what is approved with a larger budget, also where nobody waits', async () => {
    const id = await made('Mend the tests', blocks)
    const { out } = await machine.run(['task', 'resume', id, '--minutes', '45', '--detach'])
    expect(out).toContain(
      '! Approved with it (time): 45 minutes are more than the 20 minutes that run unasked.',
    )
    const { code } = await machine.run(['task', 'stop', id])
    const again = await machine.run(['task', 'resume', id, '--minutes', '30', '--detach'])
    expect([code, again.out.includes('Approved')]).toEqual([0, false])
  })

  it('acts from a second terminal on a task that another process runs', async () => {
    const running = machine.start(['run', '--repo', '.', '--goal', 'x', '--', 'true'], {
      script: worksForever,
    })
    await running.printed('working')
    const id = /Task ([a-z2-7]{10})/.exec(running.out())?.[1] ?? ''
    expect((await machine.run(['task', 'list'])).out).toContain(`${id}  RUNNING`)
    expect((await machine.run(['task', 'steer', id, 'mind the gap'])).out).toContain(
      'The next prompt says so.',
    )
    const stopped = await machine.run(['task', 'stop', id, '--reason', 'enough'])
    expect([stopped.code, stopped.out.includes('STOPPED. enough')]).toEqual([0, true])
    expect(await running.code).toBe(6)
    expect(running.out()).toContain('» Steered: mind the gap')
  })

  it.each([
    ['reject', ['--reason', 'no'], 'is REJECTED. no'],
    ['suggest', ['use ls'], 'is DRAFT.'],
    ['stop', [], 'is STOPPED.'],
  ])('%s', async (act, more, says) => {
    const id = await made('sudo format')
    const { code, out } = await machine.run(['task', act, id, ...more])
    expect([code, out.includes(says)]).toEqual([0, true])
  })

  it('discards only what has ended', async () => {
    const id = await made('Mend the tests', blocks)
    const stale = await machine.run(['task', 'discard', id, '--revision', '99'])
    expect([stale.code, stale.error]).toEqual([2, expect.stringContaining('changed since it was shown')])
    expect((await machine.run(['task', 'discard', id, '--revision', await revisionOf(id)])).out).toBe(
      `Task ${id} is discarded. Your repository has no branch of it.\n`,
    )
    const again = await machine.run(['task', 'discard', id])
    expect([again.code, again.error.includes('is discarded')]).toEqual([2, true])
  })

  it('says that a branch stays in the repository, and how it is removed there', async () => {
    const id = await made('Mend the tests')
    expect((await machine.run(['task', 'discard', id])).out).toBe(
      `Task ${id} is discarded. A branch cofferdam/${id} stays in ${machine.folder}: ` +
        `\`git -C ${machine.folder} branch -D cofferdam/${id}\` removes it.\n`,
    )
  })

  it('says that a branch may have reached the repository of validated work that is not applied', async () => {
    const id = await made('Mend the tests', (turn) => {
      beginStep(turn)
      turn.report({ type: 'agent_finished', text: '' })
      turn.report({ type: 'candidate_made', text: '' })
      turn.report({ type: 'tested', text: '', priorFailure: null })
      const verdict = { kind: 'apply', outcome: 'tested' } as const
      const progress = { signature: '', repeats: 1 }
      turn.report({ type: 'checkpointed', verdict, head: aCommit, progress, marks: [] })
      turn.report({ type: 'halted', reason: 'repository', text: 'It is checked out.' })
      turn.report({ type: 'salvaged', head: aCommit, text: '' })
    })
    expect((await machine.run(['task', 'discard', id])).out).toBe(
      `Task ${id} is discarded. ${machine.folder} may have a branch cofferdam/${id}: ` +
        `\`git -C ${machine.folder} branch -D cofferdam/${id}\` removes it.\n`,
    )
  })

  it('merges what is applied and follows that to its end, and takes it out again', async () => {
    const id = await made('Mend the tests')
    const merged = await machine.run(['task', 'merge', id, '--into', 'next', '--how', 'squash'])
    expect([merged.code, merged.error]).toEqual([0, ''])
    expect(merged.out.replaceAll(id, 'ID')).toContain(`
  » To be merged into next, as one commit.
  It is tested.
  ✔ Merged into next.

APPLIED  Merged into next.`)
    expect(merged.out).toContain(`cofferdam task undo ${id}  take it out of next again`)
    expect((await machine.run(['task', 'show', id])).out).toContain('delivery    merged into next')
    const stale = await machine.run(['task', 'undo', id, '--revision', '99'])
    expect([stale.code, stale.error]).toEqual([2, expect.stringContaining('changed since it was shown')])
    const undone = await machine.run(['task', 'undo', id, '--revision', await revisionOf(id)])
    expect([undone.code, undone.out]).toEqual([0, expect.stringContaining('Undone: next is as it was.')])
    expect((await machine.run(['search', 'mend'])).out).toContain(`${id}  APPLIED, merge into next undone  `)
  })

  it('proposes it as a pull request, and says where that is', async () => {
    const id = await made('Mend the tests')
    const proposed = await machine.run(['task', 'pull-request', id, '--into', 'next', '--ready'])
    expect([proposed.code, proposed.error]).toEqual([0, ''])
    expect(proposed.out).toContain('» To be proposed for next of ada/tools, as a pull request.')
    expect(proposed.out).toContain('✔ Proposed for main: #7 of ada/tools, a draft (https://forge.test/7).')
    const shown = await machine.run(['task', 'show', id])
    expect(shown.out).toContain('delivery    pull request open, #7 of ada/tools, https://forge.test/7')
    const again = await machine.run(['task', 'merge', id])
    expect([again.code, again.error]).toEqual([2, expect.stringContaining('is proposed as #7 of ada/tools')])
    const both = await machine.run(['task', 'pull-request', id, '--draft', '--ready'])
    expect([both.code, both.error]).toEqual([
      2,
      expect.stringContaining('Name --draft or --ready, not both.'),
    ])
    const neither = await machine.run(['task', 'pull-ended', id])
    expect([neither.code, neither.error]).toEqual([2, expect.stringContaining('Name --merged or --closed')])
    const over = await machine.run(['task', 'pull-ended', id, '--merged'])
    expect([over.code, over.out]).toEqual([
      0,
      `Task ${id} is APPLIED. An owner says that #7 of ada/tools is merged into next there.\n`,
    ])
  })

  it('says by its exit code that a merge did not come about, and why', async () => {
    const id = await made('Mend the clash')
    const { code, out } = await machine.run(['task', 'merge', id])
    expect([code, out]).toEqual([
      3,
      expect.stringContaining('APPLIED  Not merged: main has changed a.txt too.'),
    ])
  })

  it.each([
    [['--how', 'rebase'], /--how takes one of merge, fast-forward, squash/],
    [['--accept', 'ci,luck'], /There is no mark luck: --accept takes ci, /],
    [['--into=-x'], /"-x" is no name of a branch/],
    [['--into', 'cofferdam/abc'], /is a task's own branch/],
  ])('refuses %j', async (options, words) => {
    const id = await made('Mend the tests')
    const { code, error } = await machine.run(['task', 'merge', id, ...options])
    expect([code, error]).toEqual([2, expect.stringMatching(words)])
  })

  it('names what has to be accepted, and merges where it is', async () => {
    const id = await made('Mend the tests', (turn) => {
      beginStep(turn)
      turn.report({ type: 'agent_finished', text: '' })
      turn.report({ type: 'advanced', phase: 'candidate', text: '' })
      turn.report({ type: 'candidate_made', text: '' })
      turn.report({ type: 'tested', text: '', priorFailure: null })
      const marks = [{ rule: 'ci', path: 'ci.yml', text: '"ci.yml" is what CI runs.' } as const]
      const verdict = { kind: 'apply', outcome: 'tested' } as const
      const progress = { signature: '', repeats: 1 }
      turn.report({ type: 'checkpointed', verdict, head: aCommit, progress, marks })
      turn.report({ type: 'handed_over' })
    })
    const refused = await machine.run(['task', 'merge', id])
    expect([refused.code, refused.error]).toEqual([
      2,
      `cofferdam: "ci.yml" is what CI runs. Look at that, and name it to deliver it all the same: \`cofferdam task merge ${id} --accept ci\`.\n`,
    ])
    const other = await machine.run(['task', 'merge', id, '--into', 'rel', '--how', 'squash'])
    expect(other.error).toContain(`\`cofferdam task merge ${id} --into rel --how squash --accept ci\``)
    expect((await machine.run(['task', 'merge', id, '--accept', 'ci'])).code).toBe(0)
  })

  it('reviews what is applied, and follows the task that changes it', async () => {
    const id = await made('Mend the tests')
    const noted = await machine.run([
      'task',
      'review',
      id,
      '--comment',
      'src/a.ts:3:use let: it is read twice',
    ])
    const number = /--withdraw (\d+)/.exec(noted.out)?.[1] ?? ''
    expect([noted.code, noted.out.replace(`--withdraw ${number}`, '--withdraw N')]).toEqual([
      0,
      `What you said about task ${id} is on record. To have it changed, or to take that back:\n  cofferdam task review ${id} --request-changes\n  cofferdam task review ${id} --withdraw N\n`,
    ])
    const shown = (await machine.run(['task', 'show', id])).out
    expect(shown).toContain('Reviewed: src/a.ts:3: use let: it is read twice')
    expect(shown).toMatch(new RegExp(`^ {2}${number} +src/a.ts:3: use let: it is read twice$`, 'm'))
    const both = await machine.run(['task', 'review', id, '--withdraw', number, '--text', 'x'])
    expect([both.code, both.error]).toEqual([2, expect.stringContaining('Name --withdraw alone')])
    const back = await machine.run(['task', 'review', id, '--withdraw', number])
    expect([back.code, back.out]).toEqual([
      0,
      `What was said in review ${number} of task ${id} is withdrawn.\n`,
    ])
    const again = await machine.run(['task', 'review', id, '--withdraw', number])
    expect(again.error).toContain(`Task ${id} has no review ${number} to be withdrawn: there is none.`)
    expect((await machine.run(['task', 'show', id])).out).not.toContain('Said of its work')
    const changed = await machine.run(['task', 'review', id, '--text', 'And test it.', '--request-changes'])
    expect([changed.code, changed.out]).toEqual([0, expect.stringContaining('✔ Applied:')])
    expect((await machine.run(['task', 'show', id])).out).toMatch(
      /^ {2}delivery +superseded by another task$/m,
    )
    const next = /Task ([a-z2-7]{10})/.exec(changed.out)?.[1] ?? ''
    expect((await machine.run(['task', 'show', next])).out).toMatch(
      new RegExp(`^ {2}changes task +${id}$`, 'm'),
    )
    const diff = await machine.run(['task', 'diff', next])
    expect([diff.code, diff.error]).toEqual([
      0,
      expect.stringContaining(
        `This begins with what task ${id} has changed, which is delivered with it: \`cofferdam task diff ${id}\` shows that.\n`,
      ),
    ])
  })

  it.each([
    [['--comment', 'src/a.ts'], /takes FILE:LINE:TEXT/],
    [['--comment', 'src/a.ts:0:x'], /Lines are counted from 1/],
    [['--text', ' '], /The review is empty/],
    [['--text', 'x', '--request-changes', '--steps', '0'], /at least 1 step/],
  ])('refuses a review of %j', async (options, words) => {
    const id = await made('Mend the tests')
    const { code, error } = await machine.run(['task', 'review', id, ...options])
    expect([code, error]).toEqual([2, expect.stringMatching(words)])
  })

  it('says what is possible instead', async () => {
    const id = await made('Mend the tests')
    const { code, error } = await machine.run(['task', 'approve', id])
    expect([code, error]).toEqual([
      2,
      `cofferdam: Task ${id} is APPLIED: approve is not possible. Possible now: review, merge, discard.\n`,
    ])
  })

  it('watches without touching: Ctrl-C ends the watching alone', async () => {
    const running = machine.start(['run', '--repo', '.', '--goal', 'x', '--', 'true'], {
      script: worksForever,
    })
    await running.printed('working')
    const id = /Task ([a-z2-7]{10})/.exec(running.out())?.[1] ?? ''
    const watching = machine.start(['task', 'watch', id])
    await watching.printed('Step 1/8')
    watching.signal('SIGINT')
    expect(await watching.code).toBe(130)
    expect(running.out()).not.toContain('STOPPED')
    expect(watching.out()).toContain(`Task ${id} goes on in the process`)
    expect(watching.out()).not.toContain('This command works on the task')
    running.signal('SIGINT')
    await running.code
  })

  it('watches and works where nobody else does: Ctrl-C puts the task back into the queue', async () => {
    const id = await made('sudo format')
    await machine.run(['task', 'approve', id, '--detach'])
    const watching = machine.start(['task', 'watch', id], { script: worksForever })
    await watching.printed('working')
    expect(watching.out()).toContain(
      'This command works on the task, as no other process does; Ctrl-C puts it',
    )
    watching.signal('SIGINT')
    expect(await watching.code).toBe(130)
    expect(watching.out()).toContain(`Task ${id} goes back into the queue: \`cofferdam task watch ${id}\``)
    const again = await machine.run(['task', 'watch', id])
    expect([again.code, again.out.includes('APPLIED')]).toEqual([0, true])
  })
})

describe('the rest', () => {
  it('explains what a task would get', async () => {
    const args = ['explain', '--repo', '.', '--goal', 'x', '--', 'true']
    const { code, out } = await machine.run(args)
    expect(code).toBe(0)
    for (const text of [
      'Hidden from the boxes\n  .env',
      'Policy\n  deny      .env, .env.*',
      '  except    .env.example',
      '  readonly  .github/workflows',
      'Box: agent',
      'network  none',
      'TARGET',
      '/work',
    ]) {
      expect(out).toContain(text)
    }
    const said = await machine.run([...args.slice(0, 5), '--json', '--', 'true'])
    expect(JSON.parse(said.out)).toMatchObject({
      boxes: [{ kind: 'agent', egress: null }],
      hidden: ['.env'],
      policy: { deny: expect.arrayContaining(['.env']) as unknown },
    })
  })

  it('doctor looks without making the data folder', async () => {
    const { code, out } = await machine.run(['doctor'])
    expect([code, existsSync(machine.data)]).toEqual([0, false])
    expect(out).toContain(`✔ data folder      ${machine.data} does not exist yet`)
    expect(out).toContain('✔ engine           scripted\n')
  })

  it('doctor asks the process that holds the data folder', async () => {
    const serving = machine.start(['serve'])
    await serving.printed('Working on the tasks')
    const { code, out } = await machine.run(['doctor'])
    expect([code, out]).toEqual([
      0,
      `✔ data folder  ${machine.data}; a process works on it and answers\n✔ engine       scripted\n`,
    ])
    const ready = await machine.run(['doctor', '--ready'])
    expect([ready.code, ready.out]).toEqual([0, 'Tasks can be taken and worked on.\n'])
    serving.signal('SIGTERM')
    await serving.code
    const gone = await machine.run(['doctor', '--ready'])
    expect([gone.code, gone.error]).toEqual([
      7,
      `cofferdam: No process answers for ${machine.data}: start \`cofferdam serve\`, or look why it does not answer.\n`,
    ])
  })

  it('doctor takes a data folder that cannot be used for a finding', async () => {
    writeFileSync(machine.data, 'in the way')
    const { code, out } = await machine.run(['doctor'])
    expect(code).toBe(7)
    expect(out).toMatch(/^✖ data folder {2}.*--data/)
    expect(out).toContain('✔ engine')
  })

  it('shows the table of states', async () => {
    const { code, out } = await machine.run(['explain', '--table'])
    expect(code).toBe(0)
    expect(out).toMatch(/^FROM +ON +TO +PHASE +WHEN +NOTE\nDRAFT +approved +PENDING +- +a person agreed/)
    expect(await json(['explain', '--table'])).toMatchObject({ table: expect.any(Array) })
  })

  it.each([
    [[], { agents: null, fresh: false }],
    [['--fresh'], { agents: null, fresh: true }],
    [['--agents', 'pi, claude'], { agents: ['pi', 'claude'], fresh: false }],
  ])('builds the image %j: %j', async (options, expected) => {
    const asked: unknown[] = []
    const buildImage: World['buildImage'] = (_config, _progress, wanted) => {
      asked.push(wanted)
      return Promise.resolve('sha256:1')
    }
    expect((await machine.run(['image', 'build', ...options], { buildImage })).code).toBe(0)
    expect(asked).toEqual([expected])
  })

  it('builds no image with an agent that there is not', async () => {
    const { code, error } = await machine.run(['image', 'build', '--agents', 'claude,clod'])
    expect(code).toBe(2)
    expect(error).toContain('An image has agents out of claude, codex, gemini, opencode, pi.')
  })

  it('builds the image, with progress', async () => {
    const buildImage = (_: unknown, progress: (line: string) => void): Promise<string> => {
      progress('step 1\n')
      return Promise.resolve('sha256:1')
    }
    const { code, out } = await machine.run(['image', 'build'], { buildImage })
    expect([code, out]).toEqual([0, 'step 1\nThe image is ready: sha256:1\n'])
  })

  it.each([
    ['engine', 7],
    ['image', 7],
    ['repository', 2],
    ['busy', 7],
  ] as const)('a failure of %s ends with code %i and one sentence', async (code, exit) => {
    const buildImage = (): Promise<string> => Promise.reject(new Failure(code, 'It is down. Start it.'))
    expect(await machine.run(['image', 'build'], { buildImage })).toEqual({
      code: exit,
      out: '',
      error: 'cofferdam: It is down. Start it.\n',
    })
  })

  it.each<[string[], string]>([
    [['task', 'show', 'nope'], 'is no task id'],
    [['task', 'show', unknown], 'There is no task'],
    [['task', 'logs', unknown, '--step', 'x'], 'is no step'],
    [['task', 'list', '--limit', '0'], 'a number from 1 to 1000'],
    [['task', 'list', '--status', 'done'], 'with commas between them'],
    [['task', 'resume', unknown, '--steps', '-3'], 'at least 1 step'],
    [['task', 'steer', unknown, ' '], 'The text is empty'],
    [['task', 'approve', unknown, '--revision', '0'], '--revision takes the number that was shown'],
    [['task', 'reject', unknown, '--revision', 'x'], '--revision takes the number that was shown'],
    [['task', 'explode'], 'unknown command'],
    [['doctor', '--config', '/nowhere.yaml'], '/nowhere.yaml'],
  ])('%j is told in a sentence, with code 2', async (args, sentence) => {
    const { code, error, out } = await machine.run(args)
    expect([code, out]).toEqual([2, ''])
    expect(error).toContain(sentence)
  })

  it('refuses a configuration with an unknown key, with its line', async () => {
    const file = join(machine.folder, 'c.yaml')
    writeFileSync(file, 'concurrency: 1\nagnet: x\n')
    const { code, error } = await machine.run(['task', 'list', '--config', file])
    expect([code, error]).toEqual([2, expect.stringContaining('Line 2')])
  })

  it.each<[string[]]>([[['--help']], [['run', '--help']], [['task', '--help']]])('%j helps', async (args) => {
    const { code, out }: Ended = await machine.run(args)
    expect([code, out.includes('Usage: cofferdam')]).toEqual([0, true])
  })

  it('documents its exit codes', async () => {
    expect((await machine.run(['--help'])).out).toMatch(/Exit codes:\n +0 .*\n(?: +\d+ .*\n)+/)
  })
})
