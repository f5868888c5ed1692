import * as fc from 'fast-check'
import { z } from 'zod'

/** A JSON Schema as documents of the API have it. */
export type JsonSchema = Readonly<Record<string, unknown>>
export type Schemas = Readonly<Record<string, JsonSchema>>

const objectSchema = z.record(z.string(), z.unknown())
const mapSchema = z.record(z.string(), objectSchema)
const listSchema = z.array(objectSchema)

/** Values that a schema allows. What it does not say is not made. */
export function valuesOf(schema: JsonSchema, schemas: Schemas): fc.Arbitrary<unknown> {
  const inner = (one: JsonSchema): fc.Arbitrary<unknown> => valuesOf(one, schemas)
  const { $ref, type } = schema
  if (typeof $ref === 'string') return inner(schemas[$ref.split('/').at(-1) ?? ''] ?? {})
  if ('const' in schema) return fc.constant(schema['const'])
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...(schema['enum'] as unknown[]))
  const options = schema['anyOf'] ?? schema['oneOf']
  if (options !== undefined) return fc.oneof(...listSchema.parse(options).map(inner))
  if (Array.isArray(type)) return fc.oneof(...type.map((each: unknown) => inner({ ...schema, type: each })))
  switch (type) {
    case 'string':
      return textsOf(schema)
    case 'integer':
      return fc.integer(boundsOf(schema, -1000, 1000))
    case 'number':
      return fc.double({
        ...boundsOf(schema, -1000, 1000),
        noNaN: true,
        minExcluded: 'exclusiveMinimum' in schema,
      })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array':
      return fc.array(inner(objectSchema.parse(schema['items'] ?? {})), {
        minLength: Number(schema['minItems'] ?? 0),
        maxLength: Math.min(Number(schema['maxItems'] ?? 3), 3),
      })
    case 'object':
      return objectsOf(schema, inner)
    default:
      return fc.jsonValue()
  }
}

function textsOf(schema: JsonSchema): fc.Arbitrary<string> {
  const { pattern } = schema
  const [least, most] = [Number(schema['minLength'] ?? 0), Number(schema['maxLength'] ?? 40)]
  // The library makes no texts for what looks ahead: of those that have what it looks for, enough come up by themselves.
  if (typeof pattern === 'string' && pattern.includes('(?!'))
    return fc
      .string({ minLength: least, maxLength: Math.min(most, least + 8), unit: 'grapheme' })
      .filter((text) => new RegExp(pattern).test(text))
  if (typeof pattern === 'string')
    return fc
      .stringMatching(new RegExp(pattern), { size: 'small' })
      .filter((text) => text.length >= least && text.length <= Math.max(most, 40))
  return fc.string({ minLength: least, maxLength: Math.min(most, least + 40), unit: 'grapheme' })
}

function boundsOf(schema: JsonSchema, least: number, most: number): { min: number; max: number } {
  const min = Number(
    schema['minimum'] ?? schema['exclusiveMinimum'] ?? Math.min(least, Number(schema['maximum'] ?? least)),
  )
  return {
    min: 'exclusiveMinimum' in schema && schema['type'] !== 'number' ? min + 1 : min,
    max: Math.min(Number(schema['maximum'] ?? Math.max(most, min + 1)), 2 ** 31 - 1),
  }
}

function objectsOf(
  schema: JsonSchema,
  inner: (schema: JsonSchema) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  const properties = Object.entries(mapSchema.parse(schema['properties'] ?? {}))
  const fields = Object.fromEntries(properties.map(([name, own]) => [name, inner(own)]))
  return fc.record(fields, { requiredKeys: z.array(z.string()).parse(schema['required'] ?? []) })
}

/** Checks values against a schema of the document. */
export function checkOf(schema: JsonSchema, schemas: Schemas): z.ZodType {
  const here = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value).replaceAll('"#/components/schemas/', '"#/$defs/'))
  return z.fromJSONSchema(objectSchema.parse(here({ ...schema, $defs: schemas })))
}
