import { describe, expect, test } from 'vitest'
import { judge as judgeStudied, study, wantsContent } from '../../../src/domain/marks/judge.ts'
import type { Change, Mark } from '../../../src/domain/marks/mark.ts'

/** A file that was `before` and is `after`; null is nothing. */
function change(path: string, before: string | null, after: string | null, from = path): Change {
  const what = before === null ? 'added' : after === null ? 'deleted' : 'changed'
  return { path, from, what, before, after }
}
const judge = (changes: readonly Change[]): readonly Mark[] => judgeStudied(changes.map(study))
const touched = (path: string): Change => change(path, 'a', 'b')
const rulesOf = (...changes: readonly Change[]): readonly string[] => [
  ...new Set(judge(changes).map(({ rule }) => rule)),
]

describe('what a path is', () => {
  test.each([
    ['.github/workflows/ci.yml', 'ci'],
    ['.GitHub/Workflows/ci.yml', 'ci'],
    ['.gitlab-ci.yml', 'ci'],
    ['.circleci/config.yml', 'ci'],
    ['Jenkinsfile', 'ci'],
    ['sub/Jenkinsfile', 'ci'],
    ['.github/dependabot.yml', 'ci'],
    ['.github/CODEOWNERS', 'ci'],
    ['.ci/run', 'ci'],
    ['.husky/pre-commit', 'hooks'],
    ['.vscode/tasks.json', 'hooks'],
    ['.envrc', 'hooks'],
    ['package-lock.json', 'lockfile'],
    ['apps/web/pnpm-lock.yaml', 'lockfile'],
    ['go.sum', 'lockfile'],
    ['Cargo.lock', 'lockfile'],
    ['poetry.lock', 'lockfile'],
    ['.npmrc', 'registry'],
    ['.cargo/config.toml', 'registry'],
    ['Dockerfile', 'container'],
    ['docker/Dockerfile.prod', 'container'],
    ['api.dockerfile', 'container'],
    ['docker-compose.override.yml', 'container'],
    ['compose.yaml', 'container'],
    ['charts/web/Chart.yaml', 'container'],
    ['db/migrate/20260101_add_users.rb', 'migration'],
    ['app/migrations/0002_auto.py', 'migration'],
    ['prisma/migrations/1_init/migration.sql', 'migration'],
    ['src/main/resources/db/migration/V2__users.sql', 'migration'],
    ['alembic/versions/ab12.py', 'migration'],
    ['control-plane/store/migrations.ts', 'migration'],
    ['db/schema.rb', 'migration'],
    ['AGENTS.md', 'instructions'],
    ['packages/web/CLAUDE.md', 'instructions'],
    ['.cursor/rules/a.mdc', 'instructions'],
    ['.github/copilot-instructions.md', 'instructions'],
    ['setup.py', 'scripts'],
    ['crates/x/build.rs', 'scripts'],
    ['lib.gemspec', 'scripts'],
  ])('%s is marked as %s, with its path', (path, rule) => {
    const marks = judge([touched(path)])
    expect(marks.map((mark) => [mark.rule, mark.path])).toContainEqual([rule, path])
    for (const mark of marks) expect(mark.text).toContain(JSON.stringify(path))
    expect(rulesOf(change(path, null, 'b'))).toContain(rule)
    expect(rulesOf(change(path, 'a', null))).toContain(rule)
    expect(rulesOf(change('elsewhere.txt', 'a', 'a', path))).toContain(rule)
  })

  test.each([
    'src/index.ts',
    'README.md',
    'docs/ci.md',
    'docs/migrations/README.md',
    'src/migrate.ts',
    'src/lock.ts',
    'src/container.py',
    'src/agents/claude.ts',
    'packages/x/.github/note.md',
    'public/app.js',
    'data/2026.json',
    'src/workflows/ci.yml',
    'tests/migrations/test_0001.py',
    'src/testimonial.tsx',
    'src/contest/entry.go',
    'src/latest.ts',
  ])('%s is not', (path) => {
    expect(judge([touched(path)])).toEqual([])
  })

  test('a name turns nothing of the sentence around', () => {
    expect(judge([touched('a\u202eb/Dockerfile')]).map(({ text }) => text)).toEqual([
      String.raw`"a\u202eb/Dockerfile" is changed: images are built or services are run by it.`,
    ])
  })
})

