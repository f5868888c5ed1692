import { readFileSync } from 'node:fs'
import { isMap, isNode, LineCounter, parseDocument, type Document } from 'yaml'
import type { z } from 'zod'
import { Failure, messageOf, systemCodeOf } from '../domain/failure.ts'
import { configSchema, type ConfigFile } from './schema.ts'

/** Reads a configuration file; null where `optional` and it is not there. Every problem names its line. */
export function readConfigFile(path: string, optional: boolean): ConfigFile | null {
  const text = read(path, optional)
  if (text === null) return null
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const broken = document.errors.map(({ pos, message }) => `line ${lines.linePos(pos[0]).line}: ${message}`)
  if (broken.length > 0) throw bad(path, broken)
  // An empty file, or one of comments alone, is a configuration that says nothing.
  const parsed = configSchema.safeParse(valueOf(path, document))
  if (parsed.success) return parsed.data
  throw bad(
    path,
    parsed.error.issues.flatMap((issue) =>
      problemsOf(issue).map(({ place, text: problem }) => {
        const offset = offsetOf(document, place)
        return offset === null ? problem : `line ${lines.linePos(offset).line}: ${problem}`
      }),
    ),
  )
}

function valueOf(path: string, document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? {}
  } catch (error) {
    throw bad(path, [messageOf(error)])
  }
}

function read(path: string, optional: boolean): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (optional && systemCodeOf(error) === 'ENOENT') return null
    throw new Failure(
      'bad_config',
      `The configuration ${path} cannot be read (${messageOf(error)}): name another.`,
    )
  }
}

function bad(path: string, problems: readonly string[]): Failure {
  return new Failure(
    'bad_config',
    `The configuration ${path} cannot be used. ${problems.map(sentence).join(' ')}`,
  )
}

function sentence(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return `${line.charAt(0).toUpperCase()}${line.slice(1)}${/[.!?]$/.test(line) ? '' : '.'}`
}

interface Problem {
  readonly place: readonly PropertyKey[]
  readonly text: string
}

function problemsOf(issue: z.core.$ZodIssue): readonly Problem[] {
  if (issue.code !== 'unrecognized_keys') {
    const key = issue.path.join('.')
    return [{ place: issue.path, text: key === '' ? issue.message : `"${key}": ${issue.message}` }]
  }
  const where = issue.path.length === 0 ? '' : ` in "${issue.path.join('.')}"`
  return issue.keys.map((key) => ({
    place: [...issue.path, key],
    text: `there is no key "${key}"${where}: remove it or correct the spelling${camelCased(key)}`,
  }))
}

/** No key of ours has an underscore, as those of other programs do. */
function camelCased(key: string): string {
  const name = key.replaceAll(/(?<=[a-z\d])_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  return name === key ? '' : `, as in "${name}"`
}

/** Where in the text a key stands, or the nearest thing around it. */
function offsetOf(document: Document, place: readonly PropertyKey[]): number | null {
  const last = place.at(-1)
  if (last === undefined) return null
  const parent = place.length === 1 ? document.contents : document.getIn(place.slice(0, -1), true)
  if (isMap(parent)) {
    const pair = parent.items.find(({ key }) => isNode(key) && String(key) === String(last))
    if (isNode(pair?.key) && pair.key.range) return pair.key.range[0]
  }
  const node = document.getIn(place, true)
  return isNode(node) && node.range ? node.range[0] : offsetOf(document, place.slice(0, -1))
}
