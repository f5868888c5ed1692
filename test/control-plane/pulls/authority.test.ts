import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { diagnoseClosed } from '../../../control-plane/errands.ts'
import { thisProcess } from '../../../src/config/environment.ts'
import { loadConfig } from '../../../src/config/load.ts'
import type { Finding } from '../../../src/domain/control-plane.ts'
import { type Authority, anAuthority } from '../../support/authority.ts'
import { forgeProject, forgeToken, type TestForge, testForge } from '../../support/forge.ts'
import { program, type Program } from '../../support/program.ts'
import { aRepository, git } from '../../support/repository.ts'
import { startChild } from '../store/child.ts'

let folder: string
let doctor: Program
let authority: Authority
let forge: TestForge
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-authority-test-'))
  doctor = program(new URL('programs/doctor.ts', import.meta.url))
  authority = anAuthority()
  const served = join(folder, 'served')
  mkdirSync(join(served, 'ada'), { recursive: true })
  git(folder, 'clone', '-q', '--bare', aRepository({ 'a.txt': 'one\n' }), join(served, `${forgeProject}.git`))
  forge = await testForge('forgejo', served, authority.vouch('IP:127.0.0.1'))
  mkdirSync(join(folder, 'data'))
  const login = { user: 'ada', password: { env: 'FORGE' } }
  const asked = { kind: 'forgejo', address: forge.address, token: { env: 'FORGE' }, network: 'loopback' }
  const shop = {
    url: forge.remote(`${forgeProject}.git`),
    login,
    delivery: { forge: { ...asked, project: forgeProject } },
  }
  const config = {
    data: join(folder, 'data'),
    engine: { socket: join(folder, 'none') },
    repositories: { shop },
  }
  // JSON is YAML too.
  writeFileSync(join(folder, 'cofferdam.yaml'), JSON.stringify(config))
}, 60_000)
afterAll(async () => {
  await forge[Symbol.asyncDispose]()
  authority[Symbol.dispose]()
  doctor[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

async function found(believed: string | null): Promise<readonly unknown[]> {
  const unset = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'].flatMap((name) => ['-u', name])
  const set = [`FORGE=${forgeToken}`, ...(believed === null ? [] : [`NODE_EXTRA_CA_CERTS=${believed}`])]
  const config = join(folder, 'cofferdam.yaml')
  const child = startChild('env', [...unset, ...set, process.execPath, doctor.file, config, 'shop'])
  await child.ended()
  return JSON.parse(child.output()) as readonly unknown[]
}

describe('a forge whose certificate is from an authority of its own', () => {
  it('is believed, by its API and by git, where one variable names that', async () => {
    expect(await found(authority.file)).toEqual([
      expect.objectContaining({ name: 'repository shop', state: 'ok' }),
      expect.objectContaining({ name: 'pull requests of shop', state: 'ok' }),
    ])
  })

  it('is not believed else, and the sentence names the variable', async () => {
    const text =
      /certificate that is not trusted here \(.+\)\. Where it is from .* name that in NODE_EXTRA_CA_CERTS/
    expect(await found(null)).toEqual([
      { name: 'repository shop', state: 'problem', text: expect.stringMatching(text) },
      { name: 'pull requests of shop', state: 'warning', text: expect.stringMatching(text) },
    ])
  })

  it('nor where that names another', async () => {
    using other = anAuthority()
    const findings = await found(other.file)
    expect(findings).toHaveLength(2)
    for (const finding of findings)
      expect(finding).toMatchObject({ text: expect.stringContaining('not trusted') })
  })
})

it('a variable that names no file of certificates is said to', async () => {
  const around = { ...thisProcess(), env: { NODE_EXTRA_CA_CERTS: '/none/authority.pem' } }
  const config = loadConfig({ config: join(folder, 'cofferdam.yaml') }, around)
  await expect(diagnoseClosed(config, around)).rejects.toThrow(
    'NODE_EXTRA_CA_CERTS names /none/authority.pem, which cannot be read (ENOENT): name a file',
  )
})

describe('where no process has the data folder, an authority of its own has nothing written into it', () => {
  it('be it that of another program', async () => {
    const data = join(folder, 'others')
    mkdirSync(data)
    writeFileSync(join(data, 'letter.txt'), 'Dear Ada')
    const findings = await closed(data)
    expect(findings[0]).toMatchObject({
      state: 'problem',
      text: expect.stringContaining('holds other things'),
    })
    expect(readdirSync(data)).toEqual(['letter.txt'])
  })

  it('nor does a full disk end the look', async () => {
    const config = join(folder, 'cofferdam.yaml')
    const env = { NODE_EXTRA_CA_CERTS: authority.file }
    const around = { ...thisProcess(), env: { ...thisProcess().env, ...env }, tmp: join(folder, 'none') }
    const findings = await diagnoseClosed(loadConfig({ config }, around), around)
    expect(findings.find(({ name }) => name === 'repository shop')).toMatchObject({
      state: 'problem',
      text: expect.stringContaining('name another with TMPDIR'),
    })
  })
})

async function closed(data: string): Promise<readonly Finding[]> {
  const around = { ...thisProcess(), env: { ...thisProcess().env, NODE_EXTRA_CA_CERTS: authority.file } }
  return await diagnoseClosed(loadConfig({ config: join(folder, 'cofferdam.yaml'), data }, around), around)
}