describe('what of a manifest is run', () => {
  const manifest = (more: object): string => JSON.stringify({ name: 'x', version: '1.0.0', ...more })
  test.each<[string, string, string | null, string | null, string | null]>([
    [
      'another script',
      'package.json',
      manifest({ scripts: { a: 'x' } }),
      manifest({ scripts: { a: 'y' } }),
      'scripts.a',
    ],
    [
      'a new script',
      'p/package.json',
      manifest({}),
      manifest({ scripts: { postinstall: 'x' } }),
      'scripts.postinstall',
    ],
    [
      'a script that is gone',
      'package.json',
      manifest({ scripts: { test: 'x' } }),
      manifest({}),
      'scripts.test',
    ],
    ['a new manifest with a script', 'package.json', null, manifest({ scripts: { a: 'x' } }), 'scripts.a'],
    ['hooks', 'package.json', manifest({}), manifest({ husky: { hooks: {} } }), 'husky.hooks'],
    ['one that is no JSON any more', 'package.json', manifest({}), '{', 'manifest'],
    ['a version', 'package.json', manifest({}), manifest({ version: '2.0.0' }), null],
    ['a dependency', 'package.json', manifest({}), manifest({ dependencies: { zod: '4' } }), null],
    [
      'another order',
      'package.json',
      '{"scripts":{"a":"x","b":"y"}}',
      '{ "scripts": { "b": "y", "a": "x" } }',
      null,
    ],
    ['a new manifest without any', 'package.json', null, manifest({}), null],
    [
      'a build backend',
      'pyproject.toml',
      '[build-system]\nrequires = ["a"]\n',
      '[build-system]\nrequires = ["b"]\n',
      'build-system',
    ],
    ['an inline build backend', 'pyproject.toml', '', 'build-system = { requires = ["b"] }', 'build-system'],
    [
      'a new script of Python',
      'pyproject.toml',
      '[project]\nname = "x"\n',
      '[project]\nname = "x"\n[project.scripts]\nx = "x:main"\n',
      'project.scripts',
    ],
    [
      'a line length',
      'pyproject.toml',
      '[tool.ruff]\nline-length = 80\n',
      '[tool.ruff]\nline-length = 100\n',
      null,
    ],
    [
      'a build script of Rust',
      'Cargo.toml',
      '[package]\nname = "x"\n',
      '[package]\nname = "x"\nbuild = "b.rs"\n',
      'package.build',
    ],
  ])('%s', (_name, path, before, after, named) => {
    const marks = judge([change(path, before, after)]).filter(({ rule }) => rule === 'scripts')
    expect(marks.map(({ text }) => text)).toEqual(
      named === null ? [] : [`${JSON.stringify(path)} changes what is run of it: ${named}.`],
    )
  })
})

const js = (...bodies: readonly string[]): string =>
  bodies.map((body, index) => `it('does ${index}', () => {\n  ${body}\n})\n`).join('')
const sure = 'expect(sum(1, 2)).toBe(3)'
const other = 'expect(sum(2, 2)).toBe(4)'

