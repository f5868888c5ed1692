import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compilePolicy, notInAllow } from '../../src/domain/matcher.ts'
import { defaultPolicy } from '../../src/domain/policies.ts'
import { patternProblem } from '../../src/domain/pattern-problem.ts'
import type { Policy } from '../../src/domain/policy.ts'

const bare: Policy = { ...defaultPolicy, allow: [], readonly: [], deny: [], except: [] }
const withLists = (lists: Partial<Policy>): Policy => ({ ...bare, ...lists })

/** `kind: rule` of a path; a path that ends with `/` is a folder. */
function say(policy: Policy, path: string): string {
  const folder = path.endsWith('/')
  const verdict = compilePolicy(policy).verdict(folder ? path.slice(0, -1) : path, folder)
  return verdict.kind === 'none' ? 'none' : `${verdict.kind}: ${verdict.rule}`
}

describe('the default policy', () => {
  test.each([
    ['.env', 'deny: .env'],
    ['.env/', 'deny: .env'],
    ['apps/web/.env', 'deny: .env'],
    ['.env.local', 'deny: .env.*'],
    ['.env.example', 'none'],
    ['apps/.env.production.sample', 'none'],
    ['.envrc', 'readonly: .envrc'],
    ['src/env.ts', 'none'],
    ['config.yaml', 'deny: config.yaml'],
    ['new/config.yaml', 'deny: config.yaml'],
    ['config.yaml.md', 'none'],
    ['.git', 'deny: **/.git'],
    ['.git/hooks/post-commit', 'deny: **/.git'],
    ['vendor/x/.git/config', 'deny: **/.git'],
    ['.gitignore', 'none'],
    ['.github/dependabot.yml', 'none'],
    ['.github/workflows/ci.yml', 'readonly: .github/workflows'],
    ['packages/a/.github/workflows/ci.yml', 'none'],
    ['.workspace/x', 'deny: .workspace'],
    ['packages/a/.npmrc', 'readonly: .npmrc'],
    ['docs/AGENTS.md', 'readonly: AGENTS.md'],
    ['app.code-workspace', 'readonly: *.code-workspace'],
    ['.vscode', 'readonly: .vscode'],
    ['README.md', 'none'],
    ['', 'none'],
  ])('%s is %s', (path, expected) => {
    expect(say(defaultPolicy, path)).toBe(expected)
  })

  test.each([
    ['.vscode/tasks.json'],
    ['.idea/workspace.xml'],
    ['.devcontainer/devcontainer.json'],
    ['.mcp.json'],
    ['.cursor/mcp.json'],
    ['.claude/settings.json'],
    ['.codex/config.toml'],
    ['.gemini/settings.json'],
    ['.husky/pre-commit'],
    ['lefthook.yml'],
    ['.envrc'],
    ['.npmrc'],
    ['.yarnrc'],
    ['.github/workflows/ci.yml'],
  ])('A049 A050 A052 A053 %s is readonly', (path) => {
    expect(say(defaultPolicy, path)).toMatch(/^readonly/)
  })

  test.each([
    ['.ENV'],
    ['.Git/Hooks/x'],
    ['GIT~1/config'],
    ['.git./config'],
    ['.git /config'],
    ['.env.'],
    ['.env '],
    ['config.yaml. .'],
    ['CONFIG.YAML'],
    ['.git::$INDEX_ALLOCATION/config'],
    ['.g\u200cit/config'],
    ['.wor\u212Aspace/x'],
    ['.work\u017fpace/x'],
  ])('A020 %j is denied as a case-insensitive file system would open it', (path) => {
    expect(say(defaultPolicy, path)).toMatch(/^deny/)
  })

  test('A020 a decomposed name is the composed one', () => {
    const policy = withLists({ deny: ['geheimnis-\u00e9.txt'] })
    expect(say(policy, 'a/geheimnis-e\u0301.TXT')).toBe('deny: geheimnis-\u00e9.txt')
  })

  test('A021 a deny glob holds at any depth', () => {
    expect(say(withLists({ deny: ['**/*.pem'] }), 'a/b/c/d/e/f/key.pem')).toBe('deny: **/*.pem')
  })

  test('names that can be masked before they exist', () => {
    expect(compilePolicy(defaultPolicy).literals()).toEqual([
      { name: '.env', folder: false, rule: '.env' },
      { name: 'config.yaml', folder: false, rule: 'config.yaml' },
      { name: '.git', folder: true, rule: '**/.git' },
      { name: '.workspace', folder: true, rule: '.workspace' },
    ])
  })
})

