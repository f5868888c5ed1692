import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { configSchema } from './schema.ts'

/** A JSON schema as far as it is read here. */
type Schema = z.core.JSONSchema.BaseSchema

/**
 * The schema of `cofferdam.yaml` as JSON Schema (draft 7, which editors know), computed from the one that files are checked
 * with. Each key is described by what the example configuration says of it.
 */
export function configJsonSchema(example: string = exampleText()): Schema {
  const schema = z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7' })
  describe(schema, descriptionsIn(example), '')
  return { title: 'cofferdam.yaml', ...schema }
}

/** The example configuration, from the sources as well as from what was built of them; empty where it is not there. */
function exampleText(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'deploy', 'cofferdam.example.yaml')
    if (existsSync(file)) return readFileSync(file, 'utf8')
  }
  return ''
}

/**
 * By dotted key, what the lines of `## …` above it say. A blank line ends what is said, and so does a key. Pure.
 * @param example with every key behind `# `, as in deploy/cofferdam.example.yaml
 */
export function descriptionsIn(example: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  let said: string[] = []
  let above: readonly { readonly indent: number; readonly key: string }[] = []
  for (const line of example.split('\n')) {
    const [, remark] = /^## *(.*)$/.exec(line) ?? []
    if (remark !== undefined) {
      said.push(remark)
      continue
    }
    const [, indent = '', key] = /^# ( *)([^:]+):(?: |$)/.exec(line) ?? []
    if (key !== undefined) {
      above = [...above.filter((each) => each.indent < indent.length), { indent: indent.length, key }]
      const name = above.map((each) => each.key).join('.')
      if (said.length > 0) found.set(name, said.join(' '))
    }
    said = []
  }
  return found
}

/** Puts the descriptions in their places. Where a key is a name of the user's, what is said of any one is said of each. */
function describe(schema: Schema, texts: ReadonlyMap<string, string>, before: string): void {
  for (const [key, inner] of Object.entries(schema.properties ?? {})) {
    if (typeof inner !== 'object') continue
    const text = texts.get(`${before}${key}`)
    if (text !== undefined) inner.description = text
    describe(inner, texts, `${before}${key}.`)
  }
  const { additionalProperties: any } = schema
  if (typeof any === 'object') {
    const names = [...texts.keys()].filter((name) => name.startsWith(before))
    const firsts = new Set(names.map((name) => name.slice(before.length).split('.')[0] ?? ''))
    for (const first of firsts) describe(any, texts, `${before}${first}.`)
  }
}
