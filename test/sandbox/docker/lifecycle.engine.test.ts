import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { detach, type Materials } from '../../../src/domain/box.ts'
import type { HostPath } from '../../../src/domain/brand.ts'
import type { Listing } from '../../../src/domain/listing.ts'
import { helperLabels } from '../../../src/sandbox/docker/leftovers.ts'
import { Notes } from '../../support/box.ts'
import { bench, docker, foreignPaths, type Bench } from '../../support/docker.ts'
import { engineProxy } from '../../support/engine-proxy.ts'
import { needRoot } from '../../support/needs.ts'
import { aPolicy } from '../../support/task.ts'
import { until } from '../../support/until.ts'

const never = new AbortController().signal

describe('a box on the Docker engine', () => {
  let on: Bench
  beforeEach(async () => {
    on = await bench()
  })
  afterEach(async () => on[Symbol.asyncDispose]())

  it('may print one line of 50 MB, NUL and bytes that are no text', async () => {
    const result = await on.run(
      on.box(String.raw`printf 'a\0b\377c\n'; head -c 50000000 /dev/zero; printf '\nlast \303\274\n'`),
    )
    expect(result.output).toMatch(/^a\uFFFDb\uFFFDc\n/)
    expect(result.output).toMatch(/\nlast ü\n$/)
    expect(result.outputBytes).toBe(50_000_000 + 6 + 9)
  })

  it('leaves no process behind (B16)', async () => {
    const left = (name: string): string =>
      `(setsid nohup sh -c "sleep 1; touch ${name}" >/dev/null 2>&1 &); echo done`
    expect((await on.run(on.box(left('late')))).output).toBe('done\n')
    await sleep(1500)
    // In a box that is still there it does.
    await on.run(on.box(`${left('in-time')}; until [ -e in-time ]; do sleep 0.1; done`, { fence: 2 }))
    const there = await readdir(on.materials.worktree)
    expect([there.includes('late'), there.includes('in-time')]).toEqual([false, true])
  })

  it('that needs more than its memory ends as oom', async () => {
    const limits = { ...aPolicy().limits, memoryMb: 64 }
    const result = await on.run(
      on.box('python3 -c "x = bytearray(300_000_000)"', { policy: aPolicy({ limits }) }),
    )
    expect(result.end).toBe('oom')
    expect(result.message).toContain('64 MiB')
  })

  it('that survives a child which needed too much ends by itself', async () => {
    const limits = { ...aPolicy().limits, memoryMb: 64 }
    const result = await on.run(
      on.box('python3 -c "x = bytearray(300_000_000)"; true', { policy: aPolicy({ limits }) }),
    )
    expect(result).toMatchObject({ end: 'exited', exitCode: 0 })
  })

  it('is not started on a full disk (B21)', async () => {
    const limits = { ...aPolicy().limits, diskFreeMb: 2 ** 40 }
    const full = await on.run(on.box('true', { policy: aPolicy({ limits }) }))
    expect(full).toMatchObject({ end: 'disk', exitCode: null })
    expect(full.message).toContain('make room')
    expect(await on.engine.list()).toEqual([])
  })

  it('is made anew where an earlier one of its name was never started', async () => {
    const spec = on.box('echo ran')
    await on.run(spec)
    const made = await docker.getContainer(spec.name).inspect()
    await docker.getContainer(spec.name).remove()
    await docker.createContainer({ name: spec.name, Image: made.Image, Labels: made.Config.Labels })
    expect((await on.run(spec)).output).toBe('ran\n')
  })

  it('gives what it said while nobody watched', async () => {
    const spec = on.box('echo one; sleep 0.5; echo two; exit 5')
    const leave = new AbortController()
    const notes = new Notes()
    const first = on.run(spec, notes, leave.signal)
    await until(() => notes.text.includes('one'))
    leave.abort(detach)
    await expect(first).rejects.toBe(detach)
    await until(async () => (await on.engine.list()).every(({ running }) => !running))
    const result = await on.reopen().run(spec, on.materials, new Notes(), never)
    expect(result).toMatchObject({ end: 'exited', exitCode: 5, output: 'one\ntwo\n' })
  })

  it('is the engine’s to answer for when it was killed while nobody watched', async () => {
    const spec = on.box('echo up; sleep 60')
    const leave = new AbortController()
    const notes = new Notes()
    const first = on.run(spec, notes, leave.signal)
    await until(() => notes.text.includes('up'))
    leave.abort(detach)
    await expect(first).rejects.toBe(detach)
    await docker.getContainer(spec.name).kill()
    const result = await on.reopen().run(spec, on.materials, new Notes(), never)
    expect(result).toMatchObject({ end: 'engine', exitCode: null })
  })

  it('of an image with a volume of its own is refused and removed', async () => {
    const tag = `cofferdam-test:${on.installation}`
    const { Id } = await docker.getImage(await imageOf(on)).inspect()
    const container = await docker.createContainer({ Image: Id, Cmd: ['true'] })
    await container.commit({ repo: 'cofferdam-test', tag: on.installation, changes: 'VOLUME /data' })
    await container.remove()
    onTestFinished(async () => {
      await docker.getImage(tag).remove()
    })
    const image = (await docker.getImage(tag).inspect()).Id
    await expect(on.run(on.box('true', { image }))).rejects.toMatchObject({
      code: 'engine',
      message: expect.stringContaining('/data') as string,
    })
    expect(await on.engine.list()).toEqual([])
  })

  it('of an image that is gone says what to run (B21)', async () => {
    await expect(on.run(on.box('true', { image: `sha256:${'1'.repeat(64)}` }))).rejects.toMatchObject({
      code: 'image',
    })
    const configured = on.reopen({ image: () => ({ tag: 'mine:1', from: 'tag' }) })
    const spec = on.box('true', { image: `sha256:${'1'.repeat(64)}` })
    const { signal } = new AbortController()
    await expect(configured.run(spec, on.materials, new Notes(), signal)).rejects.toMatchObject({
      code: 'image',
      message: expect.stringContaining('The image mine:1 of engine.image is not on the engine') as string,
    })
  })
})

