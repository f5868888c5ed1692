import { parts, type RawPath } from './raw.ts'

/** A tracked path that differs from the index. */
export interface Changed {
  readonly path: RawPath
  /** The mode on disk, octal; 000000 where it is gone. */
  readonly mode: string
}

/** What `git status --porcelain=v2 -z` says. A path that ends with `/` stands for a whole folder. */
export interface StatusFound {
  readonly changed: readonly Changed[]
  readonly untracked: readonly RawPath[]
  readonly ignored: readonly RawPath[]
  /** Paths where the index differs from HEAD. */
  readonly staged: readonly RawPath[]
}

export function parseStatus(out: Buffer): StatusFound {
  const changed: Changed[] = []
  const untracked: RawPath[] = []
  const ignored: RawPath[] = []
  const staged: RawPath[] = []
  let skip = false
  for (const record of parts(out)) {
    // The second half of a rename is the path it came from.
    if (skip) {
      skip = false
      continue
    }
    const kind = record.charAt(0)
    if (kind === '?') untracked.push(record.slice(2) as RawPath)
    else if (kind === '!') ignored.push(record.slice(2) as RawPath)
    else if (kind === '1' || kind === '2' || kind === 'u') {
      const { fields, path } = split(record, fieldCounts[kind])
      if (kind === '2') skip = true
      if (fields[1]?.charAt(0) !== '.') staged.push(path)
      if (fields[1]?.charAt(1) !== '.') changed.push({ path, mode: fields[kind === 'u' ? 6 : 5] ?? '100644' })
    }
  }
  return { changed, untracked, ignored, staged }
}

// Fields before the path, each ended by one space; a path may hold spaces.
const fieldCounts = { '1': 8, '2': 9, u: 10 } as const

function split(record: string, count: number): { fields: readonly string[]; path: RawPath } {
  const fields = record.split(' ', count)
  return { fields, path: record.slice(fields.join(' ').length + 1) as RawPath }
}
