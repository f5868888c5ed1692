import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { Locator } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { deferred } from '../../../src/domain/deferred.ts'
import { barriers } from '../../support/dashboard/axe.ts'
import { sharedBrowser } from '../../support/dashboard/browser.ts'
import { sees } from '../../support/dashboard/sees.ts'
import { builtDashboard } from '../../support/dashboard/built.ts'
import { type DashboardLab, dashboardLab } from '../../support/dashboard/lab.ts'
import { applies, blocks } from '../../support/scripted-plane.ts'
import { aTaskIdOf, anOwner } from '../../support/task.ts'

const places = builtDashboard()
const emptyLab = async (): Promise<DashboardLab> =>
  dashboardLab(await sharedBrowser(), places, (turn) =>
    turn.task.goal.includes('block') ? blocks(turn) : applies(turn),
  )
let lab: DashboardLab
beforeAll(async () => {
  lab = await emptyLab()
})
afterEach(() => lab.rest())
afterAll(() => lab[Symbol.asyncDispose]())

const phone = { viewport: { width: 360, height: 740 }, hasTouch: true }

/** Makes so many more tasks of the one that there is, each younger than the one before. */
function copies(file: string, count: number): void {
  const db = new Database(file)
  db.exec('CREATE TEMP TABLE one AS SELECT * FROM runtime_tasks')
  const change = db.prepare('UPDATE one SET id = ?, goal = ?, created_at = created_at + 1')
  const copy = db.prepare('INSERT INTO runtime_tasks SELECT * FROM one')
  db.transaction(() => {
    for (let number = 1; number <= count; number += 1) {
      change.run(aTaskIdOf(number), `Task ${number}`)
      copy.run()
    }
  })()
  db.close()
}

/** Whether a person sees it on a phone without going up or down. */
async function isInSight(what: Locator): Promise<boolean> {
  const box = await what.boundingBox()
  return box !== null && box.y >= 0 && box.y + box.height <= phone.viewport.height
}

