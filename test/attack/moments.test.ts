import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { detach } from '../../src/domain/box.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import { Notes } from '../support/box.ts'
import { boxesOf, goneAfter } from '../support/boxes.ts'
import { engineProxy } from '../support/engine-proxy.ts'
import { openTestPlane, requestOf, sh } from '../support/plane.ts'
import { aRepository, git } from '../support/repository.ts'
import { until } from '../support/until.ts'
import { attack } from './attack.ts'
import { leftOf, leftOnEngine } from './host.ts'
import { ownServer } from './server.ts'
import { openStage } from './stage.ts'

attack(
  'A019 killed in the middle of a step',
  'Kill the control plane with SIGKILL while a box with placeholders runs; take the box away; start it again; and alter one placeholder meanwhile.',
  async ({ saw }) => {
    await using server = await ownServer()
    const repo = aRepository()
    const { task } = await server.client.submit(requestOf({ repo, argv: sh('touch ready; sleep 60') }))
    const worktree = join(server.data, 'tasks', task.id)
    await until(() => existsSync(join(worktree, 'ready')))
    const stubs = readdirSync(worktree).filter((name) => ['.env', 'config.yaml', '.workspace'].includes(name))
    expect(stubs.length).toBeGreaterThanOrEqual(2)
    await server.kill()
    for (const name of boxesOf(task.id)) execFileSync('docker', ['rm', '-f', name])
    expect(readdirSync(worktree)).toEqual(expect.arrayContaining(stubs))
    await server.start()
    await server.client.act(task.id, { act: 'stop', text: null })
    await server.settled(task.id)
    expect(await goneAfter(task.id, 5000)).toBeLessThan(5000)
    await until(() => leftOf(server.data, task.id).length === 0)
    expect(readdirSync(worktree).filter((name) => stubs.includes(name))).toEqual([])
    saw(`The killed process left ${stubs.join(', ')} on the host; the next one took them away.`)

    await using stage = await openStage({ 'a.txt': 'a\n' })
    const spec = await stage.spec(sh('touch ready; sleep 60'))
    const abort = new AbortController()
    const run = stage.engine.run(spec, stage.materials, new Notes(), abort.signal).catch(String)
    await until(() => existsSync(join(stage.worktree, 'ready')))
    abort.abort(detach)
    await run
    const altered = join(stage.worktree, 'config.yaml')
    rmSync(altered)
    writeFileSync(altered, 'a person wrote this')
    await stage.reopen().remove(spec.name)
    expect(readFileSync(altered, 'utf8')).toBe('a person wrote this')
    expect(existsSync(join(stage.worktree, '.env'))).toBe(false)
    saw(
      'A placeholder that somebody had replaced by a file of his own was left alone; the others were removed.',
    )
  },
)

attack(
  'A090 stop at any moment',
  'Stop 24 tasks at moments from at once to 1.2 s after their submission, and abort 16 boxes while they are made, started and removed.',
  async ({ saw }) => {
    const plane = await openTestPlane()
    try {
      const repo = aRepository()
      const ends: string[] = []
      const ids: TaskId[] = []
      const one = async (ms: number): Promise<void> => {
        const task = await plane.submit({ repo, argv: sh('echo x > x.txt; sleep 0.2'), test: 'sleep 0.2' })
        ids.push(task.id)
        await sleep(ms)
        await plane.client.act(task.id, { act: 'stop', text: null }).catch(() => undefined)
        ends.push((await plane.settled(task.id)).status)
      }
      for (let n = 0; n < 24; n += 4) await Promise.all([0, 1, 2, 3].map((more) => one((n + more) * 50)))
      await until(() => leftOf(plane.config.dataFolder, ...ids).length === 0)
      expect(ends.every((status) => ['STOPPED', 'APPLIED'].includes(status))).toBe(true)
      expect(ends).toContain('STOPPED')
      expect(git(repo, 'fsck', '--strict')).toBe('')
      saw(
        `${ends.filter((status) => status === 'STOPPED').length} of 24 tasks were stopped, the others were done before; none left a box, volume, lock or scratch folder.`,
      )
    } finally {
      await plane.close()
    }

    await using stage = await openStage({ 'a.txt': 'a\n' })
    const results: string[] = []
    for (let n = 0; n < 16; n += 1) {
      const spec = await stage.spec(sh('sleep 5'))
      const abort = new AbortController()
      setTimeout(() => abort.abort(), n * 12)
      const { end } = await stage.engine.run(spec, stage.materials, new Notes(), abort.signal)
      results.push(end)
      await Promise.all([stage.engine.remove(spec.name), stage.engine.remove(spec.name)])
      expect(readdirSync(stage.worktree).sort()).toEqual(['.git', 'a.txt'])
    }
    // Nobody else would have taken away what one of them left.
    expect(leftOnEngine(stage.installation)).toEqual([])
    expect(new Set(results)).toEqual(new Set(['killed']))
    saw('16 boxes aborted from 0 to 180 ms after their beginning were each gone, with their placeholders.')
  },
  120,
)

attack(
  'A094 races with the engine',
  'Cut the connection to the engine while a box prints; remove a box behind our back while it runs; remove boxes twice, at once and after they are gone.',
  async ({ saw }) => {
    await using stage = await openStage({ 'a.txt': 'a\n' })
    await using proxy = await engineProxy(join(stage.folder, 'engine.sock'))
    const engine = stage.reopen({ socketPath: proxy.path })
    const spec = await stage.spec(sh('for i in $(seq 1 40); do echo "line $i"; sleep 0.1; done; exit 7'))
    const notes = new Notes()
    const run = engine.run(spec, stage.materials, notes, new AbortController().signal)
    await until(() => notes.text.includes('line 5\n'))
    await proxy.cut()
    await sleep(500)
    await proxy.restore()
    const result = await run
    expect([result.end, result.exitCode]).toEqual(['exited', 7])
    expect(result.output).toBe(Array.from({ length: 40 }, (_, index) => `line ${index + 1}\n`).join(''))
    saw('With the connection cut in the middle, the exit code 7 and all 40 lines came once and in order.')

    await Promise.all([
      engine.remove(spec.name),
      stage.engine.remove(spec.name),
      stage.reopen().remove(spec.name),
    ])
    await engine.remove(spec.name)
    saw('The box was removed three times at once and once more, without an error.')

    const other = await stage.spec(sh('echo up; sleep 30'))
    const seen = new Notes()
    const lost = stage.engine.run(other, stage.materials, seen, new AbortController().signal)
    await until(() => seen.text.includes('up'))
    execFileSync('docker', ['rm', '-f', other.name])
    const { end, exitCode } = await lost
    expect([end, exitCode]).toEqual(['engine', null])
    await stage.engine.remove(other.name)
    expect(leftOnEngine(stage.installation)).toEqual([])
    expect(lstatSync(stage.worktree).isDirectory()).toBe(true)
    saw('A box that somebody else removed while it ran is a loss of the engine, not an exit code.')
  },
)