describe('the lists', () => {
  test.each<[string, Partial<Policy>, string, string]>([
    ['a name of what nobody sees is a name', { deny: ['*'] }, '\u200c', 'deny: *'],
    ['a name of what nobody sees is a name', { deny: ['\\a'] }, '\u200c', 'none'],
    ['a name of what nobody sees is a name', { deny: ['?'] }, 'src/\u200c.\ufeff.', 'none'],
    [
      'a name of what nobody sees is no way into a folder',
      { allow: ['a/**'] },
      '\u200c/a/b',
      'readonly: not in the allow list',
    ],
    ['a name of what nobody sees is no way out of one', { readonly: ['/a'] }, '\u200c/a', 'none'],
    ['deny beats readonly', { deny: ['a'], readonly: ['a'] }, 'a', 'deny: a'],
    ['readonly beats allow', { readonly: ['a'], allow: ['a'] }, 'a', 'readonly: a'],
    ['a path under a denied folder is denied', { deny: ['a'], allow: ['a/b'] }, 'a/b', 'deny: a'],
    ['a path under a readonly folder is readonly', { readonly: ['a/'] }, 'a/b/c', 'readonly: a/'],
    ['a pattern for folders means no file', { deny: ['a/'] }, 'a', 'none'],
    ['a pattern for folders means the folder', { deny: ['a/'] }, 'a/', 'deny: a/'],
    ['the literal for anything wins over that for folders', { deny: ['a/', 'a'] }, 'a', 'deny: a'],
    ['a leading slash is the top', { deny: ['/a'] }, 'b/a', 'none'],
    ['a leading slash is the top', { deny: ['/a'] }, 'a', 'deny: /a'],
    ['an inner slash is the top too', { deny: ['a/b'] }, 'x/a/b', 'none'],
    ['**/ with an inner slash is anywhere', { deny: ['**/a/b'] }, 'x/a/b', 'deny: **/a/b'],
    ['x/** means what lies below', { deny: ['x/**'] }, 'x/', 'none'],
    ['x/** means what lies below', { deny: ['x/**'] }, 'x/y', 'deny: x/**'],
    ['# is a name', { deny: ['#a*'] }, '#ab', 'deny: #a*'],
    ['! is a name', { deny: ['!a*'] }, '!ab', 'deny: !a*'],
    ['an escaped star is a star', { deny: ['a\\*b'] }, 'axb', 'none'],
    ['an escaped star is a star', { deny: ['a\\*b'] }, 'a*b', 'deny: a\\*b'],
    ['an escaped bracket is a bracket', { deny: ['a\\[b]'] }, 'a[b]', 'deny: a\\[b]'],
    ['an escaped bracket is a bracket', { deny: ['a\\[b]'] }, 'ab', 'none'],
    ['an escaped backslash divides no folders', { deny: ['a\\\\b'] }, 'a/b', 'none'],
    ['an escaped backslash before a slash', { deny: ['a\\\\/b'] }, 'a\\/b', 'deny: a\\\\/b'],
    ['an escaped space at the end is a space', { deny: ['a*\\ '] }, 'ab ', 'deny: a*\\ '],
    ['a space after an escaped backslash is none', { deny: ['a\\\\ '] }, 'a\\', 'deny: a\\\\ '],
    ['trailing spaces are no part of a pattern', { deny: ['a  '] }, 'a', 'deny: a  '],
    ['an exception is for its name', { deny: ['.env.*'], except: ['*.dist'] }, 'x/.env.dist', 'none'],
    ['an exception opens no denied folder', { deny: ['k'], except: ['a'] }, 'k/a', 'deny: k'],
    ['an exception opens no swept folder', { deny: ['k/**'], except: ['a'] }, 'k/a', 'deny: k/**'],
    ['an exception is for deny alone', { readonly: ['a'], except: ['a'] }, 'a', 'readonly: a'],
    ['an exception as a folder', { deny: ['a*'], except: ['ab'] }, 'ab/c', 'none'],
    ['a denied name in an excepted folder', { deny: ['a*'], except: ['ab'] }, 'ab/ac', 'deny: a*'],
  ])('%s (%#)', (_name, lists, path, expected) => {
    expect(say(withLists(lists), path)).toBe(expected)
  })

  test.each([
    ['src/a.ts', 'none'],
    ['SRC/a.ts', 'none'],
    ['src/', 'none'],
    ['src', `readonly: ${notInAllow}`],
    ['lib/', 'none'],
    ['lib/x/', `readonly: ${notInAllow}`],
    ['lib/gen/', 'none'],
    ['lib/gen/deep/x', 'none'],
    ['lib/other', `readonly: ${notInAllow}`],
    ['docs/', 'none'],
    ['docs/de/', 'none'],
    ['docs/de/x/', 'none'],
    ['docs/de/x/a.md', 'none'],
    ['docs/de/x/a.txt', `readonly: ${notInAllow}`],
    ['pkg/a/', 'none'],
    ['pkg/a/test/x', 'none'],
    ['pkg/a/b/', `readonly: ${notInAllow}`],
    ['README.md', `readonly: ${notInAllow}`],
    ['other/', `readonly: ${notInAllow}`],
    ['', 'none'],
    // A folder that only looks like an allowed one is another one on this file system.
    ['src./a.ts', `readonly: ${notInAllow}`],
  ])('A023 with an allow list, %s is %s', (path, expected) => {
    const policy = withLists({ allow: ['src/**', '/lib/gen', 'docs/**/*.md', 'pkg/*/test/'] })
    expect(say(policy, path)).toBe(expected)
  })

  test('an allowed name may lie in any folder', () => {
    expect(say(withLists({ allow: ['*.md'] }), 'a/b/')).toBe('none')
    expect(say(withLists({ allow: ['*.md'] }), 'a/b')).toBe(`readonly: ${notInAllow}`)
  })

  test.each(['..', '../x', 'a/../b', '/etc/passwd', '/'])('%s is outside, so denied', (path) => {
    expect(compilePolicy(bare).verdict(path, false)).toMatchObject({
      kind: 'deny',
      rule: 'outside the repository',
    })
  })

  test('an absurdly long path is denied without effort', () => {
    expect(compilePolicy(bare).verdict('a/'.repeat(1_000_000), true).kind).toBe('deny')
  })
})

