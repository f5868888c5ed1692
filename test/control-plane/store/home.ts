import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { HostPath } from '../../../src/domain/brand.ts'

/** A data folder for one test. */
export interface Home {
  readonly folder: HostPath
  /** Where the database lies. */
  readonly file: HostPath
  [Symbol.dispose](): void
}

export function makeHome(): Home {
  const folder = hostPath(mkdtempSync(join(tmpdir(), 'cofferdam-store-')))
  return {
    folder,
    file: hostPath(join(folder, 'cofferdam.db')),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

export function hostPath(path: string): HostPath {
  return z.custom<HostPath>().parse(path)
}