describe('the board', () => {
  it('leads who has no task yet to their first', async () => {
    const page = await lab.page('/dashboard/')
    await sees(page.getByText('There are no tasks yet.'))
    await page.getByRole('link', { name: 'Start one' }).click()
    await sees(page.getByRole('heading', { name: 'New task' }))
  })

  it('has each task in the list of what it waits for, and moves it while one looks on', async () => {
    const draft = await lab.submit('Use sudo to mend it')
    const queued = await lab.submit('Mend the parser')
    const stuck = await lab.submit('Get blocked')
    const page = await lab.page('/dashboard/')
    const list = (name: string) => page.getByRole('region', { name })
    await sees(list('Needs you').getByText('Use sudo to mend it'))
    await sees(list('Needs you').getByText('The goal says "sudo".'))
    await sees(list('Queued 2').getByText('Mend the parser'))

    lab.plane.attend(queued.id)
    await sees(list('Done 1').getByText('Mend the parser'))
    lab.plane.attend(stuck.id)
    await sees(list('Needs you 2').getByText('Which word?'))
    await lab.plane.act(draft.id, { act: 'reject', text: null }, anOwner, null)
    await sees(list('Halted 1').getByText('Use sudo to mend it'))
    await sees(list('Queued 0').getByText('None.'))
    await lab.submit('Write the docs')
    await sees(list('Queued 1').getByText('Write the docs'))
  })

  it('is quick with 10,000 tasks: it reads the first of each list, and more when it is asked to', async () => {
    await using lab = await emptyLab()
    await lab.submit('Task 0')
    copies(join(lab.folder, 'cofferdam.db'), 9999)
    const page = await lab.page('/dashboard/')
    const queued = page.getByRole('region', { name: 'Queued 10,000' })
    await sees(queued.getByText('Task 9999'))
    expect(await page.locator('.card').count()).toBe(20)
    await queued.getByRole('button', { name: 'Show more' }).click()
    await sees(queued.getByText('Task 9965', { exact: true }))
    expect(await page.locator('.card').count()).toBe(40)
  })

  it('leads on a phone to each list, by thumb and by keyboard, however long those above it are', async () => {
    await using lab = await emptyLab()
    await lab.submit('Use sudo to mend it')
    copies(join(lab.folder, 'cofferdam.db'), 1509)
    await lab.submit('Mend the parser')
    const page = await lab.page('/dashboard/', 'owner', phone)
    const links = page.getByRole('navigation', { name: 'Lists' }).getByRole('link')
    await sees(links.getByText('1,510'))
    const names = ['Needs you 1,510', 'Running 0', 'Queued 1', 'Done 0', 'Halted 0']
    expect(await links.allTextContents()).toEqual(names)
    const task = page.getByRole('link', { name: 'Mend the parser' })
    await sees(task)
    expect(await isInSight(task)).toBe(false)
    expect(await barriers(page)).toEqual([])
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360)
    for (const link of await links.all())
      expect((await link.boundingBox())?.height).toBeGreaterThanOrEqual(44)

    const queued = page.getByRole('link', { name: 'Queued 1' })
    await queued.tap()
    expect(await isInSight(task)).toBe(true)
    await queued.press('Enter')
    expect(await isInSight(task)).toBe(true)
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Queued 1')
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Mend the parser')

    await page.setViewportSize({ width: 1280, height: 740 })
    expect(await queued.isVisible()).toBe(false)
    const tops = await page.locator('.group').evaluateAll((all) => all.map((each) => each.offsetTop))
    expect([tops.length, new Set(tops).size]).toEqual([5, 1])
  })

  it('says that it is cut off, and shows what happened meanwhile when the server is back', async () => {
    const page = await lab.page('/dashboard/')
    await sees(page.getByText('Live', { exact: true }))
    await lab.stop()
    await sees(page.getByText('Reconnecting…'))
    await lab.submit('Made meanwhile')
    const { PENDING } = lab.plane.counts()
    await lab.start()
    await sees(page.getByText('Live', { exact: true }))
    await sees(page.getByRole('region', { name: `Queued ${PENDING}` }).getByText('Made meanwhile'))
  })

  it('shows the newer of two answers, whichever comes first', async () => {
    for (const { id } of lab.plane.tasks({ statuses: ['PENDING'] }))
      await lab.plane.act(id, { act: 'stop', text: null }, anOwner, null)
    const task = await lab.submit('Mend the parser')
    const page = await lab.page('/dashboard/health')
    await sees(page.getByRole('heading', { name: 'Health' }))
    const [stopped, released, answered] = [deferred<null>(), deferred<null>(), deferred<null>()]
    // The board asks when it opens, and again once it is told of changes: here the first answer comes last.
    await page.route('**/v1/changes*', async (route) => {
      await stopped.promise
      await route.continue()
    })
    await page.route(
      '**/v1/tasks?status=PENDING*',
      async (route) => {
        const answer = await route.fetch()
        await lab.plane.act(task.id, { act: 'stop', text: null }, anOwner, null)
        stopped.resolve(null)
        await released.promise
        await route.fulfill({ response: answer })
        answered.resolve(null)
      },
      { times: 1 },
    )
    await page.getByRole('link', { name: 'Board', exact: true }).click()
    await sees(page.getByRole('region', { name: 'Halted' }).getByText('Mend the parser'))
    await sees(page.getByRole('region', { name: 'Queued' }).getByText('None.'))
    released.resolve(null)
    await answered.promise
    await page.evaluate('fetch("/v1/session").then(() => null)')
    expect(await page.getByRole('region', { name: 'Queued' }).getByText('Mend the parser').count()).toBe(0)
  })

  it('can be used without a mouse', async () => {
    await lab.submit('Mend the lexer')
    const page = await lab.page('/dashboard/')
    const link = page.getByRole('link', { name: 'Mend the lexer' })
    await link.waitFor()
    for (let tries = 0; tries < 20; tries += 1) {
      await page.keyboard.press('Tab')
      if ((await page.evaluate('document.activeElement.textContent')) === 'Mend the lexer') break
    }
    await page.keyboard.press('Enter')
    await sees(page.getByRole('heading', { name: 'Mend the lexer' }))
    expect(await page.evaluate('document.activeElement.tagName')).toBe('H1')
    await page.goBack()
    await sees(page.getByRole('heading', { name: 'Board' }))
  })
})
