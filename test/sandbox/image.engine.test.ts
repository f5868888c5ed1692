import type { Server } from 'node:http'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createSilentServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import Docker from 'dockerode'
import { pack } from 'tar-fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pullBase } from '../../src/sandbox/docker/image/base.ts'
import { buildImage, builtImage, imageTag } from '../../src/sandbox/docker/image.ts'
import { Answers, probe } from '../attack/probe.ts'

const docker = new Docker()
const quiet = { progress: (): void => undefined }

/** Runs a program in the image as a box would: no network, read-only, no rights. */
async function inImage(
  argv: readonly string[],
  user = '10001:10001',
  rights: object = {},
): Promise<{ code: number; output: string }> {
  const stdout = new PassThrough()
  const [ended, container] = await docker.run(imageTag(), [...argv], [stdout, stdout], {
    Tty: false,
    User: user,
    NetworkDisabled: true,
    HostConfig: {
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      Init: true,
      Tmpfs: { '/tmp': 'rw,exec,mode=1777', '/home/agent': 'rw,exec,mode=0777' },
      ...rights,
    },
  })
  stdout.end()
  await container.remove({ v: true })
  return { code: ended.StatusCode, output: await text(stdout) }
}
const shell = (script: string): readonly string[] => ['sh', '-c', script]

describe('the image', () => {
  it('is found, and not built a second time', async () => {
    const told: string[] = []
    const id = await buildImage(docker, { progress: (line) => told.push(line) })
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(await builtImage(docker)).toBe(id)
    const began = performance.now()
    expect(await buildImage(docker, { progress: (line) => told.push(line) })).toBe(id)
    expect(performance.now() - began).toBeLessThan(500)
  })

  it('A081 starts nothing of its own: no entrypoint, volume, health check or port, and a numeric user', async () => {
    const { Config } = await docker.getImage(imageTag()).inspect()
    expect(Config.User).toBe('10001:10001')
    expect(Config.Labels).toMatchObject({ 'cofferdam.image': '1' })
    expect([Config.Entrypoint, Config.Volumes, Config.Healthcheck, Config.ExposedPorts]).toEqual([
      null,
      null,
      undefined,
      undefined,
    ])
  })

  it('A077 holds no file with a setuid or setgid bit', async () => {
    expect(await inImage(shell('find / -xdev -perm /6000 2>/dev/null; echo end'), '0:0')).toEqual({
      code: 0,
      output: 'end\n',
    })
  })

  it('keeps nothing of the machine that it was made on', async () => {
    const found = await inImage(
      shell(
        'cat /etc/apt/sources.list /etc/apt/apt.conf.d/99mmdebstrap; ls -A /var/lib/apt/lists /tmp /root',
      ),
      '0:0',
    )
    expect(found.output).not.toMatch(/^deb |Acquire|_Packages|_InRelease|npm|cache/m)
  })

  it('has the programs that work needs', async () => {
    const wanted: readonly (readonly [name: string, script: string, output: RegExp])[] = [
      ['git', 'git --version', /^git version 2\./],
      ['Node', 'node --version', /^v24\./],
      ['npm', 'npm --version', /^11\./],
      [
        'Python with venv',
        'python -m venv /tmp/v && /tmp/v/bin/python -c "import pip; print(pip.__name__)"',
        /^pip$/m,
      ],
      [
        'a C++ compiler',
        'echo "int main() { return 0; }" >/tmp/a.cc && g++ -o /tmp/a /tmp/a.cc && /tmp/a && echo ran',
        /ran/,
      ],
      [
        'the headers of Node',
        'test -e $npm_package_config_node_gyp_nodedir/include/node/node.h && echo there',
        /there/,
      ],
      ['ripgrep', 'rg --version', /^ripgrep/],
      [
        'patch, ps and make',
        'patch --version && ps --version && make --version',
        /patch[^]*procps[^]*GNU Make/,
      ],
    ]
    const scripts = Object.fromEntries(wanted.map(([name, script]) => [name, script]))
    const { output } = await inImage(probe(scripts), '54321:54321')
    const answers = new Answers(output)
    for (const [name, , says] of wanted)
      expect([name, answers.get(name)]).toEqual([name, { code: 0, out: expect.stringMatching(says) }])
  })
})

