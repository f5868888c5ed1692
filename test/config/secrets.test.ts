import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { placeText, readSecret, secretPlaceSchema } from '../../src/config/secrets.ts'
import type { Environment } from '../../src/config/environment.ts'
import { Failure } from '../../src/domain/failure.ts'
import { around, scratch } from './support.ts'

const value = 'tok-9f8e7d6c5b4a'

/** Reads a secret on a machine with a configuration file in its home, and files beside it. */
function read(
  at: { env: string } | { file: string },
  { env = {}, files = {} }: { env?: Environment['env']; files?: Readonly<Record<string, string>> } = {},
) {
  const home = scratch()
  for (const [name, text] of Object.entries(files)) writeFileSync(join(home, name), text)
  return readSecret('token', at, join(home, 'cofferdam.yaml'), around(home, { env, cwd: '/' }))
}

describe('where a secret is', () => {
  it.each([
    [{ env: 'A_TOKEN' }, true],
    [{ env: '_x1' }, true],
    [{ file: 'token.txt' }, true],
    [{ env: '1X' }, false],
    [{ env: 'A B' }, false],
    [{ env: '' }, false],
    [{ file: '' }, false],
    [{ env: 'A', file: 'b' }, false],
    [{ value }, false],
    [value, false],
  ])('%j: %s', (at, good) => {
    const parsed = secretPlaceSchema.safeParse(at)
    expect(parsed.success).toBe(good)
    if (!good) expect(parsed.error?.message).toContain('variable or a file')
  })

  it('is said in words', () => {
    expect(placeText({ env: 'A_TOKEN' })).toBe('the environment variable A_TOKEN')
    expect(placeText({ file: 'a/b' })).toBe('the file a/b')
  })
})

describe('a secret', () => {
  it('is read from a variable, without the spaces around it', () => {
    expect(read({ env: 'T' }, { env: { T: ` ${value}\n` } })?.reveal()).toBe(value)
  })

  it('is read from a file beside the configuration, without its last line end', () => {
    expect(read({ file: 'token.txt' }, { files: { 'token.txt': `${value}\n` } })?.reveal()).toBe(value)
  })

  it('is read from a file in the home folder', () => {
    expect(read({ file: '~/token.txt' }, { files: { 'token.txt': value } })?.reveal()).toBe(value)
  })

  it.each([[{}], [{ T: '' }], [{ T: '  \n' }]])('is not there where its variable is %j', (env) => {
    expect(read({ env: 'T' }, { env })).toBeNull()
  })

  it.each([
    ['short', 'seven77'],
    ['of two lines', `${value}\n${value}`],
    ['with a control character', `${value}\u0000x`],
  ])('is refused where it is %s, without being shown', (_what, text) => {
    const refused = (): unknown => read({ env: 'T' }, { env: { T: text } })
    expect(refused).toThrow(Failure)
    expect(refused).toThrow(/The secret token in the environment variable T cannot be used/)
    expect(refused).not.toThrow(text)
  })

  it('is refused where its file is not there', () => {
    expect(() => read({ file: 'token.txt' })).toThrow(/token\.txt cannot be read .*name another file/)
  })

  it('shows itself to nobody who does not ask', () => {
    const secret = read({ env: 'T' }, { env: { T: value } })
    const shown = [
      String(secret),
      JSON.stringify({ secret }),
      inspect(secret, { depth: 9, showHidden: true }),
    ]
    expect(shown.join()).not.toContain(value)
    expect(String(secret)).toBe('[secret token]')
  })
})