describe('symlinks between plan and start', () => {
  let on: Bench
  beforeEach(async () => {
    on = await bench()
    await on.materials.write(on.materials.worktree, { 'src/a': '', 'ci/x.yml': 'ci' })
  })
  afterEach(async () => on[Symbol.asyncDispose]())
  const listing: Listing = {
    hidden: [],
    folders: ['ci', 'src'],
    matches: [{ path: 'ci/x.yml', type: 'file', kind: 'readonly', rule: 'x' }],
  }

  /** Materials that do something to the worktree after everything else was prepared. */
  function late(act: () => Promise<void>): Materials {
    const { materials } = on
    return {
      ...materials,
      async locate(source) {
        const path = await materials.locate(source)
        if (source.kind === 'attempt') await act()
        return path
      },
    }
  }

  it.each([
    ['a pinned folder', 'ci'],
    ['a readonly source', 'ci/x.yml'],
  ])('in place of %s are refused, and nothing is left', async (_what, path) => {
    const secret = await mkdtemp(join(tmpdir(), 'cofferdam-secret-'))
    onTestFinished(() => rm(secret, { recursive: true }))
    await writeFile(join(secret, 'x.yml'), 'secret')
    const target = join(on.materials.worktree, path)
    const spec = on.box('ls -R /work', { listing })
    const swap = async (): Promise<void> => {
      await rename(target, join(on.materials.worktree, 'was'))
      await symlink(secret, target)
    }
    await expect(on.engine.run(spec, late(swap), new Notes(), never)).rejects.toMatchObject({
      code: 'worktree',
      message: expect.stringContaining(path) as string,
    })
    expect(
      await docker
        .getContainer(spec.name)
        .inspect()
        .catch(() => null),
    ).toBeNull()
    await on.engine.remove(spec.name)
    expect(await readdir(secret)).toEqual(['x.yml'])
    expect(foreignPaths(on.materials.worktree, 0)).not.toContain('.env')
  })

  it('in what setup left are refused', async () => {
    await mkdir(join(on.materials.setup, 'real/node_modules'), { recursive: true })
    await symlink('real', join(on.materials.setup, 'packages'))
    const spec = on.box('true', { setupFolders: ['packages/node_modules'] })
    await expect(on.run(spec)).rejects.toMatchObject({ code: 'worktree' })
  })
})