describe('the entry', () => {
  const entry = '/cofferdam/entry'
  const codes: readonly [string, readonly string[], number, RegExp][] = [
    ['the code of the program', [entry, '9', '-', '--', 'sh', '-c', 'exit 7'], 7, /^$/],
    ['124 at the deadline', [entry, '1', '-', '--', 'sleep', '30'], 124, /^$/],
    [
      '124 for one that does not listen',
      [entry, '1', '-', '--', 'sh', '-c', 'trap "" TERM; while :; do sleep 1; done'],
      124,
      /^/,
    ],
  ]
  it.each(codes)('gives %s', async (_name, argv, code, output) => {
    const ended = await inImage(argv)
    expect(ended.code).toBe(code)
    expect(ended.output).toMatch(output)
  })

  // All in one box: it ends the others only where it is the first program of a box.
  it('gives what the program gives, its arguments as they are, and a code of its own where it runs none', async () => {
    const calls: readonly (readonly [name: string, call: string, code: number, output: RegExp])[] = [
      ['arguments as they are', `9 - -- printf '[%s]' 'a b' '$HOME' ''`, 0, /^\[a b\]\[\$HOME\]\[\]$/],
      ['the folder it was started in', '9 - -- pwd', 0, /^\/work$/m],
      ['a file as standard input', '9 /etc/debian_version -- cat', 0, /^\d+\./],
      ['no standard input', '9 - -- cat', 0, /^$/],
      ['124 of the program itself', "9 - -- sh -c 'exit 124'", 124, /^$/],
      ['137 where it was killed before', "9 - -- sh -c 'kill -KILL $$'", 137, /^$/],
      [
        '126 for what cannot be run',
        '9 - -- /etc/passwd',
        126,
        /^cofferdam: cannot run \/etc\/passwd: Permission/,
      ],
      ['126 for a file that is not there', '9 /nothing -- cat', 126, /\/nothing/],
      [
        '127 for what is not there',
        '9 - -- no-such-program',
        127,
        /^cofferdam: cannot run no-such-program: No such/,
      ],
      ['125 for a wrong call', '9 -', 125, /usage/],
      ['125 for a time that is none', '9s - -- true', 125, /usage/],
    ]
    // Not in place of the shell, whose parent is not the box's init.
    const scripts = Object.fromEntries(calls.map(([name, call]) => [name, `${entry} ${call}; exit $?`]))
    const { output } = await inImage(probe(scripts))
    const answers = new Answers(output)
    for (const [name, , code, says] of calls)
      expect([name, answers.get(name)]).toEqual([name, { code, out: expect.stringMatching(says) }])
  })

  it.each([
    ['capabilities in reach', '10001:10001', { CapDrop: [] }, /CapBnd is not 0/],
    ['new privileges', '10001:10001', { SecurityOpt: [] }, /NoNewPrivs is not 1/],
    [
      'no filter of system calls',
      '10001:10001',
      { SecurityOpt: ['no-new-privileges:true', 'seccomp=unconfined'] },
      /Seccomp is not 2/,
    ],
    ['root', '0:0', {}, /runs as root/],
  ])('A076 runs nothing in a box with %s', async (_what, user, rights, said) => {
    const ended = await inImage([entry, '9', '-', '--', 'echo', 'ran'], user, rights)
    expect(ended.code).toBe(125)
    expect(ended.output).toMatch(/^cofferdam: the walls of the box are not as they should be: .+\n$/)
    expect(ended.output).toMatch(said)
  })

  it('A089 asks every process to end at the deadline, and kills what does not', async () => {
    const script =
      'trap "echo asked; exit 3" TERM; (setsid sh -c "trap \\"echo child asked\\" TERM; while :; do sleep 0.1; done" &); ' +
      'while :; do sleep 0.1; done'
    const began = performance.now()
    const ended = await inImage([entry, '1', '-', '--', 'sh', '-c', script])
    expect(ended).toMatchObject({ code: 124, output: expect.stringContaining('asked') as string })
    expect(performance.now() - began).toBeLessThan(5000)
  })

  it('is small, static and made of the source that is beside it', async () => {
    const { output } = await inImage(
      shell(
        'gcc -std=c11 -Os -Wall -Wextra -Werror -static -s -Wl,--build-id=none -o /tmp/entry /cofferdam/source/*.c && ' +
          'cmp /tmp/entry /cofferdam/entry && echo same; stat -c %s /cofferdam/entry; ldd /cofferdam/entry 2>&1',
      ),
    )
    expect(output).toMatch(/^same\n/)
    expect(output).toMatch(/not a dynamic executable/)
    expect(Number(output.split('\n')[1])).toBeLessThan(1_000_000)
  })

  it('leaves nothing running: the box ends with it', async () => {
    const began = performance.now()
    await inImage([entry, '9', '-', '--', 'sh', '-c', 'setsid sleep 60 >/dev/null 2>&1 &'])
    expect(performance.now() - began).toBeLessThan(5000)
  })
})

