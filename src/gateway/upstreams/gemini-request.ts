import { Findings } from './request-reader.ts'
import type { Inspection } from './upstream.ts'

const single = new Set(['contents', 'tools', 'generationConfig', 'cachedContent', 'serviceTier'])
const numbers = new Set(['maxOutputTokens', 'candidateCount'])
const listPriced = new Set(['standard', 'flex', 'unspecified'])

/**
 * Looks at a request of generateContent, whose model is in its path. The API takes each key in two spellings, `camelCase`
 * and `snake_case`, and so does this. Of tools there are functions, which the box runs; all others run at the provider.
 */
export function geminiInspection(requestPath: string): Inspection {
  const found = new Findings()
  found.model = /\/models\/([^/:]+):/.exec(requestPath)?.[1] ?? null
  return {
    visit(spelled, value) {
      const path = spelled.map(camel)
      const [key, second = ''] = path
      if (key === undefined) {
        if (value !== undefined) found.object('The request is no JSON object.')
        return
      }
      if (key === '*') found.object('The request is no JSON object.')
      if (path.length === 1) {
        if (single.has(key)) found.once(key)
        if (key === 'model') found.object('The model is named in the address alone.')
        if (key === 'cachedContent' && value !== null)
          found.object(
            '"cachedContent" is not allowed: nothing is kept at the provider. Send the whole content.',
          )
        if (key === 'store' && value !== false && value !== null)
          found.object('"store" is not allowed: nothing of a box is kept at the provider. Leave it out.')
        if (key === 'serviceTier' && value !== null && !listPriced.has(tierOf(value)))
          found.object('This "serviceTier" has no list price here. Leave it out.')
      }
      if (key === 'tools' && path.length === 3 && second === '*' && path[2] !== 'functionDeclarations')
        found.closed(`The tool "${path[2]}"`)
      if (key === 'tools' && path.length > 1 && second !== '*') found.object('"tools" is no list.')
      if (key === 'generationConfig') {
        if (path.length === 2 && numbers.has(second)) {
          found.once(second)
          found.number(second, value)
        }
        if (path.length > 2 && second === 'responseModalities' && String(value).toUpperCase() !== 'TEXT')
          found.object('Only text has a list price here. Leave "responseModalities" out.')
      }
      // What a function was called with, or answered, may look like anything.
      const isOfBox = path[4] === 'functionCall' || (path[4] === 'functionResponse' && path[5] === 'response')
      if (key === 'contents' && isOfBox) return
      if (path.includes('fileUri') && value !== null) found.closed('"fileData"')
      if (path.at(-1) === 'data' && path.at(-2) === 'inlineData' && typeof value === 'string')
        found.picture(value.length)
    },
    result: (bytes) =>
      found.result(
        bytes,
        found.numbers.get('maxOutputTokens') ?? null,
        found.numbers.get('candidateCount') ?? 1,
      ),
  }
}

function camel(key: string): string {
  return key.replaceAll(/_([a-z])/g, (_whole, letter: string) => letter.toUpperCase())
}

function tierOf(value: unknown): string {
  return String(value)
    .toLowerCase()
    .replace(/^service_tier_/, '')
}
