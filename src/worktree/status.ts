import { parts, type RawPath } from './raw.ts'

// Fields before the path, each ended by one space; a path may hold spaces.
const fieldCounts: Readonly<Record<string, number>> = { '1': 8, '2': 9, u: 10, '?': 1 }

/** All paths that `git status --porcelain=v2 -z` names, but ignored ones. A last `/` stands for a whole folder. */
export function parseStatus(out: Buffer): readonly RawPath[] {
  const paths: RawPath[] = []
  const records = parts(out)
  for (let at = 0; at < records.length; at += 1) {
    const record = records[at] ?? ''
    const kind = record.charAt(0)
    const count = fieldCounts[kind]
    if (count === undefined) continue
    paths.push(record.slice(record.split(' ', count).join(' ').length + 1) as RawPath)
    // The second half of a rename is the path it came from.
    if (kind === '2') at += 1
  }
  return paths
}
