import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { thisProcess } from '../../src/config/environment.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Finding } from '../../src/domain/control-plane.ts'
import { applies, beginStep, blocks, type Script, worksForever } from '../support/scripted-plane.ts'
import { type ScriptedMachine, scriptedMachine } from '../support/scripted-world.ts'
import { until } from '../support/until.ts'

let machine: ScriptedMachine
beforeEach(() => {
  machine = scriptedMachine(applies)
})
afterEach(() => machine.remove())

const run = ['run', '--repo', '.', '--goal', 'Make the tests pass', '--', 'true']
const risky = ['run', '--repo', '.', '--goal', 'sudo make it so', '--', 'true']

/** The id of the task that a command speaks of. */
function idIn(text: string): string {
  return /[Tt]ask ([a-z2-7]{10})/.exec(text)?.[1] ?? 'no id'
}

describe('run', () => {
  it('shows each step and ends with where the work is and what to do next', async () => {
    const { code, out, error } = await machine.run(run)
    expect([code, error]).toEqual([0, `Made the data folder ${machine.data}.\n`])
    const id = idIn(out)
    expect(out.replaceAll(id, 'ID').replaceAll(/ +$/gm, '')).toBe(
      `Task ID  main of ${machine.folder}
  ! Uncommitted changes are not part of the task.
  Submitted.
  Started.
  The worktree is ready.

Step 1/8  20m 00s left
    agent │ editing a.txt
    agent │ half a line
  The agent ended with DONE.
  The tree is inside the policy.
  1 file changed (+1 −1).
  ✔ The test passes.
  ● Checkpoint bbbbbbbbbb after step 1/8.
  ✔ Applied: cofferdam/ID holds the work, tests pass.

APPLIED  The tests pass.
  used     1 step, 0s
  branch   cofferdam/ID in ${machine.folder}
  changes  cofferdam task diff ID
  commits  git -C ${machine.folder} log --oneline aaaaaaaaaa..cofferdam/ID
  by hand  git -C ${machine.folder} merge cofferdam/ID

Next:
  cofferdam task merge ID  merge it
`,
    )
  })

  it('writes one JSON object per line for machines', async () => {
    const { code, out } = await machine.run([...run.slice(0, 5), '--json', '--', 'true'])
    const lines = out
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line))
    expect(code).toBe(0)
    expect(lines[0]).toMatchObject({ type: 'task', task: { status: 'PENDING' }, notes: [expect.any(String)] })
    expect(lines.at(-1)).toMatchObject({ type: 'result', task: { status: 'APPLIED', outcome: 'tested' } })
    expect(lines).toContainEqual({ type: 'output', step: 1, box: 'agent', text: 'line' })
    expect(lines.filter((line) => JSON.stringify(line).startsWith('{"type":"event"'))).toHaveLength(10)
  })

  it.each<[string, Script, number, string]>([
    ['BLOCKED', blocks, 3, '--instruction TEXT'],
    [
      'FAILED',
      ({ report }) => report({ type: 'failed', reason: 'worktree', text: 'Broken.' }),
      4,
      'cofferdam task resume',
    ],
    ['TIMEOUT', ({ report }) => report({ type: 'budget_spent', reason: 'time' }), 5, '--minutes 30'],
    // What is to be mended outside the task has a code of its own, in whatever state it is.
    [
      'FAILED',
      ({ report }) => report({ type: 'failed', reason: 'engine', text: 'It is gone.' }),
      7,
      'cofferdam doctor',
    ],
    [
      'BLOCKED',
      ({ report }) => report({ type: 'halted', reason: 'image', text: 'It is gone.' }),
      7,
      'cofferdam image build',
    ],
    [
      'BLOCKED',
      ({ report }) => report({ type: 'halted', reason: 'disk', text: 'It is full.' }),
      7,
      'cofferdam doctor',
    ],
  ])('ends with the exit code of %s, and says how to go on', async (status, script, exit, next) => {
    const { code, out } = await machine.run(run, { script })
    expect(code).toBe(exit)
    expect(out).toContain(`\n${status}  `)
    expect(out).toContain(next)
  })

  it('reads the goal from standard input', async () => {
    const { out } = await machine.run(['run', '--repo', '.', '--goal', '-', '--json', '--', 'true'], {
      input: 'Mend it\n',
    })
    expect(out).toContain('"goal":"Mend it"')
  })

  it.each(['engine', 'image'])('makes no task without the %s, and says what to do', async (name) => {
    const findings: readonly Finding[] = [{ name, state: 'problem', text: 'It is not there. Make it.' }]
    const { code, out, error } = await machine.run(run, { behaviour: { findings } })
    expect([code, out]).toEqual([7, ''])
    expect(error).toContain('cofferdam: It is not there. Make it.\n')
    expect((await machine.run(['task', 'list'])).out).toContain('No tasks yet')
  })

  it('says in its help which budget there is without a word about it', async () => {
    const { out } = await machine.run(['run', '--help'])
    const { steps, seconds } = loadConfig({}, { ...thisProcess(), env: {}, home: machine.folder }).tasks
      .budget
    const words = out.replaceAll(/\s+/g, ' ')
    expect(words).toContain(`task.steps of the configuration, else ${steps})`)
    expect(words).toContain(`task.minutes of the configuration, else ${seconds / 60})`)
  })

  it('has examples that can work: what npx runs has been installed by a setup', async () => {
    const { out } = await machine.run(['run', '--help'])
    const examples = out.split('\n').filter((line) => line.startsWith('  cofferdam run '))
    expect(examples.length).toBeGreaterThan(1)
    expect(examples.filter((line) => / -- npx /.test(line) && !line.includes('--setup '))).toEqual([])
  })

  it('does not say how to merge into a repository that is bare', async () => {
    execFileSync('git', ['init', '--quiet', '--bare', join(machine.folder, 'bare.git')])
    const { out } = await machine.run(['run', '--repo', 'bare.git', '--goal', 'x', '--', 'true'])
    expect(out).toContain(`git pull ${machine.folder}/bare.git cofferdam/`)
    expect(out).not.toMatch(/git .* merge /)
  })

  it('says which other tasks wait and are not worked on', async () => {
    const waiting = idIn((await machine.run(risky)).out)
    await machine.run(['task', 'approve', waiting, '--detach'])
    const { out, code } = await machine.run(run)
    expect(code).toBe(0)
    expect(out).toContain(`Another task waits and will not be worked on here: ${waiting}.`)
    expect((await machine.run(['task', 'show', waiting, '--json'])).out).toContain('"status":"PENDING"')
  })

  it('at a terminal says while the agent works what its models have cost so far', async () => {
    const spends: Script = async (turn) => {
      beginStep(turn)
      while (!turn.signal.aborted) {
        await sleep(20)
        turn.output('agent', '', [{ kind: 'spent', tokens: 4711, costUsd: 1.25 }])
        turn.output('agent', 'reading\n')
      }
    }
    const command = machine.start(run, { live: true, script: spends })
    await command.printed('left · 4711 tokens · 1.25 USD')
    command.signal('SIGINT')
    expect(await command.code).toBe(6)
  })

  it('keeps one live line at a terminal, and leaves none behind', async () => {
    const { out } = await machine.run(run, { live: true })
    expect(out).toContain('step 1/8 · agent at work · 0s · 20m 00s of 20m 00s left')
    const last = out.split('\n').at(-1) ?? ''
    expect(last).toBe('')
  })
})

