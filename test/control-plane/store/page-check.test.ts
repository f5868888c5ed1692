import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openStore } from '../../../control-plane/store/open.ts'
import { PageCheck } from '../../../control-plane/store/page-check.ts'
import { birth } from '../../support/change.ts'
import { damagePage } from '../../support/damaged-page.ts'
import { aTask, aTaskIdOf } from '../../support/task.ts'
import { type Home, makeHome } from './home.ts'

let home: Home
beforeEach(() => {
  home = makeHome()
  using store = openStore(home.file)
  for (let number = 0; number < 50; number += 1) store.write(birth(aTask({ id: aTaskIdOf(number) })))
})
afterEach(() => home[Symbol.dispose]())

it('finds every page sound, while the store goes on writing', async () => {
  using store = openStore(home.file)
  using pages = new PageCheck(home.file)
  expect(pages.found).toEqual({ state: 'ok', text: 'its pages are being read' })
  store.write(birth(aTask({ id: aTaskIdOf(50) })))
  expect(await pages.ended).toEqual({ state: 'ok', text: 'every page of it is sound' })
  expect(pages.found).toEqual(await pages.ended)
})

it('finds a damaged page, which the store did not need to open, and says what to do', async () => {
  damagePage(home.file, 'egress_log')
  using _ = openStore(home.file)
  using pages = new PageCheck(home.file)
  const { state, text } = await pages.ended
  expect(state).toBe('problem')
  expect(text).toMatch(/^\S+cofferdam\.db is damaged: .+\. Put a copy of it in its place/)
  expect(text).not.toContain('\n')
})

it('is no alarm of damage where the file cannot be read at all', async () => {
  const file = join(home.folder, 'none.db')
  using pages = new PageCheck(file)
  expect(await pages.ended).toEqual({
    state: 'warning',
    text: `whether ${file} is damaged could not be looked at (unable to open database file)`,
  })
})
