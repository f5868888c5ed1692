import { randomBytes } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { detach, type BoxResult, type BoxSpec, type Engine } from '../../src/domain/box.ts'
import { specHash } from '../../src/sandbox/hash.ts'
import { aBox, Notes, type Overrides } from '../support/box.ts'
import { testMaterials, type TestMaterials } from '../support/materials.ts'
import { aPolicy } from '../support/task.ts'
import { until } from '../support/until.ts'

export interface EngineUnderTest extends AsyncDisposable {
  /** An engine for an installation. Another one for the same sees the same boxes, as after a restart. */
  open(installation: string): Engine
}

/** What every engine does, whatever is behind it. */
export function engineContract(name: string, prepare: () => Promise<EngineUnderTest>): void {
  describe(`${name} keeps the engine's contract`, () => {
    let host: EngineUnderTest
    let engine: Engine
    let one: string
    let two: string
    let materials: TestMaterials
    let image: string
    const never = new AbortController().signal

    beforeEach(async () => {
      host = await prepare()
      // Names of their own: another run of these tests may use the same engine.
      one = `a${randomBytes(4).toString('hex')}`
      two = `b${randomBytes(4).toString('hex')}`
      engine = host.open(one)
      image = await engine.image()
      materials = await testMaterials()
    })
    afterEach(async () => {
      for (const installation of [one, two]) {
        const other = host.open(installation)
        for (const box of await other.list()) await other.remove(box.name)
      }
      await materials[Symbol.asyncDispose]()
      await host[Symbol.asyncDispose]()
    })

    const box = (script: string, overrides: Overrides = {}): BoxSpec =>
      aBox({ installation: one, image, argv: ['sh', '-c', script], ...overrides })
    const run = (spec: BoxSpec, notes = new Notes(), signal = never): Promise<BoxResult> =>
      engine.run(spec, materials, notes, signal)

    it('describes itself', async () => {
      expect(await engine.describe()).not.toBe('')
    })

    it('runs the command with the prompt as its input and gives its output and code', async () => {
      const notes = new Notes()
      const result = await run(box('cat; echo to stderr >&2; exit 3'), notes)
      expect(result).toMatchObject({ end: 'exited', exitCode: 3, truncated: false, message: null })
      expect(result.output).toContain('Do what is asked.\n')
      expect(result.output).toContain('to stderr\n')
      expect(result.outputBytes).toBe(result.output.length)
      expect(notes.text).toBe(result.output)
      expect(notes.starts).toHaveLength(1)
      expect(result.endedAt).toBeGreaterThanOrEqual(result.startedAt)
    })

    it('passes argv as it is, without a shell', async () => {
      const argv = ['printf', '%s|', 'a b', '$HOME', '', "it's", '*', 'ü\n']
      expect((await run(aBox({ installation: one, image, argv }))).output).toBe("a b|$HOME||it's|*|ü\n|")
    })

    it('gives the command its environment and nothing of the host', async () => {
      const result = await run(box('echo "$CI $MINE"; env | grep -c VITEST', { env: { MINE: 'yes' } }))
      expect(result.output).toBe('1 yes\n0\n')
    })

    it('keeps what an agent box writes in the worktree', async () => {
      await materials.write(materials.worktree, { 'a.txt': 'old', 'gone.txt': '' })
      const result = await run(box('pwd; echo new > a.txt; mkdir -p d/e; echo x > "d/e/f g"; rm gone.txt'))
      expect(result.exitCode).toBe(0)
      expect(await readFile(join(materials.worktree, 'a.txt'), 'utf8')).toBe('new\n')
      expect(await readFile(join(materials.worktree, 'd/e/f g'), 'utf8')).toBe('x\n')
      expect(await readdir(materials.worktree)).not.toContain('gone.txt')
    })

    it('keeps readonly and denied paths as they were, and leaves no placeholder', async () => {
      await materials.write(materials.worktree, { '.github/workflows/ci.yml': 'ci', 'src/a': '' })
      const matches = [{ path: '.github/workflows', type: 'folder', kind: 'readonly', rule: 'ci' }] as const
      const listing = {
        hidden: ['deep/config.yaml'],
        folders: ['.github', '.github/workflows', 'src'],
        matches,
      }
      const spec = box(
        'echo x > .env; echo x > .github/workflows/ci.yml; rm -rf .github; mkdir -p src/b; true',
        { listing },
      )
      await run(spec)
      await engine.remove(spec.name)
      expect(await readFile(join(materials.worktree, '.github/workflows/ci.yml'), 'utf8')).toBe('ci')
      expect((await readdir(materials.worktree)).sort()).toEqual(['.git', '.github', 'src'])
      expect(await readdir(join(materials.worktree, 'src'))).toEqual(['a', 'b'])
    })

    it('under an allow list, keeps what is written in the islands alone', async () => {
      await materials.write(materials.worktree, { 'src/a': 'old', 'docs/a': 'old', top: 'old' })
      const policy = aPolicy({ allow: ['src/**', 'new/'] })
      const listing = { hidden: [], folders: ['docs', 'src'], matches: [] }
      const spec = box('for f in src/a docs/a top src/b new/c; do echo new > $f; done; true', {
        policy,
        listing,
      })
      await run(spec)
      await engine.remove(spec.name)
      const text = (path: string): Promise<string> => readFile(join(materials.worktree, path), 'utf8')
      expect(await Promise.all(['src/a', 'src/b', 'new/c', 'docs/a', 'top'].map(text))).toEqual([
        'new\n',
        'new\n',
        'new\n',
        'old',
        'old',
      ])
    })

    it('shows a test box the tree with what setup left under it, and throws its writes away', async () => {
      await materials.write(materials.tree, { 'a.txt': 'tree' })
      await materials.write(materials.setup, { 'node_modules/m/index.js': 'module' })
      const spec = box('cat a.txt; echo x > a.txt; echo x > b; rm -r node_modules/m; cat a.txt', {
        kind: 'test',
      })
      const result = await run(spec)
      expect(result.output).toBe('treex\n')
      await engine.remove(spec.name)
      expect(await readFile(join(materials.tree, 'a.txt'), 'utf8')).toBe('tree')
      expect(await readdir(materials.tree)).toEqual(['a.txt'])
      expect(await readdir(join(materials.setup, 'node_modules'))).toEqual(['m'])
    })

    it('keeps what a setup box writes', async () => {
      await materials.write(materials.tree, { 'a.txt': 'tree' })
      const result = await run(
        box('cat a.txt; mkdir node_modules; echo x > node_modules/x', { kind: 'setup' }),
      )
      expect(result).toMatchObject({ end: 'exited', exitCode: 0, output: 'tree' })
      expect(await readdir(join(materials.kept, 'node_modules'))).toEqual(['x'])
      expect(await readdir(materials.tree)).toEqual(['a.txt'])
    })

    it('lays folders that setup left over the worktree and throws writes to them away', async () => {
      await materials.write(materials.setup, { 'node_modules/m': 'module' })
      const spec = box('cat node_modules/m; echo x > node_modules/m; echo y > z', {
        setupFolders: ['node_modules'],
      })
      expect((await run(spec)).output).toBe('module')
      await engine.remove(spec.name)
      expect(await readFile(join(materials.setup, 'node_modules/m'), 'utf8')).toBe('module')
      expect((await readdir(materials.worktree)).sort()).toEqual(['.git', 'z'])
    })

    it.each([
      ['a missing command', ['no-such-command-here']],
      ['a file that is no program', ['/etc/passwd']],
    ])('says that %s could not be started', async (_what, argv) => {
      const result = await run(aBox({ installation: one, image, argv }))
      expect(result.end).toBe('not_started')
      expect(result.message).not.toBeNull()
    })

    async function byItself(code: number): Promise<void> {
      const result = await run(box(`echo worked; exit ${code}`))
      expect(result).toMatchObject({ end: 'exited', exitCode: code, output: 'worked\n', message: null })
      const silent = await run(box(`exit ${code}`, { attempt: 2 }))
      expect(silent).toMatchObject({ end: 'exited', exitCode: code, output: '' })
    }
    const asOne = 'does not take a command that ends with %i by itself for one that could not be started'
    it.each([127])(asOne, byItself)
    // The same way with another number, which test/sandbox/docker/end.test.ts has too.
    it.each([126])(asOne, { tags: ['long'] }, byItself)

    it('ends a box at its time limit, and keeps what it said until then', async () => {
      const result = await run(box('echo before; sleep 30; echo after', { seconds: 1 }))
      expect(result).toMatchObject({ end: 'time', output: 'before\n' })
      expect(result.message).toContain('1 s')
      expect(result.endedAt - result.startedAt).toBeLessThan(8000)
    })

    it('kills a box at once when the signal says so, whatever ignores what', async () => {
      const stop = new AbortController()
      const notes = new Notes()
      const running = run(
        box("trap '' TERM; (trap '' TERM; sleep 31) & echo up; sleep 32; wait"),
        notes,
        stop.signal,
      )
      await until(() => notes.text.includes('up'))
      const asked = Date.now()
      stop.abort()
      const result = await running
      // Far from the ends of what it sleeps; that half a second is enough is measured with nothing beside it.
      expect(Date.now() - asked).toBeLessThan(10_000)
      expect(result).toMatchObject({ end: 'killed', output: 'up\n' })
      expect((await engine.list()).map(({ running }) => running)).toEqual([false])
    })

    it('does not start a box when the signal came first', async () => {
      const notes = new Notes()
      const result = await run(box('echo x > made'), notes, AbortSignal.abort())
      expect(result).toMatchObject({ end: 'killed', exitCode: null, output: '' })
      expect(notes.starts).toEqual([])
      expect(await readdir(materials.worktree)).toEqual(['.git'])
    })

    it('keeps the first 64 KiB and the last 256 KiB of a flood, and hands on all of it', async () => {
      const limits = { ...aPolicy().limits, outputMb: 1 }
      const notes = new Notes()
      const result = await run(
        box('echo first; head -c 3000000 /dev/zero | tr "\\0" x; echo; echo last', {
          policy: aPolicy({ limits }),
        }),
        notes,
      )
      expect(result).toMatchObject({ end: 'exited', exitCode: 0, outputBytes: 3_000_012, truncated: true })
      expect(result.output.length).toBeLessThan(321 * 1024)
      expect(result.output).toMatch(/^first\n/)
      expect(result.output).toContain('left out')
      expect(result.output).toMatch(/\nlast\n$/)
      expect(notes.text.length).toBe(3_000_012)
    })

    it('is asked again for a box that has ended and gives the same result', async () => {
      const spec = box('echo once >> count; cat count; exit 4')
      const first = await run(spec)
      engine = host.open(one)
      const notes = new Notes()
      const again = await run(spec, notes)
      // What it used is known only to those who looked while it ran.
      expect(again).toEqual({ ...first, peaks: expect.anything() })
      expect(notes.text).toBe('once\n')
    })

    it('takes over a running box where it is, after the caller left it', async () => {
      const spec = box('echo one; while [ ! -e go ]; do sleep 0.05; done; echo two')
      const leave = new AbortController()
      const notes = new Notes()
      const first = run(spec, notes, leave.signal)
      await until(() => notes.text.includes('one'))
      leave.abort(detach)
      await expect(first).rejects.toBe(detach)

      engine = host.open(one)
      expect(await engine.list()).toEqual([
        { name: spec.name, task: spec.task, specHash: specHash(spec), running: true },
      ])
      const stop = new AbortController()
      const later = new Notes()
      const second = run(spec, later, stop.signal)
      await until(() => later.text.includes('one'))
      stop.abort()
      const result = await second
      expect(result).toMatchObject({ end: 'killed', output: 'one\n' })
      expect(later.starts).toEqual([notes.starts[0] === undefined ? 0 : expect.any(Number)])
    })

    it('holds the time limit of a box that was taken over', async () => {
      const spec = box('echo up; sleep 60', { seconds: 3 })
      const leave = new AbortController()
      const notes = new Notes()
      const first = run(spec, notes, leave.signal)
      await until(() => notes.text.includes('up'))
      leave.abort(detach)
      await expect(first).rejects.toBe(detach)
      engine = host.open(one)
      const result = await run(spec)
      expect(result.end).toBe('time')
      expect(result.endedAt - result.startedAt).toBeLessThan(10_000)
    })

    it('refuses a box of the same name that was made from another spec', async () => {
      await run(box('true'))
      await expect(run(box('echo other'))).rejects.toMatchObject({ code: 'engine' })
    })

    it('removes a box whether it runs, has ended or is gone', async () => {
      const spec = box('echo up; sleep 60')
      const notes = new Notes()
      const running = run(spec, notes)
      await until(() => notes.text.includes('up'))
      await engine.remove(spec.name)
      await running
      expect(await engine.list()).toEqual([])
      await engine.remove(spec.name)
      await engine.remove(`cofferdam-${one}-never-was`)
    })

    it("neither shows nor removes another installation's boxes", async () => {
      const foreign = box('true', { installation: two })
      await host.open(two).run(foreign, materials, new Notes(), never)
      expect(await engine.list()).toEqual([])
      await engine.remove(foreign.name)
      await engine.sweep(new Set())
      expect(await host.open(two).list()).toHaveLength(1)
    })

    it('runs several boxes at once', async () => {
      const results = await Promise.all(
        [1, 2, 3, 4].map((fence) => run(box(`echo ${fence}; sleep 0.2`, { kind: 'test', fence }))),
      )
      expect(results.map(({ output }) => output)).toEqual(['1\n', '2\n', '3\n', '4\n'])
    })
  })
}
