import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { configJsonSchema, descriptionsIn } from '../../src/config/json-schema.ts'

const example = readFileSync(new URL('../../deploy/cofferdam.example.yaml', import.meta.url), 'utf8')

type Schema = z.core.JSONSchema.BaseSchema

/** Every key of a schema, dotted, with what is said of it. */
function keysOf(schema: Schema, before = ''): readonly (readonly [string, string | undefined])[] {
  const { properties = {}, additionalProperties: any } = schema
  const entries = [...Object.entries(properties), ...(typeof any === 'object' ? [['*', any] as const] : [])]
  return entries.flatMap(([name, inner]) =>
    typeof inner === 'object'
      ? [[before + name, inner.description] as const, ...keysOf(inner, `${before}${name}.`)]
      : [],
  )
}

describe('the JSON Schema of the configuration', () => {
  const said = new Map(keysOf(configJsonSchema()))

  it('describes keys as the example does, also those of what has a name of the user’s', () => {
    expect(said.get('concurrency')).toBe('How many tasks run at once, from 1 to 64.')
    expect(said.get('repositories.*.test')).toBe('Says by its exit code whether the work is good.')
    expect(said.get('upstreams.*.key')).toMatch(/^Where the key is: /)
    expect(said.get('http.listen')).toMatch(/^An address with a port\./)
  })

  it('says something of each key at the top', () => {
    const silent = [...said].filter(([name, text]) => !name.includes('.') && text === undefined)
    // Its keys are described.
    expect(silent.map(([name]) => name)).toEqual(['engine', 'log'])
  })

  it('takes the example with every setting in force, and refuses a key that there is not', () => {
    const checked = z.fromJSONSchema(configJsonSchema())
    const takes = (value: unknown): boolean => checked.safeParse(value).success
    // Its patterns are for regular expressions with the flag "u", which is not what this reader of schemas makes of them.
    const { author: _, ...all } = z.looseObject({}).parse(parse(example.replaceAll(/^# /gm, '')))
    expect(takes(all)).toBe(true)
    expect(takes({ ...all, concurency: 2 })).toBe(false)
    expect(takes({ concurrency: 0 })).toBe(false)
  })
})

it.each([
  ['## One.\n## Two.\n# a: 1', [['a', 'One. Two.']]],
  ['## Of what follows.\n\n# a: 1', []],
  [
    '## Map.\n# a:\n##  Inner.\n#   b: 1\n#   c: 2\n## Next.\n# d: 3',
    [
      ['a', 'Map.'],
      ['a.b', 'Inner.'],
      ['d', 'Next.'],
    ],
  ],
])('what the lines above a key say is its description: %j', (text, expected) => {
  expect([...descriptionsIn(text)]).toEqual(expected)
})
