import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isManifest, manifestFingerprint } from '../../src/domain/setup.ts'

describe('what says what is installed', () => {
  test.each([
    'package.json',
    'packages/a/package.json',
    'package-lock.json',
    'pnpm-lock.yaml',
    'yarn.lock',
    'bun.lock',
    'pyproject.toml',
    'requirements.txt',
    'requirements-dev.txt',
    'dev-requirements.txt',
    'requirements/base.txt',
    'Pipfile.lock',
    'uv.lock',
    'go.mod',
    'sub/go.sum',
    'Cargo.lock',
    'Gemfile.lock',
    'composer.lock',
    'pom.xml',
    'app/build.gradle.kts',
    'gradle/libs.versions.toml',
    'src/App/App.csproj',
  ])('%s does', (path) => {
    expect(isManifest(path)).toBe(true)
  })

  test.each([
    'node_modules/x/package.json',
    'a/node_modules/x/package.json',
    'vendor/x/go.mod',
    '.venv/lib/pyproject.toml',
    'package.json.bak',
    'docs/requirements.md',
    'src/requirements.ts',
    'my-package.json',
    'README.md',
    '',
  ])('%j does not', (path) => {
    expect(isManifest(path)).toBe(false)
  })
})

const print = (path: string, text: string): string => manifestFingerprint(path, Buffer.from(text))

describe('the fingerprint of a package.json', () => {
  const before = '{"name":"a","version":"1.0.0","scripts":{"test":"vitest"},"dependencies":{"b":"1","c":"2"}}'

  test.each([
    ['another format', JSON.stringify(JSON.parse(before), null, 2)],
    ['another order', '{"dependencies":{"c":"2","b":"1"},"name":"a"}'],
    ['another version of its own', before.replace('1.0.0', '1.0.1')],
    ['another test script', before.replace('vitest', 'vitest run')],
  ])('is the same with %s', (_what, after) => {
    expect(print('x/package.json', after)).toBe(print('x/package.json', before))
  })

  test.each([
    ['another dependency', before.replace('"c":"2"', '"c":"3"')],
    ['an install script', before.replace('"test":', '"postinstall":')],
    ['overrides', before.replace('"name":"a"', '"overrides":{"c":"4"}')],
    ['a broken text', before.slice(1)],
    ['a list', `[${before}]`],
  ])('differs with %s', (_what, after) => {
    expect(print('package.json', after)).not.toBe(print('package.json', before))
  })
})

test('any other manifest counts byte for byte', () => {
  expect(print('go.mod', 'module a\n')).not.toBe(print('go.mod', 'module a'))
  expect(print('go.mod', 'module a')).toBe(print('b/go.mod', 'module a'))
})

test('any content has a fingerprint', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.json(), (bytes, json) => {
      expect(manifestFingerprint('package.json', Buffer.from(bytes))).toMatch(/^[0-9a-f]{64}$/)
      expect(print('package.json', json)).toMatch(/^[0-9a-f]{64}$/)
    }),
  )
})
