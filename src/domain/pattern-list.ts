import ignore, { type Ignore } from 'ignore'
import { fold } from './fold.ts'

/** A list of patterns in `.gitignore` syntax without `!`; a match names the pattern as it was written. */
export interface PatternList {
  /** The first pattern that means this path itself; `path` and its last part `name` are folded. */
  match(path: string, name: string, folder: boolean): string | null
}

/** How one pattern is to be read. `name`: matched on the last part of a path, at any depth. */
export interface PatternShape {
  readonly name: boolean
  readonly literal: boolean
  readonly folderOnly: boolean
  /** Folded, without what the other fields say: leading `/` or `**` + `/`, trailing `/`. */
  readonly body: string
}

export function shapeOf(pattern: string): PatternShape {
  // A space at the end counts only where it is escaped, by a backslash that is not itself escaped.
  let body = fold(pattern.replace(/(?<!(?<!\\)(?:\\\\)*\\) +$/, ''))
  const folderOnly = body.endsWith('/')
  if (folderOnly) body = body.slice(0, -1)
  const floating = /^(?:\*\*\/)+(?=[^/]+$)/.exec(body)
  if (floating !== null) body = body.slice(floating[0].length)
  const name = !body.includes('/')
  return { name, literal: !/[*?[\]\\]/.test(body), folderOnly, body: name ? body : body.replace(/^\//, '') }
}

interface Literal {
  readonly rule: string
  readonly folderOnly: boolean
}

/** A pattern with wildcards, with the plain text that it begins and ends with: most names fail there, which is cheap. */
interface Glob {
  readonly rule: string
  readonly start: string
  readonly end: string
  readonly pattern: Ignore
}

/** Literal patterns, which are most, are looked up; only the rest is matched one by one. */
export function compileList(patterns: readonly string[]): PatternList {
  const names = new Map<string, Literal>()
  const paths = new Map<string, Literal>()
  const nameGlobs: Glob[] = []
  const pathGlobs: Glob[] = []
  for (const rule of patterns) {
    const shape = shapeOf(rule)
    if (shape.body === '') continue
    if (shape.literal) addLiteral(shape.name ? names : paths, shape, rule)
    else (shape.name ? nameGlobs : pathGlobs).push(globOf(shape, rule))
  }
  return {
    match: (path, name, folder) =>
      found(names.get(name), folder) ??
      found(paths.get(path), folder) ??
      firstGlob(nameGlobs, name, folder) ??
      firstGlob(pathGlobs, path, folder),
  }
}

function addLiteral(map: Map<string, Literal>, shape: PatternShape, rule: string): void {
  const known = map.get(shape.body)
  if (known === undefined || (known.folderOnly && !shape.folderOnly))
    map.set(shape.body, { rule, folderOnly: shape.folderOnly })
}

function globOf(shape: PatternShape, rule: string): Glob {
  // `#` and `!` have no meaning of their own in a policy.
  const body = shape.name ? shape.body.replace(/^(?=[#!])/, '\\') : `/${shape.body}`
  return {
    rule,
    start: /^[^*?[\\]*/.exec(shape.body)?.[0] ?? '',
    // A `/**/` may also stand for one slash, so a slash is no part of the end.
    end: /[^*?\]\\/]*$/.exec(shape.body)?.[0] ?? '',
    pattern: ignore().add({ pattern: shape.folderOnly ? `${body}/` : body }),
  }
}

function found(entry: Literal | undefined, folder: boolean): string | null {
  return entry !== undefined && (folder || !entry.folderOnly) ? entry.rule : null
}

function firstGlob(globs: readonly Glob[], path: string, folder: boolean): string | null {
  // No path of a tree; a pattern that is matched itself may come to that. The library would throw.
  if (/^\.{0,2}(?:\/|$)/.test(path)) return null
  for (const { rule, start, end, pattern } of globs)
    if (path.startsWith(start) && path.endsWith(end) && pattern.ignores(folder ? `${path}/` : path))
      return rule
  return null
}
