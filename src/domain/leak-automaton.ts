/**
 * The automaton of Aho and Corasick over bytes: one look-up for each byte, whatever the number of patterns. Bytes that occur
 * in no pattern share a column, which keeps the table small. Pure data once it is made; where a stream stands is a number
 * that the caller keeps.
 */
export interface Automaton {
  /**
   * Goes through a chunk from a state (0 at a stream's beginning), and returns the state after it. `found` gets the longest
   * pattern that ends at a place, and that place: the count of this chunk's bytes up to its last one.
   */
  run(state: number, chunk: Uint8Array, found: (pattern: number, end: number) => void): number
  /** Bytes before a state that may be the beginning of a pattern: its longest such beginning. */
  depthOf(state: number): number
  lengthOf(pattern: number): number
}

interface Trie {
  /** For each node, the child for each column; 0 is none, for nothing leads back to the root. */
  readonly children: readonly Uint32Array[]
  readonly depths: readonly number[]
  /** The pattern that ends in a node, or -1. */
  readonly ends: number[]
}

export function automatonOf(patterns: readonly Uint8Array[]): Automaton {
  const { columns, width } = columnsOf(patterns)
  const trie = trieOf(patterns, columns, width)
  const order = closed(trie, width)

  // Nodes are numbered anew so that those where a pattern ends come last: one comparison in the loop tells.
  const plain = order.filter((node) => trie.ends[node] === -1)
  const ending = order.filter((node) => trie.ends[node] !== -1)
  const numbers = new Uint32Array(order.length)
  const all = [...plain, ...ending]
  for (const [number, node] of all.entries()) numbers[node] = number

  // A state is the offset of its row in this table.
  const table = new Uint32Array(all.length * width)
  for (const [number, node] of all.entries())
    for (const [column, child] of (trie.children[node] ?? []).entries())
      table[number * width + column] = (numbers[child] ?? 0) * width
  const firstEnding = plain.length * width
  const depths = Uint32Array.from(all, (node) => trie.depths[node] ?? 0)
  const ends = Int32Array.from(all, (node) => trie.ends[node] ?? -1)

  return {
    run(state, chunk, found) {
      const { length } = chunk
      const rows = table
      const columnOf = columns
      const ending = firstEnding
      for (let at = 0; at < length; at += 1) {
        state = rows[state + (columnOf[chunk[at] as number] as number)] as number
        if (state >= ending) found(ends[state / width] ?? -1, at + 1)
      }
      return state
    },
    depthOf: (state) => depths[state / width] ?? 0,
    lengthOf: (pattern) => patterns[pattern]?.length ?? 0,
  }
}

/** A column for each byte that occurs, and column 0 for all others. */
function columnsOf(patterns: readonly Uint8Array[]): {
  readonly columns: Uint8Array
  readonly width: number
} {
  const occurring = [...new Set(patterns.flatMap((pattern) => [...pattern]))]
  // Patterns are UTF-8, which has no use for some bytes: a number is left for the others.
  if (occurring.length > 255) throw new Error('the patterns hold every byte there is')
  const columns = new Uint8Array(256)
  for (const [index, byte] of occurring.entries()) columns[byte] = index + 1
  return { columns, width: occurring.length + 1 }
}

function trieOf(patterns: readonly Uint8Array[], columns: Uint8Array, width: number): Trie {
  const children = [new Uint32Array(width)]
  const depths = [0]
  const ends = [-1]
  for (const [index, pattern] of patterns.entries()) {
    let node = 0
    for (const byte of pattern) {
      const row = children[node] as Uint32Array
      const column = columns[byte] as number
      if (row[column] === 0) {
        row[column] = children.length
        children.push(new Uint32Array(width))
        depths.push((depths[node] as number) + 1)
        ends.push(-1)
      }
      node = row[column] as number
    }
    if (pattern.length > 0) ends[node] = index
  }
  return { children, depths, ends }
}

/** Fills in where each node goes when no pattern goes on there, and which shorter pattern ends there; nodes by depth. */
function closed({ children, ends }: Trie, width: number): readonly number[] {
  const fails = new Uint32Array(children.length)
  const order = [0]
  for (const node of order) {
    const row = children[node] as Uint32Array
    const fail = children[fails[node] as number] as Uint32Array
    for (let column = 0; column < width; column += 1) {
      const child = row[column] as number
      if (child === 0) {
        if (node !== 0) row[column] = fail[column] as number
        continue
      }
      fails[child] = node === 0 ? 0 : (fail[column] as number)
      if (ends[child] === -1) ends[child] = ends[fails[child]] as number
      order.push(child)
    }
  }
  return order
}
