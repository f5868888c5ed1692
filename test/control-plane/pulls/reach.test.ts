import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { diagnose } from '../../../control-plane/doctor.ts'
import { forgeReach } from '../../../control-plane/pulls/reach.ts'
import { hostPath } from '../../../src/config/places.ts'
import type { PullPlaces } from '../../../src/domain/delivery/forge.ts'
import { forgeKinds, type PullSettings } from '../../../src/domain/delivery/pull.ts'
import { Secret } from '../../../src/domain/secret.ts'
import { openForge } from '../../../src/forges/open.ts'
import { forgeSettings, forgeToken, type TestForge, testForge } from '../../support/forge.ts'

describe.each(forgeKinds)('doctor, of the pull requests on %s', (kind) => {
  let folder: string
  let server: TestForge
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cofferdam-reach-'))
    server = await testForge(kind)
  })
  afterEach(async () => {
    await server[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  /** The findings about them, of two repositories of which one has a forge. */
  async function said(more: Partial<PullSettings> = {}): Promise<readonly object[]> {
    const settings: PullSettings = {
      ...forgeSettings(kind, server),
      ...more,
    }
    const remote = { url: settings.remote, user: 'x', token: settings.token, network: settings.network }
    const pulls: PullPlaces = (path) =>
      path === '/r/one' ? { settings, remote, forge: () => openForge(settings) } : null
    const findings = await diagnose({
      engine: {
        posture: () => Promise.resolve({ level: 'strong', missing: [], engine: 'docker 1', seen: {}, at: 0 }),
        describe: () => Promise.resolve('docker 1'),
        image: () => Promise.resolve('sha256:1'),
      },
      git: () => Promise.resolve('git 2.39.5'),
      version: '0.1.0',
      agents: [],
      data: hostPath(join(folder, 'data')),
      tmp: folder,
      diskFreeMb: 0,
      attestationKey: () => 'none yet',
      forges: forgeReach({ '/r/one': {}, '/r/two': {} }, pulls),
      find: () => Promise.resolve(false),
      alive: () => false,
    })
    return findings.filter(({ name }) => name.startsWith('pull requests'))
  }

  it('says in one line that the project is there for the token, and asks once', async () => {
    const host = new URL(server.address).host
    const text = `${host} has ada/tools, and takes the token in the environment variable FORGE`
    expect(await said()).toEqual([{ name: 'pull requests of /r/one', state: 'ok', text }])
    expect(server.asked.map(({ method }) => method)).toEqual(['GET'])
  })

  it.each<[string, Partial<PullSettings>, RegExp]>([
    ['there is no token', { token: null }, /There is no token for ada\/tools: .* variable FORGE, and start/],
    ['it is another', { token: new Secret('forge', 'other') }, /does not take the token: put another one in/],
    ['the project is none', { project: 'ada/none' }, /has no ada\/none, or the token in .* may not see it/],
    ['nobody is there', { address: 'http://127.0.0.1:1' }, /127\.0\.0\.1 could not be reached: ECONNREFUSED/],
  ])('warns where %s, in words that name what to do', async (_, more, words) => {
    const [finding, ...others] = await said(more)
    expect(others).toEqual([])
    expect(finding).toMatchObject({ state: 'warning', text: expect.stringMatching(words) })
    expect(finding).toMatchObject({
      text: expect.stringContaining('Tasks run all the same, but no pull request is opened.'),
    })
    expect(JSON.stringify(finding)).not.toContain(forgeToken)
  })
})
