import { randomBytes } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, renameSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDataFolder } from '../../src/config/data-folder.ts'
import type { HostPath } from '../../src/domain/brand.ts'

// What the canary of one data folder has found holds for every other one of the same run: the engine remembers with it of
// what it was found, and finds it anew where anything of that is another. So not every plane of a run needs one.

/** All workers of a run are children of one process. */
const ofThisRun = join(tmpdir(), `cofferdam-posture-${process.ppid}.json`)

/** Gives a new data folder what is known. */
export async function lendPosture(data: string): Promise<void> {
  if (!existsSync(ofThisRun)) return
  // A folder that holds nothing but this would be taken for somebody else's.
  await openDataFolder(data as HostPath, process.geteuid?.() ?? 0, randomBytes)
  mkdirSync(join(data, 'scratch'), { recursive: true, mode: 0o700 })
  copyFileSync(ofThisRun, join(data, 'scratch/posture.json'))
}

/** Keeps what a data folder knows for the next ones. */
export function keepPosture(data: string): void {
  const found = join(data, 'scratch/posture.json')
  if (existsSync(ofThisRun) || !existsSync(found)) return
  const half = `${ofThisRun}.${process.pid}`
  copyFileSync(found, half)
  renameSync(half, ofThisRun)
}