describe('what a crash leaves', () => {
  let on: Bench
  const listing: Listing = { hidden: ['lost/.env', 'src/.env'], folders: ['src'], matches: [] }
  beforeEach(async () => {
    on = await bench()
    await on.materials.write(on.materials.worktree, { 'src/a': '' })
  })
  afterEach(async () => on[Symbol.asyncDispose]())

  it('is removed by a sweep, except what is kept or was used', async () => {
    const [kept, gone] = [on.box('true', { fence: 1, listing }), on.box('true', { fence: 2, kind: 'test' })]
    const used = on.box('true', { fence: 3, listing })
    await on.run(gone)
    await on.run(used)
    expect(await readdir(on.materials.worktree)).toContain('.env')
    await rm(join(on.materials.worktree, 'src/.env'))
    await writeFile(join(on.materials.worktree, 'src/.env'), 'the agent got at it')
    // The boxes vanish, as by somebody else's hand; the process that ran them as well.
    for (const { name } of [gone, used]) await docker.getContainer(name).remove()
    await on.reopen().run(kept, on.materials, new Notes(), never)
    await docker.getContainer(kept.name).remove()

    await on.reopen().sweep(new Set([kept.name]))
    expect(await readdir(join(on.scratch, 'boxes'))).toEqual([kept.name])
    // The masks of the box that is kept stand on what an earlier one has made.
    expect(await readdir(on.materials.worktree)).toContain('.env')
    expect(await readFile(join(on.materials.worktree, 'src/.env'), 'utf8')).toBe('the agent got at it')
    const { Volumes } = await docker.listVolumes({
      filters: { label: [`cofferdam.installation=${on.installation}`] },
    })
    expect(Volumes).toEqual([])
    await on.engine.remove(kept.name)
    expect(await readdir(join(on.scratch, 'boxes'))).toEqual([])
    expect((await readdir(on.materials.worktree)).sort()).toEqual(['.git', 'src'])
    expect(await readFile(join(on.materials.worktree, 'src/.env'), 'utf8')).toBe('the agent got at it')
  })

  it('does not hinder the same box from running again', async () => {
    const spec = on.box('cat src/a; ls -A', { listing })
    await on.run(spec)
    await docker.getContainer(spec.name).remove()
    const result = await on.reopen().run(spec, on.materials, new Notes(), never)
    expect(result).toMatchObject({ end: 'exited', exitCode: 0 })
    await on.engine.remove(spec.name)
    expect((await readdir(on.materials.worktree)).sort()).toEqual(['.git', 'src'])
  })
})

describe('a data folder with an odd name', () => {
  it('does for boxes whose writes are lost', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cofferdam-odd-'))
    const on = await bench({ scratch: join(folder, String.raw`a:b,c d\e"f'é`) as HostPath })
    onTestFinished(async () => {
      await on[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    })
    await on.materials.write(on.materials.tree, { 'a.txt': 'tree' })
    const result = await on.run(on.box('cat a.txt; echo x > a.txt', { kind: 'test' }))
    expect(result).toMatchObject({ exitCode: 0, output: 'tree' })
    expect(await readFile(join(on.materials.tree, 'a.txt'), 'utf8')).toBe('tree')
  })
})

describe('a disk that refuses overlays', () => {
  it('gets copies, whose writes are lost as well', async () => {
    needRoot('mounting an overlay')
    const folder = await mkdtemp(join(tmpdir(), 'cofferdam-overlay-'))
    for (const name of ['lower', 'upper', 'work', 'merged']) await mkdir(join(folder, name))
    const places = `lowerdir=${folder}/lower,upperdir=${folder}/upper,workdir=${folder}/work`
    execFileSync('/bin/mount', ['-t', 'overlay', 'overlay', '-o', places, join(folder, 'merged')])
    const on = await bench({ scratch: join(folder, 'merged') as HostPath })
    onTestFinished(async () => {
      await on[Symbol.asyncDispose]()
      execFileSync('/bin/umount', [join(folder, 'merged')])
      await rm(folder, { recursive: true })
    })
    await on.materials.write(on.materials.tree, { 'a.txt': 'tree' })
    await on.materials.write(on.materials.setup, { 'node_modules/m': 'module' })
    for (const fence of [1, 2]) {
      const spec = on.box('cat a.txt node_modules/m; echo x > a.txt; echo x > b', { kind: 'test', fence })
      expect(await on.run(spec)).toMatchObject({ end: 'exited', exitCode: 0, output: 'treemodule' })
      await on.engine.remove(spec.name)
      expect(existsSync(join(on.scratch, 'boxes', spec.name))).toBe(false)
    }
    expect(await readFile(join(on.materials.tree, 'a.txt'), 'utf8')).toBe('tree')
    expect(await readdir(on.materials.tree)).toEqual(['a.txt'])
  })
})

