import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { PassThrough, Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { buffer } from 'node:stream/consumers'
import Docker from 'dockerode'
import { pack } from 'tar-fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseTargets } from '../../src/sandbox/docker/image/apt.ts'
import { command } from '../../src/sandbox/docker/image/command.ts'
import { packContext } from '../../src/sandbox/docker/image/context.ts'
import { follow } from '../../src/sandbox/docker/image/follow.ts'
import { importTar } from '../../src/sandbox/docker/image/import.ts'
import { hashOf, imageInputs } from '../../src/sandbox/docker/image/inputs.ts'
import { takeTurn } from '../../src/sandbox/docker/image/lock.ts'
import { unpack } from '../../src/sandbox/docker/image/node.ts'
import { imageTag } from '../../src/sandbox/docker/image.ts'
import { program } from '../support/program.ts'

const quiet = { progress: (): void => undefined }
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-image-test-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('the tag', () => {
  it('is the same for the same inputs, and another for any other', () => {
    const inputs = imageInputs()
    expect(imageTag()).toBe(`cofferdam/core:${hashOf(inputs)}`)
    expect(imageTag()).toMatch(/^cofferdam\/core:[0-9a-f]{12}$/)
    for (const other of [
      { ...inputs, base: { ...inputs.base, packages: [...inputs.base.packages, 'jq'] } },
      { ...inputs, files: inputs.files.slice(1) },
      { ...inputs, node: { ...inputs.node, npm: { ...inputs.node.npm, version: '1.0.0' } } },
    ]) {
      expect(hashOf(other)).not.toBe(hashOf(inputs))
    }
  })

  it('stands for the files that the image is made of, not for the texts about them', () => {
    const paths = imageInputs().files.map(({ path }) => path)
    expect(paths).toEqual(
      expect.arrayContaining(['Dockerfile', 'entry/entry.c', 'packages.txt', 'pins.json']),
    )
    expect(paths.filter((path) => path.endsWith('.md'))).toEqual([])
  })
})

describe('the sources of the machine', () => {
  it.each([
    [
      'Debian with other sources beside it',
      'Debian|http://a/debian/|bookworm|main\nDebian|http://a/debian/|bookworm-updates|main\n' +
        'Debian|http://b/security/|bookworm-security|main\nNode Source|https://c/|nodistro|main\n',
      {
        suite: 'bookworm',
        lines: [
          'deb http://a/debian/ bookworm main',
          'deb http://a/debian/ bookworm-updates main',
          'deb http://b/security/ bookworm-security main',
        ],
      },
    ],
    [
      'Ubuntu with several architectures',
      'Ubuntu|http://a/ubuntu/|noble|main\nUbuntu|http://a/ubuntu/|noble|main\nUbuntu|http://a/ubuntu/|noble|universe\n',
      { suite: 'noble', lines: ['deb http://a/ubuntu/ noble main', 'deb http://a/ubuntu/ noble universe'] },
    ],
    [
      'two releases: only the first',
      'Debian|http://a/|bookworm|main\nDebian|http://a/|sid|main\n',
      { suite: 'bookworm', lines: ['deb http://a/ bookworm main'] },
    ],
    ['no lists fetched yet', '', null],
    ['another distribution', 'Kali|http://a/|kali-rolling|main\n', null],
  ])('%s', (_name, listing, sources) => {
    expect(parseTargets(listing)).toEqual(sources)
  })
})

describe('one build at a time', () => {
  it('lets the second wait until the first is done', async () => {
    const order: string[] = []
    const first = await takeTurn(quiet, folder)
    const second = (async () => {
      const turn = await takeTurn({ progress: (line) => order.push(line) }, folder)
      order.push('second')
      await turn[Symbol.asyncDispose]()
    })()
    await expect.poll(() => order.length).toBe(1)
    order.push('first')
    await first[Symbol.asyncDispose]()
    await second
    expect(order).toEqual([
      'another build of the sandbox image is going on: waiting for it',
      'first',
      'second',
    ])
  })

  it('clears away what a killed build left, and takes over its turn', async () => {
    using lock = program('src/sandbox/docker/image/lock.ts')
    const script = `const { takeTurn } = await import(${JSON.stringify(lock.file)})
      const turn = await takeTurn({ progress() {} }, ${JSON.stringify(folder)})
      console.log((await turn.scratch()).path)
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script])
    const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), once(child, 'close')])
    writeFileSync(join(String(line), 'half'), 'a base')
    child.kill('SIGKILL')
    await once(child, 'close')
    expect(readdirSync(folder)).toContain('lock')

    const turn = await takeTurn(quiet, folder)
    expect(readdirSync(folder)).toEqual(['lock'])
    const scratch = await turn.scratch()
    await scratch[Symbol.asyncDispose]()
    await turn[Symbol.asyncDispose]()
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('what the engine tells', () => {
  it('is passed on, also where a line comes in parts', async () => {
    const seen: unknown[] = []
    await follow(
      Readable.from(['{"stream":"Step 1', ' : FROM x"}\r\n{"status":"sha256:ab"}\n']),
      'build',
      (event) => seen.push(event),
    )
    expect(seen).toEqual([{ stream: 'Step 1 : FROM x' }, { status: 'sha256:ab' }])
  })

  it('is a failure with the last output where it is an error', async () => {
    const answer = Readable.from(['{"stream":"no such package"}\n{"error":"returned 100"}\n'])
    await expect(follow(answer, 'build it', () => undefined)).rejects.toMatchObject({
      code: 'image',
      message: 'The engine could not build it: returned 100\nno such package',
    })
  })
})

describe('a base that takes long to make', () => {
  it('is imported by a connection that is opened when there is something to send', async () => {
    const got: string[] = []
    const engine = createServer((request, response) => {
      request
        .on('data', (chunk) => got.push(String(chunk)))
        .on('end', () => response.end('{"status":"sha256:ab"}\n'))
    })
    let connections = 0
    engine.on('connection', () => (connections += 1))
    const socketPath = join(folder, 'engine')
    engine.listen(socketPath)
    await once(engine, 'listening')
    try {
      const tar = new PassThrough()
      const made: string[] = []
      const imported = importTar(new Docker({ socketPath }), tar, (id) => made.push(id))
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect(connections).toBe(0)
      tar.write('first ')
      tar.end('last')
      await imported
      expect([connections, got.join(''), made]).toEqual([1, 'first last', ['sha256:ab']])
    } finally {
      engine.close()
    }
  })
})

describe('a program', () => {
  it('gives its output, and its messages line by line', async () => {
    const said: string[] = []
    const output = await command('sh', ['-c', 'cat; echo a >&2; echo b >&2'], {
      stdin: 'in',
      said: (line) => said.push(line),
    })
    expect([output, said]).toEqual(['in', ['a', 'b']])
  })

  it('that fails is told with its last lines', async () => {
    const failing = command('sh', ['-c', 'echo why >&2; exit 3'], {})
    await expect(failing).rejects.toMatchObject({ code: 'image', message: 'sh ended with 3:\nwhy' })
  })

  it('that is not there is told', async () => {
    await expect(command('no-such-program', [], {})).rejects.toMatchObject({ code: 'image' })
  })

  it('whose output nobody can take is ended', async () => {
    const reading = (): Promise<void> => Promise.reject(new Error('engine gone'))
    await expect(command('sh', ['-c', 'exec sleep 60'], { reading })).rejects.toThrow('engine gone')
  })
})

describe('a package from the registry', () => {
  const made = async (): Promise<string> => {
    mkdirSync(join(folder, 'in', 'package', 'bin'), { recursive: true })
    writeFileSync(join(folder, 'in', 'package', 'bin', 'node'), 'node itself')
    const tar = gzipSync(await buffer(pack(join(folder, 'in'))))
    writeFileSync(join(folder, 'tiny-1.0.0.tgz'), tar)
    return `sha512-${createHash('sha512').update(tar).digest('base64')}`
  }

  it('is unpacked where it is what its pin says', async () => {
    const where = await unpack({ name: 'tiny', version: '1.0.0', integrity: await made() }, folder)
    expect(readFileSync(join(where, 'bin', 'node'), 'utf8')).toBe('node itself')
  })

  it('is refused where it is not', async () => {
    const integrity = (await made()).replace(/.{10}$/, 'AAAAAAAA==')
    await expect(unpack({ name: 'tiny', version: '1.0.0', integrity }, folder)).rejects.toThrow(
      'tiny@1.0.0 is not the file that sandbox-image/pins.json names',
    )
    expect(readdirSync(folder)).not.toContain('tiny')
  })
})

describe('the build context', () => {
  it('is the same whatever the modes, owners and times of the files here', async () => {
    writeFileSync(join(folder, 'a'), 'a', { mode: 0o600 })
    const first = await buffer(packContext(folder, 0))
    rmSync(join(folder, 'a'))
    writeFileSync(join(folder, 'a'), 'a', { mode: 0o664 })
    expect(first.equals(await buffer(packContext(folder, 0)))).toBe(true)
  })
})