describe('tests that hold less than before', () => {
  const py = 'def test_a():\n    assert f(1) == 2\n\ndef test_b():\n    assert f(2) == 3\n'
  test.each<[string, string, string, string | null, RegExp]>([
    ['deleted', 'test/a.test.ts', js(sure), null, /is deleted/],
    ['skip', 'a.test.ts', js(sure), js(sure).replace('it(', 'it.skip('), /skips more/],
    ['only', 'a.spec.tsx', js(sure, other), js(sure, other).replace('it(', 'it.only('), /skips more/],
    ['xit', 'a.test.js', js(sure), js(sure).replace('it(', 'xit('), /skips more/],
    [
      'fdescribe',
      '__tests__/a.js',
      `describe('x', () => {${js(sure)}})`,
      `fdescribe('x', () => {${js(sure)}})`,
      /skips more/,
    ],
    [
      'a skip as an option',
      'a.test.mjs',
      `test('x', {}, () => { ${sure} })`,
      `test('x', { skip: true }, () => { ${sure} })`,
      /skips more/,
    ],
    ['an assertion less', 'a.test.ts', js(`${sure}\n  ${other}`), js(sure), /has 1 assertion fewer/],
    [
      'an assertion commented out',
      'a.test.ts',
      js(`${sure}\n  ${other}`),
      js(`${sure}\n  // ${other}`),
      /1 assertion fewer/,
    ],
    ['a case less', 'a.test.ts', js(sure, other), js(sure), /1 case fewer, and has 1 assertion fewer/],
    [
      'an assertion that always holds',
      'a.test.ts',
      js(sure),
      js('expect(true).toBe(true)'),
      /1 assertion fewer/,
    ],
    [
      'an assertion that nearly always holds',
      'a.test.ts',
      js(sure),
      js('expect(sum(1, 2)).toBeDefined()'),
      /1 assertion fewer/,
    ],
    [
      'a lower bound',
      'a.test.ts',
      js('expect(score).toBeGreaterThan(0.9)'),
      js('expect(score).toBeGreaterThan(0.5)'),
      /asks less in 1 line/,
    ],
    [
      'a higher limit',
      'test_a.py',
      'def test_a():\n    assert t() < 10\n',
      'def test_a():\n    assert t() < 99\n',
      /asks less/,
    ],
    [
      'skip in Python',
      'tests/test_a.py',
      py,
      py.replace('def test_a', '@pytest.mark.skip(reason="x")\ndef test_a'),
      /skips more/,
    ],
    [
      'xfail',
      'tests/test_a.py',
      py,
      py.replace('def test_a', '@pytest.mark.xfail\ndef test_a'),
      /skips more/,
    ],
    ['a case less in Python', 'tests/test_a.py', py, py.slice(0, py.indexOf('def test_b')), /1 case fewer/],
    ['assert True', 'test_a.py', py, py.replace('f(1) == 2', 'True'), /1 assertion fewer/],
    ['all tests ignored', 'conftest.py', '', 'collect_ignore = ["test_a.py"]\n', /skips more/],
    [
      't.Skip',
      'a_test.go',
      'func TestA(t *testing.T) {\n\tt.Errorf("x")\n}',
      'func TestA(t *testing.T) {\n\tt.Skip()\n\tt.Errorf("x")\n}',
      /skips more/,
    ],
    [
      'a Go file that is not built',
      'a_test.go',
      'package a\n',
      '//go:build ignore\npackage a\n',
      /skips more/,
    ],
    [
      '@Disabled',
      'src/test/java/ATest.java',
      '@Test void a() { assertEquals(1, f()); }',
      '@Disabled @Test void a() { assertEquals(1, f()); }',
      /skips more/,
    ],
    [
      '#[ignore]',
      'src/lib.rs',
      '#[test]\nfn a() { assert_eq!(f(), 1); }',
      '#[test]\n#[ignore]\nfn a() { assert_eq!(f(), 1); }',
      /skips more/,
    ],
    [
      'xit in Ruby',
      'spec/a_spec.rb',
      "it 'a' do\n  expect(f).to eq(1)\nend",
      "xit 'a' do\n  expect(f).to eq(1)\nend",
      /skips more/,
    ],
    [
      'markTestSkipped',
      'tests/ATest.php',
      'function testA() { $this->assertSame(1, f()); }',
      'function testA() { $this->markTestSkipped(); $this->assertSame(1, f()); }',
      /skips more/,
    ],
    [
      'a threshold that is lowered',
      'vitest.config.ts',
      'thresholds: { lines: 90 }',
      'thresholds: { lines: 50 }',
      /lowers lines from 90 to 50/,
    ],
    [
      'a threshold that is gone',
      'pyproject.toml',
      '[tool.coverage.report]\nfail_under = 90\n',
      '[tool.coverage.report]\n',
      /no longer asks for fail_under 90/,
    ],
    [
      'a test command that cannot fail',
      'package.json',
      '{"scripts":{"test":"jest"}}',
      '{"scripts":{"test":"jest || true"}}',
      /lets them fail/,
    ],
    [
      'no tests are fine',
      'jest.config.js',
      'module.exports = {}',
      'module.exports = { passWithNoTests: true }',
      /leaves out tests/,
    ],
  ])('%s', (_name, path, before, after, text) => {
    const marks = judge([change(path, before, after)]).filter(({ rule }) => rule === 'tests')
    expect(marks).toEqual([{ rule: 'tests', path, text: expect.stringMatching(text) }])
    expect(marks[0]?.text).toContain(JSON.stringify(path))
    expect(wantsContent(path)).toBe(true)
  })

  test('a link in the place of a test', () => {
    const linked = { ...touched('test/a.test.ts'), before: js(sure), after: null }
    expect(judge([linked])).toMatchObject([
      { rule: 'tests', text: '"test/a.test.ts" is deleted.'.replace(/^/, 'The test ') },
    ])
  })

  test('a test that is moved to where nothing runs it', () => {
    expect(rulesOf(change('old/a.txt', js(sure), js(sure), 'test/a.test.ts'))).toEqual(['tests'])
  })
})

