import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { hostPath } from '../../src/config/places.ts'
import type { HostPath } from '../../src/domain/brand.ts'
import { imageTag } from '../../src/sandbox/docker/image/agents.ts'
import { buildWithAgents } from '../../src/sandbox/docker/image/build-agents.ts'
import { buildOwn, ownTag } from '../../src/sandbox/docker/image/dockerfile.ts'
import { docker, sandboxImage } from '../support/docker.ts'

const quiet = { progress: (): void => undefined }

async function printed(image: string, script: string, user = '10001:10001'): Promise<string> {
  const output = new PassThrough()
  const [, container] = await docker.run(image, ['sh', '-c', script], [output, output], {
    Tty: false,
    User: user,
    HostConfig: { NetworkMode: 'none', ReadonlyRootfs: true, CapDrop: ['ALL'], Tmpfs: { '/home/agent': '' } },
  })
  output.end()
  await container.remove({ v: true })
  return await text(output)
}

describe('the image with an agent', () => {
  it('is the core and the agent on top, and nothing else is changed', async () => {
    const core = await docker.getImage(await sandboxImage()).inspect()
    const own = await docker.getImage(await sandboxImage(['claude'])).inspect()
    const under = core.RootFS.Layers ?? []
    expect(own.RootFS.Layers?.slice(0, under.length)).toEqual(under)
    expect({ ...own.Config, Image: '' }).toEqual({ ...core.Config, Image: '' })
    const script = 'claude --version; ls /usr/local/lib/agents; ls -A /tmp /root'
    expect(await printed(imageTag(['claude']), script, '0:0')).toMatch(
      /^\d+\.\d+\.\d+ \(Claude Code\)\nclaude\n\/root:\n(?:\.\w+\n)*\n\/tmp:\n$/,
    )
  })

  it('A077 holds no file with a setuid or setgid bit', async () => {
    const script = 'find / -xdev -perm /6000 2>/dev/null; echo end'
    expect(await printed(await sandboxImage(['claude']), script, '0:0')).toBe('end\n')
  })

  it('is not built a second time', async () => {
    const told: string[] = []
    const id = (await docker.getImage(await sandboxImage(['claude'])).inspect()).Id
    expect(await buildWithAgents(docker, ['claude'], { progress: (line) => told.push(line) })).toBe(id)
    expect(told).toEqual([])
  })
})

describe("an operator's Dockerfile", () => {
  let folder: string
  let dockerfile: HostPath
  const made = new Set<string>()
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cofferdam-own-'))
    dockerfile = hostPath(join(folder, 'Dockerfile'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
  })
  afterAll(async () => {
    for (const tag of made) await docker.getImage(tag).remove({ force: true })
  })
  const build = async (content: string): Promise<string> => {
    writeFileSync(dockerfile, content)
    const base = await sandboxImage()
    const id = await buildOwn(docker, dockerfile, base, quiet)
    made.add(ownTag(dockerfile, base))
    return id
  }

  it('is built on the image that it is given, with what lies beside it', async () => {
    writeFileSync(join(folder, 'hello'), '#!/bin/sh\necho hello\n', { mode: 0o755 })
    const content =
      'ARG BASE\nFROM ${BASE}\nUSER root\nCOPY hello /usr/local/bin/hello\nRUN ls /usr/local/bin\n'
    const id = await build(content)
    expect(await printed(id, 'hello; rg --version | head -n 1')).toMatch(/^hello\nripgrep/)
    expect(await build(content)).toBe(id)
  })

  it('is refused where it does not stand on that, and leaves no image by its name', async () => {
    await expect(build('FROM scratch\nCOPY Dockerfile /\n')).rejects.toMatchObject({
      code: 'image',
      message: expect.stringContaining('begin it with "ARG BASE" and "FROM ${BASE}"') as string,
    })
    const tag = ownTag(dockerfile, await sandboxImage())
    await expect(docker.getImage(tag).inspect()).rejects.toMatchObject({ statusCode: 404 })
  })

  it('that does not build says which step it was', async () => {
    await expect(build('ARG BASE\nFROM ${BASE}\nRUN echo why >&2; exit 3\n')).rejects.toMatchObject({
      code: 'image',
      message: expect.stringMatching(/returned a non-zero code: 3[^]*why/) as string,
    })
  })

  it('makes another image where anything beside it, or under it, is another', () => {
    writeFileSync(dockerfile, 'FROM a')
    const tags = [ownTag(dockerfile, 'base:1'), ownTag(dockerfile, 'base:2')]
    writeFileSync(join(folder, 'b'), '1')
    tags.push(ownTag(dockerfile, 'base:1'))
    writeFileSync(join(folder, 'b'), '2')
    tags.push(ownTag(dockerfile, 'base:1'))
    mkdirSync(join(folder, 'c'))
    symlinkSync('../b', join(folder, 'c', 'd'))
    tags.push(ownTag(dockerfile, 'base:1'))
    expect(new Set(tags).size).toBe(tags.length)
    expect(tags[0]).toMatch(/^cofferdam\/own:[0-9a-f]{12}$/)
  })

  it('is not looked at among too much else, nor where it is not there', () => {
    expect(() => ownTag(dockerfile, 'base:1')).toThrow(
      /Dockerfile of the configuration cannot be read: ENOENT/,
    )
    writeFileSync(dockerfile, 'FROM a')
    writeFileSync(join(folder, 'big'), '')
    truncateSync(join(folder, 'big'), 65 * 1024 * 1024)
    expect(() => ownTag(dockerfile, 'base:1')).toThrow('give it a folder of its own')
  })
})
