import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keyPlaces } from '../../../control-plane/attest/key.ts'
import { backUp } from '../../../control-plane/backup/backup.ts'
import { restore } from '../../../control-plane/backup/restore.ts'
import type { BackupReport } from '../../../src/domain/backup.ts'
import type { HostPath } from '../../../src/domain/brand.ts'
import { missingFrom } from '../../../src/worktree/missing.ts'

const owner = { pid: process.pid, startedAt: 1, what: 'test' }

export function scratch(): HostPath {
  return mkdtempSync(join(tmpdir(), 'cofferdam-backup-')) as HostPath
}

export const at = (folder: string, name: string): HostPath => join(folder, name) as HostPath

export async function backedUp(data: HostPath, place: HostPath): Promise<BackupReport> {
  return await backUp(place, { data, attestationKey: null, owner, clock: Date.now, missing: missingFrom })
}

export async function restored(from: HostPath, data: HostPath): Promise<BackupReport> {
  return await restore(from, {
    data,
    keysOf: (folder) => keyPlaces(folder, null),
    owner,
    missing: missingFrom,
  })
}
