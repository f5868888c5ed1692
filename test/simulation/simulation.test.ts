import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openStore } from '../../control-plane/store/open.ts'
import type { HostPath } from '../../src/domain/brand.ts'
import { type Stage, tell } from './history.ts'

let stage: Stage

beforeAll(() => {
  const folder = mkdtempSync(join(memory(), 'cofferdam-simulation-'))
  const empty = join(folder, 'empty.db') as HostPath
  openStore(empty)[Symbol.dispose]()
  stage = { folder, empty }
})
afterAll(() => rmSync(stage.folder, { recursive: true }))

/** Where a file is only memory: a history is no test of the disk. */
function memory(): string {
  return statSync('/dev/shm', { throwIfNoEntry: false })?.isDirectory() === true ? '/dev/shm' : tmpdir()
}

describe('a simulation', () => {
  it('tells', async () => {
    const first = Number(process.env['COFFERDAM_SEED'] ?? 1)
    const count = Number(process.env['COFFERDAM_HISTORIES'] ?? 20)
    const t = Date.now()
    let writes = 0
    let tasks = 0
    let bad = 0
    for (let seed = first; seed < first + count; seed += 1) {
      const told = await tell(stage, seed)
      writes += told.writes
      tasks += told.tasks
      if (told.wrong.length > 0) {
        bad += 1
        console.log(`seed ${seed}: ${told.wrong}`)
        if (count === 1) console.log(told.lines.join('\n'))
        if (bad > 30) break
      }
    }
    console.log(`${count} histories, ${bad} bad, ${writes} writes, ${tasks} tasks in ${Date.now() - t} ms`)
    expect(bad).toBe(0)
  }, 300_000)
})