describe('a task that wants a person', () => {
  it('is left with all reasons and the command where nobody is there', async () => {
    const { code, out } = await machine.run(risky)
    expect(code).toBe(3)
    expect(out).toContain('words: The goal says "sudo".')
    expect(out).toContain(`cofferdam task approve ${idIn(out)} --revision 1 `)
  })

  it('is left to be decided on as it was shown, by SIGTERM while the question stands', async () => {
    const command = machine.start(risky, { answers: [] })
    await command.printed('[a]pprove')
    command.signal('SIGTERM')
    expect(await command.code).toBe(143)
    const id = idIn(command.out())
    expect(command.out()).toContain(
      `waits for a decision: \`cofferdam task approve ${id} --revision 1\` runs it.`,
    )
  })

  it('is approved on record by --yes', async () => {
    const { code, out } = await machine.run(['run', '--yes', ...risky.slice(1)])
    expect(code).toBe(0)
    expect(out).toContain('» Approved.')
  })

  it.each([
    [['a'], 0, 'APPLIED'],
    [['what?', 'approve'], 0, 'APPLIED'],
    [['r'], 6, 'REJECTED'],
    [['l'], 3, 'DRAFT'],
    [[null], 3, 'DRAFT'],
  ])('is asked about at a terminal: %j', async (answers, exit, status) => {
    const { code, out } = await machine.run(risky, { answers })
    expect(code).toBe(exit)
    expect(out).toContain(`\n${status}  `)
  })

  it('goes on when it is decided elsewhere while the question stands', async () => {
    const command = machine.start(risky, { answers: [] })
    await command.printed('[a]pprove')
    const other = await machine.run(['task', 'approve', idIn(command.out()), '--detach'])
    expect([other.code, await command.code]).toEqual([0, 0])
    expect(command.out()).toContain('APPLIED')
  })
})

