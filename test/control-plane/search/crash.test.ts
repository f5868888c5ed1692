import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { program, type Program } from '../../support/program.ts'
import { startChild } from '../store/child.ts'
import { makeHome } from '../store/home.ts'
import { searchLab } from './lab.ts'

let searcher: Program
beforeAll(() => {
  searcher = program(new URL('../store/programs/searcher.ts', import.meta.url))
})
afterAll(() => searcher[Symbol.dispose]())

it('an index whose process is killed in the middle again and again has every task as it is, once', async () => {
  const home = makeHome()
  for (let kill = 0; kill < 5; kill += 1) {
    const child = startChild(process.execPath, [searcher.file, home.file, join(home.folder, 'search.db')])
    await child.printed(/\n/)
    await new Promise((resolve) => setTimeout(resolve, 37 * kill))
    await child.kill()
    const told = Number(child.output().trimEnd().split('\n').at(-1))
    const lab = searchLab(home)
    const tasks = lab.store.tasks({})
    expect(tasks.length).toBeGreaterThanOrEqual(told)
    for (const { id, goal } of tasks.slice(0, 50)) {
      expect((await lab.search(`"${goal}"`)).hits.map(({ task }) => task.id)).toEqual([id])
      const other = goal.startsWith('late') ? goal.replace('late', 'early') : goal.replace('early', 'late')
      expect((await lab.search(`"${other}"`)).hits).toEqual([])
    }
    expect(lab.index.count()).toBe(tasks.length)
    lab.close()
  }
  home[Symbol.dispose]()
}, 120_000)
