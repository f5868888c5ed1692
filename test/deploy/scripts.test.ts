import type { Server } from 'node:http'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { versionOf } from '../../src/config/version.ts'
import { git } from '../support/repository.ts'

const deploy = fileURLToPath(new URL('../../deploy', import.meta.url))
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-deploy-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const bash = (
  script: string,
  ...args: readonly string[]
): { status: number | null; stdout: string; stderr: string } =>
  spawnSync('bash', [join(deploy, script), ...args], { encoding: 'utf8' })

it('the quickstart does nothing where it is given what it does not take', () => {
  const { status, stdout, stderr } = bash('quickstart.sh', '--help')
  expect([status, stdout]).toEqual([2, ''])
  expect(stderr).toContain('takes no arguments; it was given: --help. docs/deployment.md')
})

describe('the example', () => {
  it('is a repository with one commit, made once', () => {
    const example = join(folder, 'example')
    expect(bash('example.sh', example).status).toBe(0)
    expect(git(example, 'status', '--porcelain', '--branch').trim()).toBe('## main')
    expect(git(example, 'ls-files').split('\n')).toContain('tools/fixer.py')
    const head = git(example, 'rev-parse', 'HEAD')
    expect(bash('example.sh', example)).toMatchObject({ status: 0, stdout: '    already there\n' })
    expect(git(example, 'rev-parse', 'HEAD')).toBe(head)
    expect(readdirSync(folder)).toEqual(['example'])
  })

  it('is not put over something else', () => {
    writeFileSync(join(folder, 'mine'), 'mine')
    expect(bash('example.sh', folder)).toMatchObject({ status: 1 })
    expect(readdirSync(folder)).toEqual(['mine'])
  })
})

it('the scripts find their folder also where the shell looks for folders elsewhere', () => {
  const { stdout, stderr } = spawnSync('bash', ['-c', 'source deploy/setup.sh; printf "[%s]" "$root"'], {
    cwd: join(deploy, '..'),
    env: { ...process.env, CDPATH: '.:/' },
    encoding: 'utf8',
  })
  expect([stdout, stderr]).toEqual([`[${join(deploy, '..')}]`, ''])
})

describe('the engine', () => {
  const engineAt = async (
    socket: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ code: number; said: string }> => {
    const child = spawn('bash', [join(deploy, 'engine.sh')], {
      env: { ...process.env, DOCKER_HOST: socket, ...env },
    })
    const said = await text(child.stdout)
    const [code] = child.exitCode === null ? await once(child, 'close') : [child.exitCode]
    return { code: Number(code), said }
  }
  const serving = async (path: string): Promise<Server> => {
    const server = createServer((request, response) => {
      response.end(request.url === '/version' ? '{"Version":"29.0.0","ApiVersion":"1.52"}' : 'OK')
    })
    server.listen(path)
    await once(server, 'listening')
    return server
  }

  it('that answers is used', async () => {
    const path = join(folder, 'docker.sock')
    const server = await serving(path)
    expect(await engineAt(`unix://${path}`)).toEqual({
      code: 0,
      said: '    Docker 29.0.0, API 1.52 answers\n',
    })
    server.close()
  })

  it('that is elsewhere is refused with the reason', async () => {
    const { code, said } = await engineAt('tcp://192.0.2.1:2375')
    expect(code).toBe(1)
    expect(said).toContain('unset it')
  })

  it('that is named and does not answer is not replaced by another', async () => {
    const { code, said } = await engineAt(`unix://${join(folder, 'nothing.sock')}`)
    expect(code).toBe(1)
    expect(said).toContain('start it')
  })
})

/** Runs a line with the functions of setup.sh. */
const sourced = (line: string): { status: number | null; stdout: string } =>
  spawnSync('bash', ['-c', `source ${deploy}/setup.sh; logs=${folder}; ${line}`], { encoding: 'utf8' })

