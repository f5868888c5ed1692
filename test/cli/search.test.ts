import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseTime } from '../../src/cli/since.ts'
import { applies, blocks } from '../support/scripted-plane.ts'
import { type ScriptedMachine, scriptedMachine } from '../support/scripted-world.ts'

let machine: ScriptedMachine
beforeEach(() => {
  machine = scriptedMachine(applies)
})
afterEach(() => machine.remove())

async function made(goal: string, script = applies, repo = '.'): Promise<string> {
  const { out } = await machine.run(['run', '--repo', repo, '--goal', goal, '--', 'true'], { script })
  return /Task ([a-z2-7]{10})/.exec(out)?.[1] ?? 'no id'
}

describe('cofferdam search', () => {
  it('shows what it finds, and where, also in a process of its own', async () => {
    const first = await made('Mend the parser\nand its tests')
    const second = await made('Rewrite the lexer', blocks)
    await made('Something else')
    const { code, out } = await machine.run(['search', 'pars'])
    expect([code, out.split('\n').map((line) => line.replace(/ \d+s /, ' 0s '))]).toEqual([
      0,
      [
        expect.stringMatching(new RegExp(`^${first}  APPLIED  0s +\\S+ +Mend the parser$`)),
        '    goal: Mend the parser and its tests',
        '',
      ],
    ])
    expect((await machine.run(['search', 'which', 'word'])).out).toContain(`${second}  BLOCKED`)
    const { out: json } = await machine.run(['search', 'which word', '--json'])
    expect(JSON.parse(json)).toMatchObject({ hits: [{ task: { id: second } }], more: false, behind: 0 })
  })

  it('keeps together what the shell has kept together', async () => {
    await made('fix the parser')
    expect((await machine.run(['search', 'now', 'the parser'])).out).toContain(
      'No task has all of: now "the parser"',
    )
    expect((await machine.run(['search', 'fix', 'parser fix'])).out).toContain('No task has all of')
    expect((await machine.run(['search', 'fix', 'the parser'])).out).toContain('fix the parser')
  })

  it('is narrowed by --repo (also by another name of it), --status, --since and --until', async () => {
    await made('mend it')
    symlinkSync(machine.folder, join(machine.folder, 'again'))
    const found = async (...args: readonly string[]) => {
      const { out } = await machine.run(['search', 'mend', ...args])
      return out.includes('APPLIED')
    }
    expect(await found()).toBe(true)
    expect(await found('--repo', '.')).toBe(true)
    expect(await found('--repo', 'src/deep')).toBe(true)
    expect(await found('--repo', 'again')).toBe(true)
    expect(await found('--repo', '/elsewhere')).toBe(false)
    expect(await found('--status', 'applied,blocked')).toBe(true)
    expect(await found('--status', 'blocked')).toBe(false)
    expect(await found('--since', '1h')).toBe(true)
    expect(await found('--since', '2100-01-01')).toBe(false)
    expect(await found('--until', '1h')).toBe(false)
  })

  it('says that there are more', async () => {
    await made('mend it')
    await made('mend it')
    expect((await machine.run(['search', 'mend', '--limit', '1'])).out).toContain(
      'There are more: --limit shows',
    )
  })

  it.each(['', '"', '*', '修复', 'C++', "it's", '--', 'x'.repeat(10_000)])(
    'B30 takes %.20j without an error',
    async (text) => {
      await made('mend it')
      const { code, out, error } = await machine.run(['search', '--', text])
      expect([code, error]).toEqual([0, ''])
      expect(out).toMatch(/^(No task has all of|There is no word to look for)/)
    },
  )

  it.each([
    [['--limit', '0'], '--limit takes a number from 1 to 100'],
    [['--status', 'done'], '--status takes some of'],
    [['--since', 'yesterday'], '--since takes how long ago'],
    [['--until', '2026-99-01'], '--until takes how long ago'],
  ])('refuses %j', async (args, says) => {
    const { code, error } = await machine.run(['search', 'x', ...args])
    expect(code).not.toBe(0)
    expect(error).toContain(says)
  })
})

describe('a time', () => {
  const now = Date.UTC(2026, 0, 31, 12)
  it.each([
    ['90m', now - 90 * 60_000],
    ['12h', now - 12 * 3_600_000],
    ['3d', now - 3 * 86_400_000],
    ['2w', now - 14 * 86_400_000],
    ['2026-01-30', new Date(2026, 0, 30).getTime()],
    ['2026-01-30T10:00:00Z', Date.UTC(2026, 0, 30, 10)],
  ])('%s', (text, expected) => {
    expect(parseTime(text, now)).toBe(expected)
  })
})