describe('a draft that is changed elsewhere while the question stands', () => {
  it('is shown and asked about anew', async () => {
    const command = machine.start(risky, { answers: [] })
    await command.printed('[a]pprove')
    const id = idIn(command.out())
    await machine.run(['task', 'suggest', id, 'and mind the gap'])
    await command.printed('It was changed meanwhile.')
    expect((await machine.run(['task', 'approve', id, '--detach'])).code).toBe(0)
    expect(await command.code).toBe(0)
    expect(command.out()).toContain(
      'goal: sudo make it so\n\n    and mind the gap'.replace('\n\n', '\n    \n'),
    )
    expect(command.out().match(/\[a\]pprove/g)).toHaveLength(2)
  })
})

describe('run, when it is interrupted', () => {
  it('Ctrl-C stops the task cleanly and says how to resume it', async () => {
    const command = machine.start(run, { script: worksForever })
    await command.printed('working')
    command.signal('SIGINT')
    expect(await command.code).toBe(6)
    const id = idIn(command.out())
    expect(command.out()).toContain('Stopping task')
    expect(command.out()).toMatch(/\nSTOPPED {2}/)
    expect(command.out()).toContain(`cofferdam task resume ${id}`)
    expect((await machine.run(['task', 'resume', id])).code).toBe(0)
  })

  it('a second Ctrl-C leaves at once', async () => {
    const command = machine.start(run, { script: worksForever })
    await command.printed('working')
    command.signal('SIGINT')
    command.signal('SIGINT')
    expect(command.exits).toEqual([130])
    const id = idIn(command.out())
    expect(command.out()).toContain(
      `Left while task ${id} was being stopped: \`cofferdam task show ${id}\` says whether it is.`,
    )
    await command.code
  })

  it('SIGTERM leaves the task to the next process, and says so', async () => {
    const command = machine.start(run, { script: worksForever })
    await command.printed('working')
    command.signal('SIGTERM')
    expect(await command.code).toBe(143)
    const id = idIn(command.out())
    expect(command.out()).toContain(`cofferdam task watch ${id}`)
    const watching = await machine.run(['task', 'watch', id])
    expect([watching.code, watching.out.includes('APPLIED')]).toEqual([0, true])
  })

  it('names the data folder in the commands that it suggests, where it was named', async () => {
    const data = `${machine.folder}/other data`
    const { out } = await machine.run(['run', '--data', data, ...risky.slice(1)])
    expect(out).toContain(`--data '${data}'`)
  })
})

