import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { sandboxImage } from '../support/docker.ts'
import { aRepository, git } from '../support/repository.ts'

// As an operator does it, with Debian's docker-compose: the image is built, the server starts against this engine, and a task
// is applied, or the server says which folder is not the one that the engine has.

const root = fileURLToPath(new URL('../..', import.meta.url))
const image = 'cofferdam/control-plane:test'
const project = `cofferdam-test-${process.pid}`
let place: string
let base: string

interface Said {
  readonly code: number | null
  readonly out: string
}

/** What an operator may have in the file of variables; OUTER is taken from where compose is called. */
const environment = ['GITHUB_TOKEN=hush-forge', 'TOOLS_TOKEN=hush-tools', 'OUTER']

async function compose(args: readonly string[], overrides: readonly string[] = []): Promise<Said> {
  mkdirSync(join(place, 'etc'), { recursive: true })
  writeFileSync(join(place, 'etc', 'environment'), `${environment.join('\n')}\n`)
  const files = ['deploy/compose.yaml', ...overrides].flatMap((file) => ['-f', file])
  const child = spawn('docker-compose', ['--project-name', project, ...files, ...args], {
    cwd: root,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      OUTER: 'hush-outer',
      COFFERDAM_BASE: base,
      COFFERDAM_COMMIT: 'c0ffee1',
      COFFERDAM_IMAGE: image,
      COFFERDAM_DATA: join(place, 'data'),
      COFFERDAM_RUNTIME: join(place, 'run'),
      COFFERDAM_COPIES: join(place, 'copies'),
      COFFERDAM_REPOSITORIES: join(place, 'repositories'),
      COFFERDAM_ETC: join(place, 'etc'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close') as Promise<[number | null]>
  const [out, error, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { code, out: out + error }
}

/** What a command in the container says; compose itself takes a second to begin with. */
async function inside(...command: readonly string[]): Promise<Said> {
  const filter = ['--filter', `label=com.docker.compose.project=${project}`]
  const id = execFileSync('docker', ['ps', '-q', ...filter], { encoding: 'utf8' }).trim()
  const child = spawn('docker', ['exec', id, ...command], { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'close') as Promise<[number | null]>
  const [out, error, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { code, out: out + error }
}

/** A configuration that names a repository, which is there. */
function configured(): string {
  const repo = join(place, 'repositories', 'shop')
  mkdirSync(join(place, 'repositories'), { recursive: true })
  git(place, 'clone', '-q', aRepository(), repo)
  mkdirSync(join(place, 'etc'), { recursive: true })
  writeFileSync(
    join(place, 'etc', 'cofferdam.yaml'),
    `policy: { limits: { diskFreeMb: 64 } }\nrepositories: { ${repo}: { test: 'true' } }\n`,
  )
  return repo
}

beforeAll(async () => {
  base = await sandboxImage()
  place = mkdtempSync(join(tmpdir(), 'cofferdam-built-'))
  const { code, out } = await compose(['build'])
  if (code !== 0) throw new Error(out)
  rmSync(place, { recursive: true })
  // The first time it installs the dependencies, and compiles one of them.
}, 900_000)
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'cofferdam-compose-'))
})
afterEach(() => {
  rmSync(place, { recursive: true, force: true })
})
it('the server in its container applies a task, in a box that it has no right of its own to, and its backup is restored into its volume, as the page on deployment says', async () => {
  const repo = configured()
  onTestFinished(async () => {
    await compose(['down', '--timeout', '10'])
  })
  expect((await compose(['up', '-d'])).code).toBe(0)
  const run = ['run', '--repo', repo, '--goal', 'Add a file', '--yes', '--agent', 'command', '--']
  const ran = await compose([
    'exec',
    '-T',
    'cofferdam',
    'cofferdam',
    ...run,
    'sh',
    '-c',
    'env >env.txt; echo 1 >new.txt',
  ])
  expect([ran.code, ran.out]).toEqual([0, expect.stringContaining('APPLIED')])
  const branch = git(repo, 'branch', '--list', 'cofferdam/*', '--format=%(refname)').trim()
  expect(git(repo, 'show', `${branch}:new.txt`)).toBe('1\n')
  // What stands in the file of variables is for the server, and for no box.
  const known = await inside('env')
  for (const line of ['GITHUB_TOKEN=hush-forge', 'TOOLS_TOKEN=hush-tools', 'OUTER=hush-outer'])
    expect(known.out).toContain(line)
  const inBox = git(repo, 'show', `${branch}:env.txt`)
  expect([inBox, inBox]).toEqual([expect.stringContaining('HOME='), expect.not.stringContaining('hush')])
  expect((await inside('cofferdam', '--version')).out).toContain(' (c0ffee1)\n')
  // It would end the server at some time or other.
  const addon = '/opt/cofferdam/node_modules/better-sqlite3/build/Release/better_sqlite3.node'
  const hooks = await inside('grep', '-c', 'RemoveEnvironmentCleanupHook', addon)
  expect([hooks.code, hooks.out]).toEqual([1, '0\n'])
  // Nothing but the branch is in the repository, also of the tokens that were read back.
  expect(git(repo, 'status', '--porcelain')).toBe('')
  expect(readFileSync(join(place, 'data', 'installation'), 'utf8')).toMatch(/^[a-z2-7]{12}\n$/)
  // What marks the container as healthy; the engine asks it once a minute.
  const check = execFileSync(
    'docker',
    ['image', 'inspect', '-f', '{{json .Config.Healthcheck.Test}}', image],
    { encoding: 'utf8' },
  )
  const [kind, ...command] = JSON.parse(check) as readonly string[]
  const healthy = await inside(...command)
  expect([kind, healthy.code, healthy.out]).toEqual(['CMD', 0, 'Tasks can be taken and worked on.\n'])
  const { out: told } = await inside('cofferdam', 'doctor')
  // Its canary reaches a gateway of this container.
  expect(told).toMatch(/posture +(?:strong|standard)/)
  expect(told).toMatch(/places +data, sockets and repositories are the same for the engine/)

  const before = join(place, 'copies', 'before')
  const made = await compose(['exec', '-T', 'cofferdam', 'cofferdam', 'backup', before])
  expect([made.code, made.out]).toEqual([0, expect.stringContaining('Backed up')])
  await compose(['down', '--timeout', '10'])
  const installation = readFileSync(join(place, 'data', 'installation'), 'utf8')
  renameSync(join(place, 'data'), join(place, 'copies', 'newer'))
  mkdirSync(join(place, 'data'))
  const back = await compose(['run', '--rm', '-T', 'cofferdam', 'restore', before])
  expect([back.code, back.out]).toEqual([0, expect.stringContaining('Restored')])
  expect(readFileSync(join(place, 'data', 'installation'), 'utf8')).toBe(installation)
  expect((await compose(['up', '-d'])).code).toBe(0)
  const ready = async (): Promise<boolean> => (await inside('cofferdam', 'doctor', '--ready')).code === 0
  await vi.waitUntil(ready, { timeout: 60_000, interval: 1000 })
  expect((await inside('cofferdam', 'task', 'list')).out).toContain('APPLIED')
  const { out } = await inside('cofferdam', 'doctor')
  expect(out).toMatch(/places +data, sockets and repositories are the same for the engine/)
})

describe('the server refuses to start where', () => {
  /** What it says, with these lines in place of those of compose.yaml that have the same target. */
  async function refusal(volumes: readonly string[]): Promise<Said> {
    const override = join(place, 'override.yaml')
    writeFileSync(override, JSON.stringify({ services: { cofferdam: { volumes } } }))
    return await compose(['run', '--rm', '-T', 'cofferdam'], [override])
  }

  it('data, sockets or repositories are other folders inside than out, and names each', async () => {
    const repo = configured()
    const volumes = ['data', 'run', 'repositories'].map((name) => {
      const elsewhere = join(place, `other-${name}`)
      mkdirSync(elsewhere)
      return `${elsewhere}:${join(place, name)}`
    })
    git(place, 'clone', '-q', aRepository(), join(place, 'other-repositories', 'shop'))
    const { code, out } = await refusal(volumes)
    const named = [...out.matchAll(/(\S+) is not the same inside and out/g)].map(([, path]) => path)
    expect([code, named]).toEqual([
      7,
      [
        join(place, 'data', 'scratch'),
        expect.stringMatching(`^${join(place, 'run')}/[0-9a-f]{8}$`),
        join(repo, '.git'),
      ],
    ])
  })

  it('a repository of the configuration is not there', async () => {
    const repo = configured()
    mkdirSync(join(place, 'nothing'))
    const { code, out } = await refusal([`${join(place, 'nothing')}:${join(place, 'repositories')}`])
    expect([code, out]).toEqual([
      7,
      expect.stringContaining(`${repo} is not the same inside and out: There is no folder ${repo}`),
    ])
  })
})