describe('against git itself', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'cofferdam-matcher-'))
    spawnSync('git', ['init', '-q', folder])
  })
  afterAll(() => {
    rmSync(folder, { recursive: true })
  })

  test('a pattern means what it means in a .gitignore', () => {
    const patterns = [
      'a',
      '/a',
      'a/',
      'a/b',
      '**/a/b',
      'a/**',
      'a/**/b',
      '*.pem',
      'a*',
      '?',
      '[ab]c',
      '[!a]c',
      'a/*',
      '**/b',
      '/**/b',
      'a/b/',
      '*/b',
      '.env.*',
      '**',
      'a\\*',
      '\\#x',
      'b**',
      'x/[ab]/y',
      'a\\[b]',
      'a\\\\',
      'a\\\\ ',
      'a\\\\/b',
      '[\\]]c',
      '[a\\-c]c',
      '[]a]c',
      '[!]a]c',
    ]
    const paths = [
      'a',
      'b',
      'c',
      'a/b',
      'a/c',
      'a/b/c',
      'x/a',
      'x/a/b',
      'x/y/a/b',
      'a/x/b',
      'a/x/y/b',
      'k.pem',
      'x/k.pem',
      'ac',
      'bc',
      'cc',
      'x/b',
      '.env.local',
      'x/.env.b',
      'a*',
      '#x',
      'bcd',
      'x/a/y',
      'x/b/y',
      'x/c/y',
      'a[b]',
      'a\\',
      'a\\/b',
      ']c',
      '-c',
    ]
    for (const pattern of patterns) {
      writeFileSync(join(folder, '.git/info/exclude'), `${pattern}\n`)
      const git = spawnSync('git', ['-C', folder, 'check-ignore', '--no-index', '--stdin', '-z'], {
        input: paths.join('\0'),
        encoding: 'utf8',
      })
      const expected = git.stdout.split('\0').filter((line) => line !== '')
      const policy = compilePolicy(withLists({ deny: [pattern] }))
      expect([pattern, ...paths.filter((path) => policy.verdict(path, false).kind === 'deny')]).toEqual([
        pattern,
        ...expected,
      ])
    }
  })
})

const segment = fc.oneof(
  fc.constantFrom(
    '.git',
    '.ENV',
    '.env.x',
    'config.yaml',
    'src',
    'a',
    '..',
    '.',
    '',
    'git~1',
    'a ',
    'ß',
    '\u0000',
    '\ud800',
  ),
  fc.string({ unit: 'binary', maxLength: 6 }),
)
const anyPath = fc.oneof(
  fc.array(segment, { maxLength: 6 }).map((parts) => parts.join('/')),
  fc.string({ unit: 'binary' }),
)
const anyPattern = fc
  .array(
    fc.constantFrom(
      'a',
      'b',
      'src',
      '*',
      '**',
      '?',
      '/',
      '[a',
      ']',
      '[!b]',
      '\\',
      '.',
      ' ',
      '#',
      '!',
      '.env',
      'é',
    ),
    {
      maxLength: 6,
    },
  )
  .map((parts) => parts.join(''))
