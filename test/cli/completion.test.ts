import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { applies } from '../support/scripted-plane.ts'
import { scriptedMachine } from '../support/scripted-world.ts'

const shells = ['bash', 'zsh', 'fish'] as const
const there = (shell: string): boolean => spawnSync(shell, ['-c', 'exit 0']).status === 0

let folder: string
const scriptOf = (shell: string): string => join(folder, `completion.${shell}`)

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-completion-'))
  const machine = scriptedMachine(applies)
  for (const shell of shells) {
    const { out } = await machine.run(['completion', shell])
    writeFileSync(scriptOf(shell), out)
  }
  machine.remove()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What bash would offer for a line; its last word is the one that is being written. */
function offered(...words: readonly string[]): readonly string[] {
  const script =
    'source "$0"; COMP_WORDS=(cofferdam "$@"); COMP_CWORD=$#; _cofferdam; printf "%s\\n" "${COMPREPLY[@]}"'
  const out = execFileSync('bash', ['-c', script, scriptOf('bash'), ...words], { encoding: 'utf8' })
  return out.split('\n').filter((line) => line !== '')
}

describe('bash', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['commands', ['ta'], ['task']],
    ['commands of commands', ['task', 're'], ['reject', 'resume', 'review']],
    ['commands after options', ['task', '--json', 'appr'], ['approve']],
    ['options', ['task', 'resume', 'aaaaaaaaaa', '--st'], ['--steps']],
    ['options of the command alone', ['run', '--rev'], []],
    ['no words in the place of a value', ['run', '--repo', ''], []],
    ['nothing that is for another program', ['run', '--', 'ta'], []],
    ['shells', ['completion', ''], ['bash', 'zsh', 'fish']],
    ['a server', ['task', 'list', '--ser'], ['--server']],
    ['no server where there is only a folder', ['serve', '--ser'], []],
  ])('is offered %s', (_name, words, expected) => {
    expect(offered(...words)).toEqual(expected)
  })

  it('is offered every command', () => {
    const commands = offered('')
    expect(commands).toEqual(expect.arrayContaining(['run', 'task', 'token', 'audit', 'serve', 'search']))
  })
})

/** The end of a test's name where it is skipped. */
const reason = (shell: string): string => (there(shell) ? '' : ` (not tried: ${shell} is not installed)`)

describe('fish', () => {
  const fish = shells[2]
  it.skipIf(!there(fish)).each<[string, string, readonly string[]]>([
    ['commands', 'ta', ['task']],
    ['commands of commands', 'task re', ['reject', 'resume', 'review']],
    ['options', 'task resume aaaaaaaaaa --st', ['--steps']],
    ['no server where there is only a folder', 'serve --ser', []],
  ])(`is offered %s${reason(fish)}`, (_name, words, expected) => {
    const script = `source ${scriptOf(fish)}; complete -C 'cofferdam ${words}'`
    // It writes what it has seen into the folders of its user.
    const env = { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder }
    const out = execFileSync(fish, ['-c', script], { encoding: 'utf8', env })
    const names = out.split('\n').flatMap((line) => line.split('\t')[0] || [])
    expect(names).toEqual(expected)
  })
})

describe.each(shells)('%s', (shell) => {
  it.skipIf(!there(shell))(`takes the script${reason(shell)}`, () => {
    const check = shell === 'fish' ? ['--no-execute', scriptOf(shell)] : ['-n', scriptOf(shell)]
    expect(spawnSync(shell, check, { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
  })
})

it('refuses a shell that it does not know', async () => {
  const machine = scriptedMachine(applies)
  const { code, error } = await machine.run(['completion', 'tcsh'])
  expect([code, error]).toEqual([2, expect.stringContaining('Allowed choices are bash, zsh, fish')])
  machine.remove()
})
