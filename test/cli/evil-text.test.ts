import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { jsonLine } from '../../src/cli/render/json.ts'
import { applies, blocks } from '../support/scripted-plane.ts'
import { type Ended, type ScriptedMachine, scriptedMachine } from '../support/scripted-world.ts'

// What a terminal obeys: escape sequences, their one-byte forms (C1), and marks that turn the direction of text.
const escapes = '\u001b[2J\u001b]0;title\u0007'
const c1 = '\u009b2J\u009d0;title\u009c'
const turned = '\u202eevil\u2066'
const evil = `a${escapes}b${c1}c${turned}d\u007f`
const obeyed = /(?![\n\t])[\p{Cc}\p{Bidi_Control}]/u

let machine: ScriptedMachine
beforeEach(() => {
  machine = scriptedMachine(applies)
})
afterEach(() => machine.remove())

const repository = (): string => join(machine.folder, evil)
// Git takes no control characters in a ref.
const ref = `main${turned}`
const submission = (goal: string, ...more: string[]): string[] => {
  const options = ['--ref', ref, '--goal', goal, '--test', evil, '--readonly', `a${turned}`]
  return ['run', '--repo', repository(), ...options, ...more, '--', 'echo', evil]
}
const idIn = (text: string): string => /[Tt]ask ([a-z2-7]{10})/.exec(text)?.[1] ?? 'no id'

const behaviour = { notes: [evil], findings: [{ name: 'engine', state: 'warning', text: evil }] } as const

/** Each command that shows what came from a repository, an agent or a person. */
const commands: readonly (readonly [string, (...more: string[]) => Promise<Ended>])[] = [
  ['run, applied', (...more) => machine.run(submission(evil, ...more), { behaviour })],
  [
    'run, blocked',
    (...more) =>
      machine.run(submission(evil, ...more), {
        behaviour,
        script: (turn) => {
          turn.output('agent', `${evil}\n${evil}`)
          turn.report({ type: 'advanced', phase: 'setup', text: evil })
          turn.report({ type: 'halted', reason: 'setup', text: evil })
          turn.report({ type: 'salvaged', head: turn.task.head, text: evil })
        },
      }),
  ],
  ['run, a draft', (...more) => machine.run(submission(`sudo ${evil}`, ...more), { behaviour })],
  ['task approve', async (...more) => machine.run(['task', 'approve', await draft(), ...more])],
  [
    'task reject',
    async (...more) => machine.run(['task', 'reject', await draft(), '--reason', evil, ...more]),
  ],
  ['task show', async (...more) => machine.run(['task', 'show', await blocked(), ...more])],
  ['task watch', async (...more) => machine.run(['task', 'watch', await blocked(), ...more])],
  ['task discard', async (...more) => machine.run(['task', 'discard', await blocked(), ...more])],
  [
    'task list',
    async (...more) => {
      await draft()
      return machine.run(['task', 'list', ...more])
    },
  ],
  ['task logs', async (...more) => machine.run(['task', 'logs', await blocked(), ...more])],
]

async function draft(): Promise<string> {
  return idIn((await machine.run(submission(`sudo ${evil}`))).out)
}

async function blocked(): Promise<string> {
  return idIn((await machine.run(submission(evil), { script: blocks })).out)
}

describe.each(commands)('%s', (name, command) => {
  it('prints nothing that a terminal obeys', async () => {
    const { out, error } = await command()
    expect(out).not.toBe('')
    expect(`${out}${error}`).not.toMatch(obeyed)
  })

  it('prints JSON with the same text, of which a terminal obeys nothing', async () => {
    const { out, error } = await command('--json')
    expect(`${out}${error}`).not.toMatch(obeyed)
    const values = out
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line))
    if (name !== 'task logs') expect(texts(values).some((text) => text.includes(evil))).toBe(true)
  })
})

function texts(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(texts) : []
}

it('a lone surrogate is escaped in JSON', () => {
  expect(jsonLine('a\ud800b')).toBe(String.raw`"a\ud800b"` + '\n')
})
