import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-fs'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import { imageAgents } from '../../src/domain/image.ts'
import { type AgentInputs, agentInputs, imageTag, tagsWith } from '../../src/sandbox/docker/image/agents.ts'
import { fetchAgent } from '../../src/sandbox/docker/image/fetch-agent.ts'

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      resolved: z.string().optional(),
      integrity: z.string().optional(),
      hasInstallScript: z.boolean().optional(),
    }),
  ),
})

describe.each(imageAgents)('the agent %s', (name) => {
  const { manifest, lock } = agentInputs(name)
  const { '': _, ...packages } = lockSchema.parse(JSON.parse(lock)).packages

  it('is tried in a box by a file of its own', () => {
    expect(existsSync(join(import.meta.dirname, `../e2e/agents/${name}.test.ts`))).toBe(true)
  })

  it('is pinned to the byte, with all that it needs, from no registry by name', () => {
    expect(Object.keys(packages)).not.toEqual([])
    for (const [path, { version, integrity, resolved }] of Object.entries(packages))
      expect([path, version, integrity, resolved]).toEqual([
        path,
        expect.stringMatching(/^\d+\.\d+\.\d+/),
        expect.stringMatching(/^sha512-[\w+/]{86}==$/),
        undefined,
      ])
    const asked = z
      .object({ dependencies: z.record(z.string(), z.string()).default({}) })
      .extend({ optionalDependencies: z.record(z.string(), z.string()).default({}) })
      .parse(JSON.parse(manifest))
    for (const range of Object.values({ ...asked.dependencies, ...asked.optionalDependencies }))
      expect(range).toMatch(/^(?:npm:@?[\w/-]+@)?\d+\.\d+\.\d+(?:-linux-(?:arm64|x64))?$/)
  })

  it('is in the docs with the version that is pinned', () => {
    const docs = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8')
    const version = new RegExp(`^\\| \`${name}\` +\\| ([\\d.]+) `, 'm').exec(docs)?.[1]
    const own = /": "(?:npm:@?[\w/-]+@)?([\d.]+)/.exec(manifest)?.[1]
    expect(version).toBe(own)
    expect(own).toMatch(/^\d+\.\d+\.\d+$/)
  })

  it.each(['x64', 'arm64'])('has a program for %s', (arch) => {
    expect(agentInputs(name, arch).program).toMatch(/^node_modules\/.*\w$/)
  })
})

describe('the tag', () => {
  it('is that of the core without agents, and is the same in any order', () => {
    expect(imageTag([])).toBe(imageTag())
    expect(imageTag(['pi', 'claude', 'pi'])).toBe(imageTag(['claude', 'pi']))
    expect(imageTag(['pi', 'claude'])).toMatch(/^cofferdam\/claude-pi:[0-9a-f]{12}$/)
  })

  it('is another for each set of agents', () => {
    const sets = [[], ['claude'], ['pi'], ['claude', 'pi'], [...imageAgents]] as const
    expect(new Set(sets.map((set) => imageTag(set))).size).toBe(sets.length)
  })

  it('is among those with an agent where that is in it, and only there', () => {
    const tags = tagsWith('pi')
    expect(new Set(tags).size).toBe(2 ** (imageAgents.length - 1))
    for (const set of [['pi'], ['claude', 'pi'], [...imageAgents]] as const)
      expect(tags).toContain(imageTag(set))
    for (const set of [[], ['claude'], ['claude', 'opencode']] as const)
      expect(tags).not.toContain(imageTag(set))
  })
})

describe('the packages of an agent', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cofferdam-agent-'))
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true, force: true })
  })
  const quiet = { progress: (): void => undefined }
  const script = '#!/bin/sh\necho tiny\n'

  it('are laid out with its program in the path, and run nothing of their own', async () => {
    const { integrity } = await registry(script)
    const context = await fetchAgent(inputs(integrity), folder, quiet)
    const local = join(context, 'local')
    expect(readlinkSync(join(local, 'bin/pi'))).toBe('../lib/agents/pi/node_modules/tiny/tiny')
    expect(readFileSync(join(local, 'bin/pi'), 'utf8')).toBe(script)
    expect(readdirSync(join(local, 'lib/agents/pi/node_modules/tiny'))).toEqual(['package.json', 'tiny'])
    expect(readFileSync(join(context, 'Dockerfile'), 'utf8')).toBe('FROM scratch')
  })

  it('are refused where they are not what the lock file names', async () => {
    await registry(script)
    const other = `sha512-${createHash('sha512').update('other').digest('base64')}`
    await expect(fetchAgent(inputs(other), folder, quiet)).rejects.toMatchObject({
      code: 'image',
      message: expect.stringContaining('EINTEGRITY') as string,
    })
  })

  it('are missing for a machine that the agent is not made for', async () => {
    const { integrity } = await registry(script)
    const elsewhere = { ...inputs(integrity), program: 'node_modules/tiny/other' }
    await expect(fetchAgent(elsewhere, folder, quiet)).rejects.toMatchObject({
      code: 'image',
      message: `There is no pi for this machine's architecture (${process.arch}).`,
    })
  })

  function inputs(integrity: string): AgentInputs {
    const tiny = { version: '1.0.0', integrity }
    const lock = { lockfileVersion: 3, requires: true, packages: { '': needs, 'node_modules/tiny': tiny } }
    return {
      name: 'pi',
      recipe: 1,
      dockerfile: 'FROM scratch',
      manifest: JSON.stringify(needs),
      lock: JSON.stringify(lock),
      arch: process.arch,
      program: 'node_modules/tiny/tiny',
    }
  }
  const needs = { dependencies: { tiny: '1.0.0' } }

  /** A registry with one package, which the machine's npm is told to use, with a cache of its own. */
  async function registry(text: string): Promise<{ integrity: string }> {
    const manifest = { name: 'tiny', version: '1.0.0', scripts: { postinstall: 'touch ran' } }
    mkdirSync(join(folder, 'in', 'package'), { recursive: true })
    writeFileSync(join(folder, 'in', 'package', 'package.json'), JSON.stringify(manifest))
    writeFileSync(join(folder, 'in', 'package', 'tiny'), text, { mode: 0o755 })
    for (const name of ['tiny.d.ts', 'tiny.js.map']) writeFileSync(join(folder, 'in', 'package', name), '{}')
    const tarball = gzipSync(await buffer(pack(join(folder, 'in'))))
    const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
    const server = createServer((request, response) => {
      const origin = `http://${String(request.headers.host)}`
      if (request.url === '/tiny.tgz') return void response.end(tarball)
      const dist = { tarball: `${origin}/tiny.tgz`, integrity }
      const versions = { '1.0.0': { ...manifest, dist } }
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ name: 'tiny', 'dist-tags': { latest: '1.0.0' }, versions }))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    vi.stubEnv('npm_config_registry', `http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    vi.stubEnv('npm_config_cache', join(folder, 'cache'))
    return { integrity }
  }
})