describe('a canary', () => {
  it('runs as boxes do, and what it has found says nothing of another user’s', async () => {
    needRoot('boxes of another user')
    const on = await bench({ user: { uid: 10001, gid: 10001 } })
    onTestFinished(() => on[Symbol.asyncDispose]())
    for (const [engine, uid] of [
      [on.engine, '10001'],
      [on.reopen({ user: { uid: 12345, gid: 12345 } }), '12345'],
    ] as const) {
      const { seen, level } = await engine.posture()
      expect([seen['uid'], level]).toEqual([uid, expect.not.stringMatching('degraded')])
    }
  })
})

describe('a canary that a crash has ended', () => {
  it('leaves nothing, also where the next one is out already', async () => {
    const on = await bench()
    onTestFinished(() => on[Symbol.asyncDispose]())
    const grounds = join(on.scratch, 'canary')
    await mkdir(join(grounds, 'dead', 'worktree'), { recursive: true })
    const posture = on.engine.posture()
    await until(async () => (await readdir(grounds)).length === 2)
    await on.engine.sweep(new Set())
    expect(await readdir(grounds)).not.toContain('dead')
    await posture
    expect(await readdir(grounds)).toEqual([])
  })
})

describe('a box that is no task’s', () => {
  it('is swept away when its process is long gone, and not while it waits to be started', async () => {
    const now = Date.now()
    const on = await bench({ now: () => now })
    const image = await imageOf(on)
    const made = async (at: number): Promise<string> => {
      const Labels = helperLabels(on.installation, at)
      const { id } = await docker.createContainer({ Image: image, Cmd: ['true'], Labels })
      return id
    }
    const fresh = await made(now)
    for (const at of [now - 300_000, now + 1]) await made(at)
    onTestFinished(async () => {
      await docker.getContainer(fresh).remove({ force: true })
      await on[Symbol.asyncDispose]()
    })
    await on.engine.sweep(new Set())
    const label = [`cofferdam.installation=${on.installation}`]
    const left = await docker.listContainers({ all: true, filters: { label } })
    expect(left.map(({ Id }) => Id)).toEqual([fresh])
  })
})

describe('a disk that fills', () => {
  // Also with a whole task, in test/e2e/repositories.test.ts.
  it('ends the box (B21)', { tags: ['long'] }, async () => {
    needRoot('mounting a small disk')
    const folder = await mkdtemp(join(tmpdir(), 'cofferdam-small-'))
    execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', folder])
    const on = await bench({ scratch: join(folder, 'scratch') as HostPath })
    onTestFinished(async () => {
      await on[Symbol.asyncDispose]()
      execFileSync('/bin/umount', [folder])
      await rm(folder, { recursive: true })
    })
    const limits = { ...aPolicy().limits, diskFreeMb: 32 }
    const notes = new Notes()
    const running = on.run(on.box('echo up; sleep 60', { policy: aPolicy({ limits }) }), notes)
    await until(() => notes.text.includes('up'))
    await writeFile(join(folder, 'big'), Buffer.alloc(48 * 1024 * 1024))
    expect(await running).toMatchObject({ end: 'disk', output: 'up\n' })
  })
})

describe('a box that was killed for a full disk while nobody could write why', () => {
  it('is said to have ended for the disk by who takes it over (B21)', async () => {
    needRoot('mounting a small disk')
    const folder = await mkdtemp(join(tmpdir(), 'cofferdam-small-'))
    execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', folder])
    const on = await bench({ scratch: join(folder, 'scratch') as HostPath })
    onTestFinished(async () => {
      await on[Symbol.asyncDispose]()
      execFileSync('/bin/umount', [folder])
      await rm(folder, { recursive: true })
    })
    const limits = { ...aPolicy().limits, diskFreeMb: 32 }
    const spec = on.box('echo up; sleep 60', { policy: aPolicy({ limits }) })
    const leave = new AbortController()
    const notes = new Notes()
    const left = on.engine.run(spec, on.materials, notes, leave.signal).catch((error: unknown) => error)
    await until(() => notes.text.includes('up'))
    leave.abort(detach)
    expect(await left).toBe(detach)
    execFileSync('docker', ['kill', spec.name])
    await writeFile(join(folder, 'big'), Buffer.alloc(48 * 1024 * 1024))
    expect(await on.run(spec)).toMatchObject({ end: 'disk', output: 'up\n' })
  })
})