describe('tests that hold as much', () => {
  test.each<[string, readonly Change[]]>([
    ['a new test', [change('a.test.ts', null, js(sure))]],
    ['more assertions', [change('a.test.ts', js(sure), js(`${sure}\n  ${other}`))]],
    ['another expectation', [change('a.test.ts', js(sure), js(other))]],
    [
      'a higher bound',
      [change('a.test.ts', js('expect(n).toBeGreaterThan(5)'), js('expect(n).toBeGreaterThan(9)'))],
    ],
    ['another layout', [change('a.test.ts', js(sure), js('expect(\tsum(1,  2)).toBe(3)'))]],
    ['a test under another name', [change('test/b.test.ts', js(sure), js(sure), 'test/a.test.ts')]],
    [
      'a test that is split',
      [change('a.test.ts', js(sure, other), js(sure)), change('b.test.ts', null, js(other))],
    ],
    [
      'a deleted test whose lines are in another',
      [change('a.test.ts', js(sure), null), change('b.test.ts', js(other), js(other, sure))],
    ],
    ['a skip that is taken away', [change('a.test.ts', js(sure).replace('it(', 'it.skip('), js(sure))]],
    ['a deleted file of helpers', [change('test/wait.ts', 'export const wait = 1\n', null)]],
    ['code that says skip', [change('src/list.ts', 'list.skip(1)', 'list.skip(2); it.only(3); xit()')]],
    [
      'a method named fit',
      [
        change(
          'tests/test_model.py',
          'def test_a():\n    assert x\n',
          'def test_a():\n    model.fit(x)\n    assert x\n',
        ),
      ],
    ],
    ['a deleted source file', [change('src/a.ts', js(sure), null)]],
    [
      'a higher threshold',
      [change('vitest.config.ts', 'thresholds: { lines: 80 }', 'thresholds: { lines: 90 }')],
    ],
    ['a port', [change('vite.config.ts', 'server: { port: 3000 }', 'server: { port: 2000 }')]],
    ['Rust without tests', [change('src/lib.rs', 'fn a() { assert!(x); }', 'fn a() {}')]],
  ])('%s', (_name, changes) => {
    expect(judge(changes)).toEqual([])
  })

  test('a line that went elsewhere makes up for one loss, not for two', () => {
    const marks = judge([
      change('a.test.ts', js(sure, other), js(other)),
      change('b.test.ts', js(sure, other), js(other)),
      change('c.test.ts', js(other), js(other, sure)),
    ])
    expect(marks.map(({ path }) => path)).toEqual(['b.test.ts'])
  })
})

describe('the whole', () => {
  test('names every reason, in the order of the rules', () => {
    const all = [
      touched('AGENTS.md'),
      touched('Dockerfile'),
      touched('.github/workflows/a.yml'),
      touched('yarn.lock'),
    ]
    expect(judge(all).map(({ rule }) => rule)).toEqual(['ci', 'lockfile', 'container', 'instructions'])
    expect(rulesOf(touched('.devcontainer/Dockerfile'))).toEqual(['hooks', 'container'])
  })

  test('says what is too large to be judged', () => {
    const large: Change = { ...touched('test/a.test.ts'), before: null, after: null, unread: true }
    expect(judge([large])).toEqual([
      {
        rule: 'unread',
        path: 'test/a.test.ts',
        text: '"test/a.test.ts" is too large to be judged: look at what it changes.',
      },
    ])
  })

  test('names a hundred paths of a rule, and how many more there are', () => {
    const marks = judge(Array.from({ length: 250 }, (_, index) => touched(`m${index}/Dockerfile`)))
    expect(marks).toHaveLength(101)
    expect(marks.at(-1)).toEqual({
      rule: 'container',
      path: '.',
      text: '150 more paths are like these: look at the diff.',
    })
  })

  // Each file may take the event loop for so long.
  test.each([
    'it(',
    'expect(',
    '/*',
    '  /* x\n',
    '# \n',
    '@a.',
    'fail_under = 1\n',
    "'",
    '[[ x ]',
    'a > 1\n',
    '[build-system]\n',
    'it.each(',
    '\n',
    '\t\n',
    'expect(a).toBe(1)\n',
    'assert x\n',
    'x.',
    '@a\n',
    '[a',
    '//',
    '1.',
  ])('is quick, whatever it reads: %j', (part) => {
    const paths = [
      'a.test.ts',
      'test_a.py',
      'a_spec.rb',
      'a_test.go',
      'src/a.rs',
      'pyproject.toml',
      'package.json',
      't/a.bats',
    ]
    for (const path of paths) {
      const before = part.repeat(262_144 / part.length)
      const began = performance.now()
      study(change(path, before, `#[test]\n${before.slice(10_000)}`))
      expect(performance.now() - began).toBeLessThan(3000)
    }
  })
})