describe('the base from a registry', () => {
  const servers: { close(): void }[] = []
  let folder = ''
  const tag = { repo: 'cofferdam/test-base', tag: String(process.pid) }
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'cofferdam-registry-'))
  })
  afterAll(async () => {
    for (const server of servers) server.close()
    rmSync(folder, { recursive: true })
    const made = await docker.listImages({
      filters: { reference: ['cofferdam/test-base', '127.0.0.1:*/tiny'] },
    })
    for (const { Id } of made) await docker.getImage(Id).remove({ force: true })
  })
  const listening = async (server: Server | ReturnType<typeof createSilentServer>): Promise<string> => {
    servers.push(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : ''}`
  }

  it('is pulled and tagged where one answers', async () => {
    writeFileSync(join(folder, 'hello'), 'hello')
    const where = await listening(registry(await buffer(pack(folder))))
    expect(await pullBase(docker, `${where}/tiny:1`, tag, quiet)).toBe(true)
    expect((await docker.getImage(`${tag.repo}:${tag.tag}`).inspect()).RootFS.Layers).toHaveLength(1)
  })

  it('is given up at once where none is', async () => {
    const told: string[] = []
    const began = performance.now()
    expect(await pullBase(docker, '127.0.0.1:1/tiny:1', tag, { progress: (line) => told.push(line) })).toBe(
      false,
    )
    expect(performance.now() - began).toBeLessThan(3000)
    expect(told.at(-1)).toMatch(/^no base image from a registry: .*refused/)
  })

  it('is given up after a few seconds where one does not answer', async () => {
    const where = await listening(createSilentServer())
    const told: string[] = []
    expect(await pullBase(docker, `${where}/tiny:1`, tag, { progress: (line) => told.push(line) })).toBe(
      false,
    )
    expect(told.at(-1)).toBe('no base image from a registry: none answered in time')
  }, 15_000)
})

/** A registry with one image of one layer, as far as a pull needs one. */
function registry(layer: Buffer): Server {
  const digest = (data: Buffer): string => `sha256:${createHash('sha256').update(data).digest('hex')}`
  const zipped = gzipSync(layer)
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: [digest(layer)] },
    }),
  )
  const types = 'application/vnd.docker.distribution.manifest.v2+json'
  const part = (data: Buffer, type: string): object => ({
    mediaType: `application/vnd.docker.${type}`,
    size: data.length,
    digest: digest(data),
  })
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: types,
      config: part(config, 'container.image.v1+json'),
      layers: [part(zipped, 'image.rootfs.diff.tar.gzip')],
    }),
  )
  const blobs = new Map([manifest, config, zipped].map((data) => [digest(data), data]))
  return createServer((request, response) => {
    const url = request.url ?? ''
    const found = url.endsWith('/manifests/1') ? manifest : blobs.get(url.split('/').at(-1) ?? '')
    if (url === '/v2/') response.end('{}')
    else if (found === undefined) response.writeHead(404).end()
    else {
      response.setHeader('content-type', url.includes('/manifests/') ? types : 'application/octet-stream')
      response.setHeader('docker-content-digest', digest(found))
      response.setHeader('content-length', found.length)
      response.end(request.method === 'HEAD' ? undefined : found)
    }
  })
}
