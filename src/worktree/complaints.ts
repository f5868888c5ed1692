import { mkdirSync, mkdtempSync } from 'node:fs'
import type { HostPath } from '../domain/brand.ts'
import { gitFailure } from './git.ts'
import { fleeting } from './hardening.ts'
import { at } from './layout.ts'
import type { Site } from './site.ts'
import { removeMeanwhile, trashOf } from './throw-away.ts'

/** What git has against an object, and would refuse it for in a push. */
export interface Complaint {
  readonly object: string
  /** Git's own name for it, such as `gitmodulesUrl`. */
  readonly message: string
  readonly says: string
}

// Git ends at the first tree that it refuses, so it is asked again with that left aside.
const mostRounds = 10

/**
 * What git has against these trees of a mirror and against the files in them that it reads itself. They are packed as
 * they would be for a push and taken in as the far end does; the other files, which nobody judges, are not read.
 */
export async function complaintsAbout(
  site: Site,
  gitDir: HostPath,
  trees: readonly string[],
): Promise<readonly Complaint[]> {
  if (trees.length === 0) return []
  const input = `${trees.join('\n')}\n`
  const pack = await site.git.run({ gitDir }, ['pack-objects', '-q', '--stdout', '--window=0'], { input })
  const found = new Map<string, Complaint>()
  for (let round = 0; round < mostRounds; round += 1) {
    const aside = [...new Set([...found.values()].map(({ message }) => `${message}=ignore`))]
    const { code, err } = await takeIn(site, gitDir, pack, aside)
    if (code === 0) break
    const said = complaintsIn(err)
    if (said.length === 0) throw gitFailure('index-pack', err)
    for (const complaint of said) found.set(`${complaint.object} ${complaint.says}`, complaint)
  }
  return [...found.values()]
}

/** What git says against objects, here or at the other end of a push. */
export function complaintsIn(err: string): readonly Complaint[] {
  const line = /^(?:remote: )?(?:error|warning): object ([0-9a-f]{40,}): (\w+): (.*)$/gm
  return [...err.matchAll(line)].map(([, object = '', message = '', says = '']) => ({
    object,
    message,
    // It may quote what an agent wrote.
    says: says
      .replaceAll(/\p{Cc}+/gu, ' ')
      .trim()
      .slice(0, 200),
  }))
}

async function takeIn(
  site: Site,
  gitDir: HostPath,
  input: Buffer,
  aside: readonly string[],
): Promise<{ code: number; err: string }> {
  mkdirSync(trashOf(site.data), { recursive: true, mode: 0o700 })
  const scratch = mkdtempSync(`${trashOf(site.data)}/`) as HostPath
  try {
    const strict = aside.length === 0 ? '--strict' : `--strict=${aside.join(',')}`
    const args = ['index-pack', strict, '--stdin', at(scratch, 'new.pack')]
    return await site.git.ask({ gitDir }, args, { input, config: fleeting })
  } finally {
    removeMeanwhile(scratch)
  }
}