const lists = fc.record({
  allow: fc.array(anyPattern, { maxLength: 3 }),
  readonly: fc.array(anyPattern, { maxLength: 3 }),
  deny: fc.array(anyPattern, { maxLength: 3 }),
  except: fc.array(anyPattern, { maxLength: 3 }),
})

describe('whatever comes', () => {
  test('a verdict is given for any path under any policy, twice the same', () => {
    fc.assert(
      fc.property(lists, anyPath, fc.boolean(), (some, path, folder) => {
        const matcher = compilePolicy(withLists(some))
        const first = matcher.verdict(path, folder)
        expect(matcher.verdict(path, folder)).toEqual(first)
        expect(compilePolicy(withLists(some)).verdict(path, folder)).toEqual(first)
      }),
      { numRuns: 2000 },
    )
  })

  test('any string of bytes read as latin1 is a path', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const path = Buffer.from(bytes).toString('latin1')
        expect(['none', 'readonly', 'deny']).toContain(compilePolicy(defaultPolicy).verdict(path, false).kind)
      }),
    )
  })

  test('deny beats readonly beats allow, whatever the order of the lists', () => {
    fc.assert(
      fc.property(lists, anyPath, fc.boolean(), (some, path, folder) => {
        const kind = (policy: Policy): string => compilePolicy(policy).verdict(path, folder).kind
        const denied = kind(withLists({ deny: some.deny, except: some.except })) === 'deny'
        const frozen = kind(withLists({ readonly: some.readonly })) === 'readonly'
        const whole = withLists(some)
        const turned = withLists({
          allow: some.allow.toReversed(),
          readonly: some.readonly.toReversed(),
          deny: some.deny.toReversed(),
          except: some.except.toReversed(),
        })
        const free = some.allow.length === 0 ? 'none' : kind(withLists({ allow: some.allow }))
        // A path that leads out of the tree is denied by every policy.
        const outside = kind(bare) === 'deny'
        expect(kind(whole)).toBe(denied || outside ? 'deny' : frozen ? 'readonly' : free)
        expect(kind(turned)).toBe(kind(whole))
      }),
      { numRuns: 1000 },
    )
  })

  test('what lies under a denied folder is denied, under a readonly one at least readonly', () => {
    fc.assert(
      fc.property(
        lists,
        fc.array(fc.constantFrom('a', 'b', 'src', '.env'), { minLength: 1, maxLength: 4 }),
        (some, parts) => {
          const matcher = compilePolicy(withLists({ ...some, allow: [] }))
          const folder = matcher.verdict(parts.join('/'), true).kind
          const below = matcher.verdict([...parts, 'x'].join('/'), false).kind
          const expected = {
            deny: ['deny'],
            readonly: ['readonly', 'deny'],
            none: ['none', 'readonly', 'deny'],
          }
          expect(expected[folder]).toContain(below)
        },
      ),
    )
  })

  test('every folder on the way to a free path is free, so that allowed files can be reached', () => {
    fc.assert(
      fc.property(
        fc.array(
          anyPattern.filter((text) => patternProblem(text) === null),
          { minLength: 1, maxLength: 3 },
        ),
        fc.array(fc.constantFrom('a', 'b', 'src', 'é', 'aa'), { minLength: 1, maxLength: 4 }),
        (allow, parts) => {
          const matcher = compilePolicy(withLists({ allow }))
          fc.pre(matcher.verdict(parts.join('/'), false).kind === 'none')
          for (let depth = 1; depth < parts.length; depth += 1)
            expect(matcher.verdict(parts.slice(0, depth).join('/'), true).kind).toBe('none')
        },
      ),
      { numRuns: 500 },
    )
  })
})

test('50,000 paths are judged in a moment', () => {
  const paths = Array.from(
    { length: 50_000 },
    (_, index) => `src/d${index % 500}/e${index % 7}/file${index}.ts`,
  )
  const began = performance.now()
  const matcher = compilePolicy(defaultPolicy)
  const free = paths.filter((path) => matcher.verdict(path, false).kind === 'none')
  const took = performance.now() - began
  expect(free).toHaveLength(50_000)
  // Some 50 ms; the bound only tells a wrong complexity from a busy machine.
  expect(took).toBeLessThan(1500)
})
