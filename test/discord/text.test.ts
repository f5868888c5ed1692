import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { commands } from '../../src/discord/commands/definitions.ts'
import { sameCommands } from '../../src/discord/commands/same.ts'
import { callerOf } from '../../src/discord/members.ts'
import { tailBlock, cut, duration, escaped, line } from '../../src/discord/text.ts'
import { commands as commandsSchema } from '../support/discord/shapes.ts'

describe('what others wrote', () => {
  it.each([
    ['**bold** _x_ ~~y~~', '\\*\\*bold\\*\\* \\_x\\_ \\~\\~y\\~\\~'],
    ['# title', '\\# title'],
    ['a - b # c', 'a - b # c'],
    ['- item\n> quote', '\\- item\n\\> quote'],
    ['a\n\n  \t- b\n\u2028# c', 'a\n\n  \t\\- b\n\u2028\\# c'],
    ['[a](http://x)', '\\[a\\](http://x)'],
    ['@everyone <@1>', '@\u200beveryone \\<@\u200b1>'],
    ['a\u001b[31mb\u202ec\r\nd', 'abc\nd'],
  ])('%j is shown letter by letter', (text, shown) => {
    expect(escaped(text)).toBe(shown)
  })

  it('holds no mention, whatever it is', () => {
    fc.assert(fc.property(fc.string(), (text) => !/<@[!&]?\d+>|@(?:everyone|here)/.test(escaped(text))))
  })

  it('is cut to its length, never in the middle of a character or an escape', () => {
    const any = fc.string({ unit: 'binary' })
    fc.assert(
      fc.property(any, fc.integer({ min: 3, max: 40 }), (text, length) => {
        const shown = cut(escaped(text), length)
        expect(shown.length).toBeLessThanOrEqual(length)
        expect(shown).not.toMatch(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?:^|[^\\])(?:\\\\)*\\…$/)
      }),
    )
  })

  // Read from each empty line to the last, these take longer than the test may, and else some milliseconds.
  it.each(['\n', '\u2028', ' ', ' \n'])(
    'is read once, however many %j there are',
    { timeout: 5000 },
    (blank) => {
      const text = `a${blank.repeat(100_000)}b`
      expect(escaped(text)).toBe(text)
    },
  )

  it('as a line has no line ends, and as a block ends where the block does', () => {
    expect(line('a\n\n b', 10)).toBe('a b')
    expect(tailBlock('x```y', 100)).toBe('```\nx`\u200b``y\n```')
    expect(tailBlock('0123456789', 16)).toBe('```\n…56789\n```')
  })
})

it.each([
  [0, '0s'],
  [59_400, '59s'],
  [185_000, '3m 05s'],
  [3_720_000, '1h 02m'],
])('%d ms are %s', (ms, shown) => {
  expect(duration(ms)).toBe(shown)
})

describe('the commands', () => {
  it('are as Discord takes them', () => {
    expect(commandsSchema.safeParse(commands).error).toBeUndefined()
  })

  it('are not registered again where they are there, whatever Discord adds and leaves out', () => {
    const theirs = commands.toReversed().map((one) => ({
      ...one,
      id: '1',
      version: '2',
      type: 1,
      nsfw: false,
      default_member_permissions: null,
      options: one.options.map((option) => ({ ...option, name_localizations: null })),
    }))
    expect(sameCommands(commands, theirs)).toBe(true)
    expect(sameCommands(commands, theirs.slice(1))).toBe(false)
    expect(sameCommands(commands, [{ ...theirs[0], description: 'Another' }, ...theirs.slice(1)])).toBe(false)
  })
})

describe('who somebody is', () => {
  const none = { users: [], roles: [] }
  const members = {
    owner: { users: ['1'], roles: [] },
    operator: { users: ['1', '2'], roles: ['7'] },
    viewer: { users: [], roles: ['8'] },
  }
  it.each([
    ['1', ['8'], 'owner'],
    ['2', [], 'operator'],
    ['3', ['8', '7'], 'operator'],
    ['3', ['8'], 'viewer'],
    ['3', ['9'], undefined],
    ['7', [], undefined],
  ])('%s with the roles %j is %s', (user, roles, role) => {
    expect(callerOf(user, roles, { members })?.role).toBe(role)
  })

  it('is nobody where nobody is named', () => {
    expect(callerOf('', [''], { members: { owner: none, operator: none, viewer: none } })).toBeNull()
  })
})