describe('an engine that goes away (B21)', () => {
  async function behindProxy(more: { patience?: number } = {}) {
    const folder = await mkdtemp(join(tmpdir(), 'cofferdam-proxy-'))
    const proxy = await engineProxy(join(folder, 'docker.sock'))
    const on = await bench({ socketPath: proxy.path, ...more })
    onTestFinished(async () => {
      await proxy[Symbol.asyncDispose]()
      await on[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    })
    return { on, proxy }
  }

  // The next one walks it twice.
  it('and comes back while the box runs is found again', { tags: ['long'] }, async () => {
    const { on, proxy } = await behindProxy()
    const notes = new Notes()
    const running = on.run(on.box('echo one; sleep 4; echo two; exit 6'), notes)
    await until(() => notes.text.includes('one'))
    await proxy.cut()
    setTimeout(() => void proxy.restore(), 1500)
    expect(await running).toMatchObject({ end: 'exited', exitCode: 6, output: 'one\ntwo\n' })
    expect(notes.text).toBe('one\ntwo\n')
  })

  it('twice while the box runs, and gives each byte of both its streams once', async () => {
    const { on, proxy } = await behindProxy()
    const notes = new Notes()
    const script = 'for i in 1 2 3 4 5 6 7 8; do echo out $i; echo error $i >&2; sleep 0.7; done; exit 6'
    const running = on.run(on.box(script), notes)
    for (const line of ['error 2', 'error 5']) {
      await until(() => notes.text.includes(line))
      await proxy.cut()
      await sleep(500)
      await proxy.restore()
    }
    const result = await running
    expect(result).toMatchObject({ end: 'exited', exitCode: 6 })
    expect(result.output).toBe(notes.text)
    const of = (what: string): string[] => notes.text.split('\n').filter((line) => line.startsWith(what))
    const numbered = (what: string): string[] => [1, 2, 3, 4, 5, 6, 7, 8].map((i) => `${what} ${i}`)
    expect([of('out'), of('error')]).toEqual([numbered('out'), numbered('error')])
    expect(notes.chunks.reduce((sum, { length }) => sum + length, 0)).toBe(result.outputBytes)
  })

  it('and comes back after the box has ended reads what it came to', async () => {
    const { on, proxy } = await behindProxy()
    const notes = new Notes()
    const spec = on.box('echo one; sleep 1; echo two; exit 6')
    const running = on.run(spec, notes)
    await until(() => notes.text.includes('one'))
    await proxy.cut()
    await docker.getContainer(spec.name).wait()
    await proxy.restore()
    expect(await running).toMatchObject({ end: 'exited', exitCode: 6, output: 'one\ntwo\n' })
    expect(notes.text).toBe('one\ntwo\n')
  })

  it('and comes back without the box running is a result that says so', async () => {
    const { on, proxy } = await behindProxy()
    const notes = new Notes()
    const spec = on.box('echo one; sleep 60')
    const running = on.run(spec, notes)
    await until(() => notes.text.includes('one'))
    await proxy.cut()
    await docker.getContainer(spec.name).kill()
    await proxy.restore()
    const result = await running
    expect(result).toMatchObject({ end: 'engine', exitCode: null, output: 'one\n' })
    expect(result.message).toContain('from outside')
  })

  it('for good is a result, in bounded time, and rejects every other call with what to do', async () => {
    const { on, proxy } = await behindProxy({ patience: 1 })
    const notes = new Notes()
    const running = on.run(on.box('echo one; sleep 60'), notes)
    await until(() => notes.text.includes('one'))
    await proxy.cut()
    expect(await running).toMatchObject({ end: 'engine', exitCode: null, output: 'one\n' })
    await expect(on.engine.list()).rejects.toMatchObject({
      code: 'engine',
      message: expect.stringContaining('start it') as string,
    })
  })

  it('by not answering does not hang us', async () => {
    const { on, proxy } = await behindProxy({ patience: 1 })
    await on.engine.describe()
    proxy.hang()
    await expect(on.engine.list()).rejects.toMatchObject({ code: 'engine' })
    await expect(on.reopen().describe()).rejects.toMatchObject({ code: 'engine' })
  })
})

async function imageOf(on: Bench): Promise<string> {
  return on.engine.image()
}
