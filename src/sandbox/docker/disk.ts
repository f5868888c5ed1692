import { spawn } from 'node:child_process'
import { statfs } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BoxLimits } from '../../domain/box.ts'
import type { Millis } from '../../domain/brand.ts'
import { GrowthGauge, type Growth } from './growth.ts'
import type { Guard } from './watch.ts'

const mib = 1024 * 1024
// Walking a tree may take as long as it likes to be huge, ms; what was found until then counts.
const walkPatience = 60_000
// A walk takes at most this part of the time.
const walkShare = 20

/** Whether the disk of a path has less free than the limit. */
export async function hasLittleFree(path: string, { diskFreeMb }: BoxLimits): Promise<boolean> {
  const { bavail, bsize } = await statfs(path)
  return (bavail * bsize) / mib < diskFreeMb
}

/** Ends a box when the disk of a path is nearly full. Looks every second: a worktree has no quota of its own. */
export function diskGuard(path: string, limits: BoxLimits): Guard {
  return async (over) => {
    // A disk that cannot be asked is no reason to end a box.
    while (!(await hasLittleFree(path, limits).catch(() => false)))
      await sleep(1000, undefined, { signal: over })
    return 'disk'
  }
}

/** Ends a box when what it wrote since `since` below these folders, all on one disk, is more than its limits. */
export function growthGuard(folders: readonly string[], since: Millis, limits: BoxLimits): Guard {
  const most: Growth = { bytes: limits.worktreeMb * mib, files: limits.worktreeFiles }
  return async (over) => {
    const gauge = new GrowthGauge(most)
    for (let pause = 1000; ;) {
      await sleep(pause, undefined, { signal: over })
      pause = 1000
      const used = await usedOf(folders[0] ?? '/').catch(() => null)
      if (used === null || !gauge.isWorthAWalk(used)) continue
      const began = performance.now()
      const found = await writtenSince(folders, since, most, over)
      over.throwIfAborted()
      if (found.bytes > most.bytes || found.files > most.files) return 'grown'
      gauge.walked(found)
      pause = Math.max(pause, (performance.now() - began) * walkShare)
    }
  }
}

/** The sources that a box may write in and that stay, without those that lie in others. Pure. */
export function writableFolders(
  mounts: readonly { readonly Type: string; readonly Source?: string; readonly ReadOnly?: boolean }[],
): readonly string[] {
  const sources = mounts.flatMap(({ Type, Source, ReadOnly }) =>
    Type === 'bind' && ReadOnly !== true && Source !== undefined ? [Source] : [],
  )
  return [...new Set(sources)].filter(
    (path) => !sources.some((other) => other !== path && path.startsWith(`${other}/`)),
  )
}

async function usedOf(path: string): Promise<Growth> {
  const { blocks, bfree, bsize, files, ffree } = await statfs(path)
  return { bytes: (blocks - bfree) * bsize, files: files - ffree }
}

/**
 * What was made or changed below the folders since then, as far as it is needed to know that it is too much. Left to
 * `find`, which reads trees of any depth and size in little memory and follows nothing. What cannot be read counts nothing.
 */
export async function writtenSince(
  folders: readonly string[],
  since: Millis,
  most: Growth,
  over: AbortSignal,
): Promise<Growth> {
  // By the time of the last change of a file's entry, which nobody can set; blocks of 512 bytes, shared among its links.
  const tests = ['-xdev', '-newerct', `@${(since / 1000).toFixed(3)}`, '-printf', '%b %n\n']
  const signal = AbortSignal.any([over, AbortSignal.timeout(walkPatience)])
  const find = spawn('find', ['-P', ...folders, ...tests], { stdio: ['ignore', 'pipe', 'ignore'], signal })
  find.on('error', () => undefined) // there is none, or its time is over
  let bytes = 0
  let files = 0
  for await (const line of createInterface({ input: find.stdout })) {
    const [blocks = 0, links = 1] = line.split(' ').map(Number)
    bytes += (blocks * 512) / Math.max(1, links)
    files += 1
    if (bytes > most.bytes || files > most.files) break
  }
  find.kill('SIGKILL')
  return { bytes, files }
}