describe('the agent of the first task', () => {
  /** Who is chosen with these variables, and with what it is run where `need_agents` ends so. */
  const chosen = (env: Readonly<Record<string, string>>, built = 0): string =>
    spawnSync(
      'bash',
      [
        '-c',
        `source ${deploy}/setup.sh; source ${deploy}/first-agent.sh; logs=${folder}
        need_agents() { return ${built}; }
        serve_script() { origin=http://127.0.0.1:1; }
        configure_server() { note "configured: $origin $1"; }
        choose_agent; need_agent; configure_agent; say_agent
        echo "$agent $model: \${agent_options[*]}"`,
      ],
      { encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: folder, ...env } },
    ).stdout

  it.each([
    [{ ANTHROPIC_API_KEY: 'k' }, 'claude provider: --agent claude --tokens 500000'],
    [{ OPENAI_API_KEY: 'k' }, 'codex provider: --agent codex --tokens 500000'],
    [{ GEMINI_API_KEY: 'k', OPENAI_API_KEY: '' }, 'gemini provider: --agent gemini --tokens 500000'],
    [
      { OPENAI_COMPATIBLE_ORIGIN: 'http://h:1/v1/', OPENAI_COMPATIBLE_MODEL: 'm', GEMINI_API_KEY: 'k' },
      'configured: http://h:1 m\n    pi is the real program, in a box without network: the gateway outside asks http://h:1. The model is m. At most 500000 tokens.\npi server: --agent pi --tokens 500000\n',
    ],
    [{}, 'THE MODEL IS NOT: ITS ANSWERS ARE SCRIPTED.'],
    [{}, 'pi scripted: --agent pi --tokens 500000\n'],
  ])('is by %j: %s', (env, says) => {
    expect(chosen(env)).toContain(says)
  })

  it.each(['http://me:hush@h:1', 'http://h:1/v1?key=hush', 'http:me:hush@h:1', 'http://h:1#hush'])(
    'is not begun with an address that holds a secret, and does not show it: %s',
    (origin) => {
      const { status, stdout, stderr } = spawnSync(
        'bash',
        [
          '-c',
          `source ${deploy}/setup.sh; source ${deploy}/first-agent.sh; logs=${folder}; choose_agent; configure_agent`,
        ],
        {
          encoding: 'utf8',
          env: {
            PATH: process.env['PATH'],
            HOME: folder,
            OPENAI_COMPATIBLE_ORIGIN: origin,
            OPENAI_COMPATIBLE_MODEL: 'm',
          },
        },
      )
      expect([status, stderr]).toEqual([
        1,
        expect.stringContaining('a key goes into OPENAI_COMPATIBLE_API_KEY'),
      ])
      expect([stdout + stderr, readdirSync(folder)]).toEqual([expect.not.stringContaining('hush'), []])
    },
  )

  it.each([{}, { ANTHROPIC_API_KEY: 'k' }])(
    'that cannot be built is said, and a script takes its place (%j)',
    (env) => {
      const said = chosen(env, 1)
      expect(said).toContain('COULD NOT BE BUILT INTO THE IMAGE')
      expect(said).toContain('No agent and no model: a script of the example')
      expect(said).toContain('command none: --agent command -- python3 tools/fixer.py\n')
    },
  )

  it.each([
    ['answers', null],
    ['names a model', '{"data":[]}'],
    ['says the name of a model', '{"data":[{"object":"model"}]}'],
    ['lists models', 'null'],
    ['speaks JSON', '<html>'],
    ['names a model that can be one', '{"data":[{"id":"\\u001b[2Jm 1"}]}'],
  ])('is not begun where no server %s', async (_, body) => {
    const server = createServer((_request, response) => response.end(body))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    if (body === null) server.close()
    const child = spawn(
      'bash',
      [
        '-c',
        `source ${deploy}/setup.sh; source ${deploy}/first-agent.sh; logs=${folder}
        choose_agent; configure_agent; echo still there`,
      ],
      {
        env: {
          PATH: process.env['PATH'],
          HOME: folder,
          OPENAI_COMPATIBLE_ORIGIN: `http://127.0.0.1:${port}`,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    const [said, , [status]] = await Promise.all([
      text(child.stderr),
      text(child.stdout),
      once(child, 'close'),
    ])
    server.close()
    expect([status, said.trim()]).toEqual([
      1,
      expect.stringMatching(/^bash: No server .* name one in OPENAI_COMPATIBLE_MODEL[^\n]*$/),
    ])
  })
})

describe('what is there already', () => {
  it('is found by its content: a build is made again only where a source changed', () => {
    const project = join(folder, 'project')
    for (const name of ['control-plane', 'src', 'test', 'bin'])
      mkdirSync(join(project, name), { recursive: true })
    for (const name of ['tsconfig.json', 'package-lock.json', 'rolldown.config.ts', 'src/a.ts'])
      writeFileSync(join(project, name), '{}')
    // A build that notes that it ran.
    writeFileSync(
      join(project, 'package.json'),
      JSON.stringify({
        name: 'cofferdam',
        version: '1.2.3',
        scripts: { build: 'mkdir -p dist/program && echo x >>built && touch dist/program/cofferdam.js' },
      }),
    )
    const build = (): string => sourced(`root=${project}; build_sources`).stdout
    const times = (): number => readFileSync(join(project, 'built'), 'utf8').length / 2
    build()
    expect(build()).toBe('    already built\n')
    expect(times()).toBe(1)
    writeFileSync(join(project, 'src', 'a.ts'), '{ }')
    build()
    expect(times()).toBe(2)
    chmodSync(join(project, 'src', 'a.ts'), 0o600)
    build()
    expect(times()).toBe(2)
    const said = (): string => versionOf(join(project, 'dist', 'program'))
    expect(said()).toBe('1.2.3')
    git(project, 'init', '-q')
    git(project, 'add', 'src')
    git(project, 'commit', '-q', '-m', 'Add a source')
    expect(build()).toBe('    already built\n')
    expect(said()).toBe(`1.2.3 (${git(project, 'rev-parse', '--short', 'HEAD').trim()})`)
    writeFileSync(join(project, 'src', 'a.ts'), '{}')
    sourced(`root=${project}; stamp_commit`)
    expect(said()).toMatch(/-dirty\)$/)
  })

  it('is not taken for whole where its making was interrupted', () => {
    const project = join(folder, 'project')
    for (const name of ['control-plane', 'src', 'test', 'dist/program'])
      mkdirSync(join(project, name), { recursive: true })
    for (const name of [
      'tsconfig.json',
      'package-lock.json',
      'rolldown.config.ts',
      'src/a.ts',
      'dist/program/cofferdam.js',
    ])
      writeFileSync(join(project, name), '{}')
    const build = (script: string): string => {
      writeFileSync(join(project, 'package.json'), JSON.stringify({ scripts: { build: script } }))
      return sourced(`root=${project}; build_sources`).stdout
    }
    build('true')
    writeFileSync(join(project, 'src/a.ts'), '{ }')
    build('false')
    // Back to what was built before: of that, the interrupted build may have left anything.
    writeFileSync(join(project, 'src/a.ts'), '{}')
    expect(build('mkdir -p dist/program; touch dist/program/cofferdam.js')).not.toContain('already built')
  })
})

describe('the keys of providers', () => {
  const keys = [
    'ANTHROPIC_API_KEY',
    'OPENAI_API_KEY',
    'GEMINI_API_KEY',
    'OPENAI_COMPATIBLE_API_KEY',
    'DISCORD_TOKEN',
    'GITHUB_TOKEN',
    'GITLAB_TOKEN',
    'FORGEJO_TOKEN',
  ]
  const env = (): Readonly<Record<string, string | undefined>> => ({
    PATH: `${folder}/bin:${process.env['PATH']}`,
    HOME: folder,
    COFFERDAM_BIN: join(folder, 'bin'),
    ...Object.fromEntries(keys.map((name) => [name, `hush-${name}`])),
  })
  beforeEach(() => mkdirSync(join(folder, 'bin')))

  it('B28 are nothing that an engine gets to know that is started here', () => {
    // Whichever of them starts it.
    for (const name of ['dockerd', 'systemctl'])
      writeFileSync(
        join(folder, 'bin', name),
        `#!/bin/sh\nenv >${folder}/env.new; mv ${folder}/env.new ${folder}/env\n`,
        { mode: 0o755 },
      )
    const line = `engine_log=${folder}/log; engine_version() { :; }
      engine_state() { if [ -e ${folder}/env ]; then echo up; else echo down; fi; }; start_engine`
    spawnSync('bash', ['-c', `source ${deploy}/setup.sh; ${line}`], { env: env(), encoding: 'utf8' })
    const known = readFileSync(join(folder, 'env'), 'utf8')
    expect([known, known]).toEqual([expect.stringContaining('HOME='), expect.not.stringContaining('hush')])
  })

  /** Of quickstart, in which each stage says what it is given. */
  const quickstart = (more: Readonly<Record<string, string>> = {}) => {
    const copy = join(folder, 'deploy')
    mkdirSync(copy)
    for (const name of ['quickstart.sh', 'setup.sh', 'jobs.sh', 'engine.sh'])
      writeFileSync(join(copy, name), readFileSync(join(deploy, name)))
    const stages = 'need_programs install_dependencies build_sources help_dependencies need_engine need_image'
    const told = [...stages.split(' '), 'finish_dependencies'].map((name) => `${name}() { env; }\n`)
    writeFileSync(join(copy, 'setup.sh'), told.join(''), { flag: 'a' })
    writeFileSync(join(copy, 'first-task.sh'), 'echo; echo FIRST TASK; env\n')
    return spawnSync('bash', [join(copy, 'quickstart.sh')], { env: { ...env(), ...more }, encoding: 'utf8' })
  }

  it('no task is tried beside an installation that is in use', () => {
    const { status, stdout } = quickstart({ QUICKSTART_TASK: 'no' })
    expect([status, stdout]).toEqual([0, expect.not.stringContaining('FIRST TASK')])
    expect(stdout).toMatch(/no task is tried/)
  })

  it('B28 are given to the first task, and to no stage before it', () => {
    const { status, stdout } = quickstart()
    const [before = '', after = ''] = stdout.split('FIRST TASK')
    expect([status, before]).toEqual([0, expect.not.stringContaining('hush')])
    expect(before.split('HOME=').length).toBeGreaterThan(7)
    expect(keys.filter((name) => !after.includes(`${name}=hush-${name}\n`))).toEqual([])
  })
})

describe('what must be there', () => {
  it.each([
    ['2.37.9', 1, 'git version 2.37.9 is too old: nothing can be merged with it. Install git 2.38 or newer'],
    ['2.38.0', 0, 'git version 2.38.0'],
    ['3.0.0', 0, 'git version 3.0.0'],
  ])('git %s: exit %i', (version, status, says) => {
    writeFileSync(join(folder, 'git'), `#!/bin/sh\necho git version ${version}\n`, { mode: 0o755 })
    const { status: code, stdout } = sourced(`PATH=${folder}:$PATH; need_programs 2>&1`)
    expect([code, stdout]).toEqual([status, expect.stringContaining(says)])
  })
})

describe('what is installed', () => {
  const program = (name: string, script: string): void => {
    mkdirSync(join(folder, 'bin'), { recursive: true })
    writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  }
  const calls = (): readonly string[] => readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n')

  it('by npm is not installed again where only what had to be compiled is missing', () => {
    mkdirSync(join(folder, 'project/node_modules'), { recursive: true })
    for (const name of ['package.json', 'package-lock.json'])
      writeFileSync(join(folder, 'project', name), '{}')
    program('npm', `echo "$3" >>${folder}/calls`)
    const install = `PATH=${folder}/bin:$PATH; root=${folder}/project; install_dependencies; wait`
    expect(sourced(install).stdout).toContain('npm ci')
    expect(sourced(install).stdout).toContain('already there')
    expect(calls()).toEqual(['ci', 'rebuild', 'rebuild'])
  })

  it.each([
    ['installed', '', undefined],
    ['half-configured', 'x is only half configured', 'dpkg was interrupted'],
    ['', '', 'installing with apt: x'],
  ])('by apt: a package that is %j', (status, audit, says) => {
    program('dpkg-query', `echo ${status} | tr -d '\\n'`)
    program('dpkg', `[ "$1" = --audit ] && echo '${audit}' || echo "dpkg $*" >>${folder}/calls`)
    program('apt-get', `echo "apt-get $*" >>${folder}/calls`)
    const { status: code, stdout } = sourced(`PATH=${folder}/bin:$PATH; apt_install x`)
    expect(code).toBe(0)
    if (says === undefined) {
      expect([stdout, existsSync(join(folder, 'calls'))]).toEqual(['', false])
      return
    }
    expect(stdout).toContain(says)
    expect(calls().filter((call) => call.startsWith('dpkg'))).toEqual(
      audit === '' ? [] : ['dpkg --configure -a'],
    )
    expect(calls().at(-1)).toMatch(/ install --fix-broken --yes --no-install-recommends x$/)
  })

  it('the headers of another version of Node.js are not taken for its own', () => {
    const include = join(folder, 'project/node_modules/.node/include/node')
    mkdirSync(include, { recursive: true })
    program('node', `case "$2" in process.versions.modules) echo 115;; *) echo ${folder}/nowhere;; esac`)
    const found = (modules: number): string => {
      writeFileSync(join(include, 'node_version.h'), `#define NODE_MODULE_VERSION ${modules}\n`)
      return sourced(`PATH=${folder}/bin:$PATH; root=${folder}/project; headers`).stdout.trim()
    }
    expect([found(1150), found(108), found(115)]).toEqual([
      '',
      '',
      join(folder, 'project/node_modules/.node'),
    ])
  })

  it('what is compiled is compiled without the hooks that end the process, and the own headers of Node.js stay', () => {
    const own = join(folder, 'node/include/node')
    const hooked = 'inline void MakeWeak() {\n    AddCleanupHook();\n  }\n    RemoveCleanupHook();\n'
    mkdirSync(own, { recursive: true })
    mkdirSync(join(folder, 'project/node_modules'), { recursive: true })
    writeFileSync(join(own, 'node_version.h'), '#define NODE_MODULE_VERSION 137\n')
    writeFileSync(join(own, 'node_object_wrap.h'), hooked)
    program('node', `case "$2" in process.versions.modules) echo 137;; *) echo ${folder}/node;; esac`)
    program('npm', `echo "$npm_config_nodedir" >>${folder}/calls`)
    sourced(`PATH=${folder}/bin:$PATH; root=${folder}/project; begin_sqlite; wait; begin_sqlite; wait`)
    const copy = join(folder, 'project/node_modules/.node')
    expect(calls()).toEqual([copy, copy])
    const [mine, theirs] = [join(copy, 'include/node'), own].map((place) =>
      readFileSync(join(place, 'node_object_wrap.h'), 'utf8'),
    )
    expect([mine, theirs]).toEqual(['inline void MakeWeak() {\n  }\n', hooked])
  })

  it('what had to be compiled is taken by the next clone, and not where it cannot be loaded', () => {
    const caches = join(folder, 'caches')
    const clone = (name: string): string => {
      const place = join(folder, name, 'node_modules/better-sqlite3')
      mkdirSync(join(place, 'build/Release'), { recursive: true })
      writeFileSync(join(place, 'package.json'), '{"version":"1.2.3","main":"main.cjs"}')
      const addon = join(place, 'build/Release/better_sqlite3.node')
      // As the package does: without its addon, or with another's, nothing is opened.
      const main = `if (require('fs').readFileSync(${JSON.stringify(addon)}, 'utf8') !== 'an addon') throw 1
        module.exports = function () { this.close = () => {} }`
      writeFileSync(join(place, 'main.cjs'), main)
      return addon
    }
    const within = (name: string, line: string): number | null =>
      sourced(`export XDG_CACHE_HOME=${caches}; root=${folder}/${name}; ${line}`).status
    expect([clone('first'), within('first', 'take_sqlite')]).toEqual([expect.anything(), 1])
    writeFileSync(clone('first'), 'an addon')
    expect(within('first', 'keep_sqlite')).toBe(0)
    const second = clone('second')
    expect([within('second', 'take_sqlite'), readFileSync(second, 'utf8')]).toEqual([0, 'an addon'])
    const [kept = ''] = readdirSync(join(caches, 'cofferdam'))
    writeFileSync(join(caches, 'cofferdam', kept), 'an addon of another machine')
    const third = clone('third')
    expect([within('third', 'take_sqlite'), existsSync(third)]).toEqual([1, false])
  })
})
