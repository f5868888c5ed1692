import { compileList, shapeOf, type PatternList } from './pattern-list.ts'
import type { Policy } from './policy.ts'

/**
 * The deny list with its exceptions. An excepted name is one that a pattern for names does not mean; a pattern that ends in
 * a bare `*` means everything there, so exceptions do not open a hole in a denied folder.
 */
export function denyRule(policy: Policy): PatternList['match'] {
  const sweeping = (pattern: string): boolean => /(?:^|\/)\*+\/?$/.test(pattern)
  const always = compileList(policy.deny.filter(sweeping).filter((pattern) => !implied(pattern, policy.deny)))
  const unlessExcepted = compileList(policy.deny.filter((pattern) => !sweeping(pattern)))
  const except = compileList(policy.except)
  return (path, name, folder) => {
    const rule = unlessExcepted.match(path, name, folder)
    if (rule !== null && except.match(name, name, folder) === null) return rule
    return always.match(path, name, folder)
  }
}

/** `x/**` says nothing new beside `x` (or `**` + `/x`), as what lies under a denied folder is denied. */
function implied(pattern: string, patterns: readonly string[]): boolean {
  const folder = pattern.replace(/\/\*\*\/?$/, '')
  return (
    folder !== pattern &&
    patterns.some((other) => other === folder || other === folder.replace(/^\*\*\//, ''))
  )
}

/** A denied name that can be masked before anything of that name exists. */
export interface LiteralName {
  readonly name: string
  /** True where the policy means a folder of this name: it also denies `<name>/**`. */
  readonly folder: boolean
  readonly rule: string
}

/** Denied names that are no globs, as written in the policy (`.env`, `.git`, ...). */
export function literalNames(patterns: readonly string[]): readonly LiteralName[] {
  const found = new Map<string, LiteralName>()
  for (const rule of patterns) {
    const shape = shapeOf(rule)
    if (!shape.name || !shape.literal || shape.body === '' || found.has(shape.body)) continue
    const name = rule
      .replace(/^(?:\*\*\/)+/, '')
      .replace(/\/$/, '')
      .trimEnd()
    const contents = patterns.some((other) => other === `${name}/**` || other === `**/${name}/**`)
    found.set(shape.body, { name, folder: shape.folderOnly || contents, rule })
  }
  return [...found.values()]
}