describe('run, when it is interrupted before there is a task', () => {
  it.each<['SIGINT' | 'SIGTERM', number]>([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('%s before it is submitted leaves nothing', async (name, code) => {
    const { owner, arrived } = await machine.hanging({ call: 'doctor', when: 'before' })
    const command = machine.start(run)
    await arrived
    command.signal(name)
    expect(await command.code).toBe(code)
    expect(command.out()).toContain('No task was made.\n')
    expect((await machine.run(['task', 'list'])).out).toContain('No tasks yet')
    owner.signal('SIGTERM')
    await owner.code
  })

  it.each(['before', 'after'] as const)(
    'Ctrl-C while it is submitted stops the task, also where the answer was lost %s it was made',
    async (when) => {
      const { owner, arrived } = await machine.hanging({ call: 'submit', when })
      const command = machine.start(run, { script: worksForever })
      await arrived
      command.signal('SIGINT')
      expect(command.out()).toBe('Stopping the task as soon as it is made… (Ctrl-C again leaves at once)\n')
      await owner.kill()
      expect(await command.code).toBe(6)
      const id = idIn(command.out())
      expect(command.out()).toContain(`Stopping task ${id}…`)
      expect(command.out()).toMatch(/\nSTOPPED {2}/)
      const { out } = await machine.run(['task', 'list', '--json'])
      expect(out.match(/"status":"[A-Z]+"/g)).toEqual(['"status":"STOPPED"'])
      owner.signal('SIGTERM')
      await owner.code
    },
  )

  it('Ctrl-C while a draft is submitted stops it without a question', async () => {
    const { owner, arrived } = await machine.hanging({ call: 'submit', when: 'after' })
    const command = machine.start(risky, { answers: [] })
    await arrived
    command.signal('SIGINT')
    await owner.kill()
    expect([await command.code, command.out().includes('[a]pprove')]).toEqual([6, false])
    owner.signal('SIGTERM')
    await owner.code
  })

  it.each<[readonly ('SIGINT' | 'SIGTERM')[], 'exits' | 'code', number]>([
    [['SIGINT', 'SIGINT'], 'exits', 130],
    [['SIGTERM'], 'code', 143],
  ])('%j while it is submitted leaves at once, and says what may be there', async (names, how, code) => {
    const { owner, arrived } = await machine.hanging({ call: 'submit', when: 'after' })
    const command = machine.start(run)
    await arrived
    for (const name of names) command.signal(name)
    if (how === 'code') expect(await command.code).toBe(code)
    else expect(command.exits).toEqual([code])
    expect(command.out()).toContain(
      'The task may have been made all the same: `cofferdam task list` shows it.\n',
    )
    await owner.kill()
    await command.code
    owner.signal('SIGTERM')
    await owner.code
  })
})

describe('two processes on one data folder', () => {
  it('the second works in the first, and both see their own task', async () => {
    const first = machine.start(run, { script: worksForever })
    await first.printed('working')
    const second = machine.start(run, { script: applies })
    await second.printed('working')
    expect(idIn(second.out())).not.toBe(idIn(first.out()))
    second.signal('SIGINT')
    expect(await second.code).toBe(6)
    expect(first.out()).not.toContain('STOPPED')
    first.signal('SIGINT')
    expect(await first.code).toBe(6)
  })

  it('goes on as the owner when the process that ran it is gone', async () => {
    const first = machine.start(run, { script: worksForever })
    await first.printed('working')
    const second = machine.start(run, { script: applies })
    await second.printed('working')
    first.signal('SIGTERM')
    expect(await first.code).toBe(143)
    expect(await second.code).toBe(0)
    expect(second.out()).toContain('The process that ran this has gone; going on here.')
    expect(second.out().match(/Submitted\./g)).toHaveLength(1)
    expect(second.out()).toMatch(/\nAPPLIED {2}/)
  })

  it.each(['before', 'after'] as const)(
    'submits again when the process that takes the task dies %s it is made: it is one task',
    async (when) => {
      const { owner, arrived } = await machine.hanging({ call: 'submit', when })
      const second = machine.start(run)
      await arrived
      await owner.kill()
      expect(await second.code).toBe(0)
      expect(second.out().match(/Submitted\./g)).toHaveLength(1)
      const { out } = await machine.run(['task', 'list', '--json'])
      expect(out.match(/"status":"APPLIED"/g)).toHaveLength(1)
      expect(out.match(/"status":/g)).toHaveLength(1)
      owner.signal('SIGTERM')
      await owner.code
    },
  )

  it('stops the task where it goes on, when the stop meets the end of the other process', async () => {
    const first = machine.start(run, { script: worksForever })
    await first.printed('working')
    const second = machine.start(run, { script: worksForever })
    await second.printed('working')
    const killed = first.kill()
    second.signal('SIGINT')
    await killed
    expect(await second.code).toBe(6)
    expect(second.out()).toMatch(/\nSTOPPED {2}/)
    first.signal('SIGTERM')
    await first.code
  })

  it('tells a second server who is there', async () => {
    const first = machine.start(['serve'])
    await first.printed('Working on the tasks')
    const second = await machine.run(['serve'])
    expect(second.code).toBe(7)
    expect(second.error).toContain(`Process ${process.pid} (serve) holds the data folder`)
    first.signal('SIGTERM')
    expect(await first.code).toBe(0)
  })

  it('lets a data folder go that another server could take', async () => {
    const first = machine.start(['serve'])
    await first.printed('Working on the tasks')
    rmSync(join(machine.data, 'lock.db'))
    expect(await first.code).toBe(7)
    expect(first.error()).toContain(
      `The data folder ${machine.data} is gone from its place, or its lock.db is`,
    )
    const second = machine.start(['serve'])
    await second.printed('Working on the tasks')
    second.signal('SIGTERM')
    expect(await second.code).toBe(0)
  })

  it('ends a command at once whose data folder another process could take', async () => {
    const first = machine.start(run, { script: worksForever })
    await first.printed('working')
    rmSync(join(machine.data, 'lock.db'))
    await until(() => first.exits.length > 0)
    expect(first.exits).toEqual([7])
    expect(first.error()).toContain(
      `The data folder ${machine.data} is gone from its place, or its lock.db is`,
    )
    await first.kill()
  })
})

describe('what is wrong with the input', () => {
  it.each<[string, string[], string]>([
    ['no repository', ['--goal', 'x', '--', 'true'], 'Say which repository'],
    ['no goal', ['--repo', '.', '--', 'true'], 'Say what should be done'],
    ['an empty goal', ['--repo', '.', '--goal', ' ', '--', 'true'], 'The goal is empty'],
    ['a negative budget', ['--repo', '.', '--goal', 'x', '--steps', '-1', '--', 'true'], 'at least 1 step'],
    [
      'a budget in words',
      ['--repo', '.', '--goal', 'x', '--minutes', 'ten', '--', 'true'],
      'number of minutes',
    ],
    ['no program', ['--repo', '.', '--goal', 'x', '--agent', 'command'], 'needs a program to run'],
    [
      'a program for another agent',
      ['--repo', '.', '--goal', 'x', '--agent', 'pi', '--', 'ls'],
      'takes none',
    ],
    ['an address', ['--repo', 'https://example.org/x.git', '--goal', 'x', '--', 'true'], 'clone it first'],
    ['a goal without quotes', ['--repo', '.', '--goal', 'fix', 'the', 'bug'], '"the bug" is not understood'],
    ['a bad pattern', ['--repo', '.', '--goal', 'x', '--deny', '!a', '--', 'true'], 'pattern'],
    ['an unknown option', ['--repo', '.', '--gaol', 'x'], '--gaol'],
  ])('%s is told in a sentence', async (_, options, sentence) => {
    const { code, error, out } = await machine.run(['run', ...options])
    expect([code, out]).toEqual([2, ''])
    expect(error).toContain(sentence)
    expect(error).not.toContain('    at ')
  })

  it('shows the stack of a failure only on demand', async () => {
    const env = { COFFERDAM_DEBUG: '1' }
    expect((await machine.run(['run', '--repo', '.'], { env })).error).toContain('    at ')
  })

  it('reports what is no expected failure as a bug', async () => {
    const script: Script = (turn) => beginStep(turn)
    const buildImage = (): never => {
      throw new TypeError('oops')
    }
    const { code, error } = await machine.run(['image', 'build'], { script, buildImage })
    expect([code, error]).toEqual([
      1,
      'cofferdam: This is a bug, please report it: oops. COFFERDAM_DEBUG=1 shows where.\n',
    ])
  })

  it('names what is in the way where a folder of its own is none', async () => {
    const script: Script = (turn) => beginStep(turn)
    const buildImage = (): never => {
      readdirSync(join(import.meta.filename, 'tasks'))
      throw new Error('that was read')
    }
    const { code, error } = await machine.run(['image', 'build'], { script, buildImage })
    expect([code, error]).toEqual([
      7,
      `cofferdam: ${import.meta.filename}/tasks cannot be used (ENOTDIR): see what is there now, mend that, and try again.\n`,
    ])
  })
})

describe('run on a repository by URL', () => {
  const named = ['run', '--repo', 'shop', '--goal', 'Make the tests pass', '--', 'true']

  it('tells what is waited for, once each, and goes on when the remote is there', async () => {
    const away = ['shop is being cloned (begun): try again in a moment.']
    const { code, out } = await machine.run(named, { behaviour: { away } })
    expect(code).toBe(0)
    expect(out).toContain(
      'shop is being cloned (begun): try again in a moment. Waiting for it; Ctrl-C leaves.',
    )
    expect(out).toMatch(/Task [a-z2-7]{10} {2}main of shop\n/)
    expect(out).toMatch(/branch {3}cofferdam\/[a-z2-7]{10} in the mirror of shop\n/)
    expect(out).toMatch(/apply {4}cofferdam task diff [a-z2-7]{10} \| git apply {2}# in a clone of it\n/)
    expect(out).not.toContain('git -C')
  })
})
