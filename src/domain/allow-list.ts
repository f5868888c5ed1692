import { compileList, shapeOf, type PatternList } from './pattern-list.ts'

/** The allow list, and which folders something allowed may lie under: those stay open to be walked. */
export interface AllowList {
  readonly list: PatternList
  /** Some pattern may match at any place. */
  readonly anywhere: boolean
  /** Folders under which some pattern may match at any depth. */
  readonly below: PatternList
  /** Folders on the way to what a pattern may match, by their depth. */
  readonly onTheWay: ReadonlyMap<number, PatternList>
}

export function compileAllow(patterns: readonly string[]): AllowList {
  const shapes = patterns.map(shapeOf)
  const onTheWay = new Map<number, string[]>()
  const below: string[] = []
  for (const { body } of shapes.filter((shape) => !shape.name)) {
    const parts = body.split('/')
    for (let depth = 1; depth < parts.length; depth += 1) {
      const prefix = `/${parts.slice(0, depth).join('/')}`
      onTheWay.set(depth, [...(onTheWay.get(depth) ?? []), prefix])
      if (parts[depth]?.includes('**')) {
        below.push(prefix)
        break
      }
    }
  }
  return {
    list: compileList(patterns),
    anywhere: shapes.some((shape) => shape.name || shape.body.startsWith('**')),
    below: compileList(below),
    onTheWay: new Map([...onTheWay].map(([depth, list]) => [depth, compileList(list)])),
  }
}
