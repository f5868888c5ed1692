import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readManifest, writtenManifest } from '../../../control-plane/backup/contents.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-copies-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

type Copy = 'whole' | 'incomplete' | 'damaged'

function make(name: string, copy: Copy): void {
  mkdirSync(join(folder, name))
  writeFileSync(join(folder, name, 'cofferdam.db'), '')
  const lacks = copy === 'incomplete' ? { incomplete: true as const } : {}
  const manifest = writtenManifest({ format: 1, at: 0, tasks: 0, ...lacks })
  writeFileSync(join(folder, name, 'backup.json'), copy === 'damaged' ? '{' : manifest)
}

const days = ['20260101T000000000Z', '20260102T000000000Z', '20260103T000000000Z'] as const

it.each<[readonly Copy[], string]>([
  [['whole', 'whole', 'whole'], days[2]],
  [['whole', 'whole', 'incomplete'], days[1]],
  [['whole', 'incomplete', 'damaged'], days[0]],
  [['incomplete', 'incomplete', 'incomplete'], days[2]],
])('of copies that are %j the newest whole one is named, or else the newest', (copies, named) => {
  for (const [index, copy] of copies.entries()) make(days[index] ?? '', copy)
  expect(() => readManifest(folder)).toThrow(`name the folder of one, such as ${join(folder, named)}.`)
})
