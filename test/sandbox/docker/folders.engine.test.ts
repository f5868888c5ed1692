import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { hostPath } from '../../../src/config/places.ts'
import type { HostPath } from '../../../src/domain/brand.ts'
import { foldersApart } from '../../../src/sandbox/docker/canary/folders.ts'
import { connector } from '../../../src/sandbox/docker/connect.ts'
import { docker, dockerSocket, sandboxImage } from '../../support/docker.ts'

// That the engine has another folder takes a control plane in a container: test/deploy/compose.engine.test.ts.

const installation = `t${process.pid}`
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-folders-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const at = (name: string): HostPath => hostPath(join(folder, name))
const apart = async (image: string, ...folders: readonly HostPath[]) =>
  await foldersApart(await connector(dockerSocket)(), image, installation, folders)

async function boxes(): Promise<number> {
  const label = [`cofferdam.installation=${installation}`]
  return (await docker.listContainers({ all: true, filters: { label } })).length
}

it('folders of this machine are the same for its engine, whoever may enter them, and nothing is left in them', async () => {
  for (const name of ['open', 'closed', 'with a, b:c'])
    mkdirSync(at(name), { mode: name === 'closed' ? 0o700 : 0o755 })
  const names = ['open', 'closed', 'with a, b:c', 'open'].map(at)
  expect(await apart(await sandboxImage(), ...names)).toEqual([])
  expect([readdirSync(folder, { recursive: true }).length, await boxes()]).toEqual([3, 0])
})

it('one that cannot be written is named with the reason, and the others are looked at', async () => {
  writeFileSync(at('file'), '')
  mkdirSync(at('open'))
  expect(await apart(await sandboxImage(), at('file'), at('open'), at('gone'))).toEqual([
    { path: at('file'), why: expect.stringMatching(/^it cannot be written here \(ENOTDIR/) as string },
    { path: at('gone'), why: expect.stringMatching(/^it cannot be written here \(ENOENT/) as string },
  ])
  expect(readdirSync(at('open'))).toEqual([])
})

it('where no box can be run, no folder is blamed, and nothing is left', async () => {
  mkdirSync(at('open'))
  await expect(apart('sha256:0123456789ab', at('open'))).rejects.toThrow(/image/)
  expect([readdirSync(at('open')), await boxes()]).toEqual([[], 0])
})
