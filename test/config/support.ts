import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Environment } from '../../src/config/environment.ts'

/** A folder that is gone after the test. */
export function scratch(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'cofferdam-config-')))
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

/** A person's session on a machine with four processors. */
export function around(home: string, some: Partial<Environment> = {}): Environment {
  return { env: {}, cwd: home, uid: 1000, gid: 1000, home, tmp: '/tmp', cpus: 4, memoryMb: 16_384, ...some }
}
