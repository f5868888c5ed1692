import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { scheduleRequestSchema } from '../../../src/domain/schedule/request.ts'
import type { Task } from '../../../src/domain/task.ts'
import { barriers } from '../../support/dashboard/axe.ts'
import { sharedBrowser } from '../../support/dashboard/browser.ts'
import { sees, settled } from '../../support/dashboard/sees.ts'
import { builtDashboard } from '../../support/dashboard/built.ts'
import { type DashboardLab, dashboardLab, goOn, pathOf } from '../../support/dashboard/lab.ts'
import { anInstallation } from '../../support/dashboard/installation.ts'
import { anOwner } from '../../support/task.ts'

// Each page as it is seen: on a phone and at a desk, dark and light. What is seen lies in `.results/dashboard` afterwards,
// and `npm run screenshots` takes the pictures of the README from there.

const folder = join(import.meta.dirname, '../../../.results/dashboard')
const places = builtDashboard()
let lab: DashboardLab
let tasks: { readonly draft: Task; readonly running: Task; readonly applied: Task }
beforeAll(async () => {
  mkdirSync(folder, { recursive: true })
  const { script, behaviour, fill } = anInstallation()
  lab = await dashboardLab(await sharedBrowser(), places, script, behaviour)
  tasks = await fill(lab)
  const task = { goal: 'Update the lock file and run the tests', repository: '/home/ada/shop' }
  lab.plane.schedules.create(
    scheduleRequestSchema.parse({ name: 'nightly', cron: '30 2 * * *', task }),
    anOwner,
  )
})
afterAll(() => lab[Symbol.asyncDispose]())

const ways: Readonly<Record<string, BrowserContextOptions>> = {
  phone: { viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true },
  desk: { viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
}

const pages: readonly (readonly [string, () => string])[] = [
  ['board', () => '/dashboard/'],
  ['draft', () => pathOf(tasks.draft.id)],
  ['running', () => pathOf(tasks.running.id)],
  ['output', () => pathOf(tasks.running.id, 'output')],
  ['delivery', () => pathOf(tasks.applied.id)],
  ['changes', () => pathOf(tasks.applied.id, 'changes')],
  ['tests', () => pathOf(tasks.applied.id, 'tests')],
  ['egress', () => pathOf(tasks.applied.id, 'egress')],
  ['proof', () => pathOf(tasks.applied.id, 'proof')],
  ['new', () => '/dashboard/new'],
  ['ask', () => '/dashboard/ask'],
  ['search', () => '/dashboard/search?q=parser'],
  ['schedules', () => '/dashboard/schedules'],
  ['health', () => '/dashboard/health'],
  ['nowhere', () => '/dashboard/none'],
]

/** What a finger would miss; numbers of lines are as high as the lines are. */
async function tooSmall(page: Page): Promise<readonly string[]> {
  expect(await page.evaluate('matchMedia("(pointer: coarse)").matches')).toBe(true)
  const pressed = 'button:not(.say), select, summary, nav a, .card > a, textarea, input:not([type=checkbox])'
  return page.locator(pressed).evaluateAll((all) =>
    all
      .map((each) => ({ height: each.getBoundingClientRect().height, text: each.outerHTML.slice(0, 120) }))
      .filter(({ height }) => height > 0 && height < 44)
      .map(({ height, text }) => `${height}: ${text}`),
  )
}

describe.each(Object.entries(ways))('on a %s', (way, options) => {
  // At a desk a page holds the same, in other colours and with more room.
  const what = way === 'phone' ? 'all' : 'looks'
  let page: Page
  beforeAll(async () => {
    page = await lab.page('/dashboard/', 'owner', options)
  })
  afterAll(() => lab.rest())

  it.each(pages)('%s has no barriers and fits', async (name, path) => {
    await goOn(page, path())
    await sees(page.getByRole('heading', { level: 1 }))
    await settled(page)
    // What happened to a task stands at the end of its page.
    const fullPage = name === 'running'
    // What changed begins where a phone ends.
    if (name === 'changes') await page.locator('.tabs').evaluate((tabs) => tabs.scrollIntoView())
    await page.screenshot({ path: join(folder, `${name}-${way}.png`), animations: 'disabled', fullPage })
    expect(await barriers(page, what)).toEqual([])
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
    if (way === 'phone') expect(await tooSmall(page)).toEqual([])
  })

  it('each page fits where letters are twice as large', async () => {
    for (const [name, path] of pages) {
      await goOn(page, path())
      await sees(page.getByRole('heading', { level: 1 }))
      await settled(page)
      await page.evaluate("document.documentElement.style.fontSize = '200%'")
      const fits = await page.evaluate('document.documentElement.scrollWidth <= innerWidth')
      // What an approval lets run is not a letter or two beside its name.
      const widths = await page
        .locator('.approval dd')
        .evaluateAll((all) => all.map((each) => each.getBoundingClientRect().width))
      await page.evaluate("document.documentElement.style.fontSize = ''")
      expect([name, fits, widths.filter((width) => width < 200)]).toEqual([name, true, []])
    }
  })

  it('a form that is open has no barriers', async () => {
    await goOn(page, pathOf(tasks.running.id))
    await page.getByRole('button', { name: 'Steer' }).click()
    expect(await barriers(page, what)).toEqual([])
    await goOn(page, pathOf(tasks.draft.id))
    await page.getByRole('button', { name: 'Suggest' }).click()
    expect(await barriers(page, what)).toEqual([])
    await goOn(page, pathOf(tasks.applied.id))
    await page.getByRole('button', { name: 'Merge…' }).click()
    expect(await barriers(page, what)).toEqual([])
  })

  it('a comment on a line has no barriers and fits', async () => {
    await goOn(page, pathOf(tasks.applied.id, 'changes'))
    await page.getByRole('button', { name: 'Comment on line 7' }).first().click()
    await page.getByLabel('What should be changed here?').fill('Take the currency into account.')
    await page.screenshot({ path: join(folder, `review-${way}.png`), animations: 'disabled' })
    expect(await barriers(page, what)).toEqual([])
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
  })
})

it('all pages are named on a narrow phone, in one line, and none is out of sight where letters are large', async () => {
  const page = await lab.page('/dashboard/schedules', 'owner', { viewport: { width: 360, height: 740 } })
  const lines = async (): Promise<number> => {
    const places = await page
      .locator('nav a')
      .evaluateAll((all) => all.map((each) => each.getBoundingClientRect().toJSON()))
    for (const { left, right } of places) expect([left >= 0, right <= 360]).toEqual([true, true])
    return new Set(places.map(({ top }) => Math.round(top))).size
  }
  await sees(page.getByRole('link', { name: 'Health' }))
  expect(await lines()).toBe(1)
  await goOn(page, pathOf(tasks.applied.id, 'proof'))
  await sees(page.getByRole('link', { name: 'Proof' }))
  expect(await lines()).toBe(2)
  await page.evaluate("document.documentElement.style.fontSize = '200%'")
  expect(await lines()).toBeGreaterThan(2)
})

it('both sides of a diff stand beside each other, with comments too', async () => {
  const page = await lab.page(pathOf(tasks.applied.id, 'changes'), 'owner', ways['desk'])
  const file = page.getByRole('region', { name: 'Changes of src/receipt.py' })
  await sees(file.locator('tr.said:not(.room)').getByText('Say which way halves are rounded.'))
  const tops = (side: number): Promise<readonly number[]> =>
    file
      .locator(`.d2h-file-side-diff:nth-of-type(${side}) tr`)
      .evaluateAll((rows) => rows.map((row) => Math.round(row.getBoundingClientRect().top)))
  const left = await tops(1)
  expect(left.length).toBeGreaterThan(10)
  expect(await tops(2)).toEqual(left)
  // A long line of the one ends where the other begins, and can be scrolled to.
  const ends = await file
    .locator('.d2h-file-side-diff')
    .evaluateAll((sides) =>
      sides.map((side) => side.ownerDocument.defaultView?.getComputedStyle(side).overflowX),
    )
  expect(ends).toEqual(['auto', 'auto'])
  // The keyboard stops at these alone, and each has a name.
  expect(await file.getAttribute('tabindex')).toBe(null)
  const names = await file
    .locator('[tabindex="0"]:not(button)')
    .evaluateAll((all) => all.map((each) => each.getAttribute('aria-label')))
  expect(names).toEqual(['src/receipt.py, before the change', 'src/receipt.py, after the change'])
})

it('what differs within lines is marked, but in long ones, which would hold the page up', async () => {
  const page = await lab.page('/dashboard/', 'owner', ways['desk'])
  const letters = (length: number): string => 'a b '.repeat(length / 4)
  const change = (length: number): string => `-${letters(length)}x\n+${letters(length)}y\n`
  const head = 'diff --git a/l.txt b/l.txt\n--- a/l.txt\n+++ b/l.txt\n'
  const body = `${head}@@ -1,1 +1,1 @@\n${change(40)}@@ -9,1 +9,1 @@\n${change(9900)}`
  await page.route('**/v1/tasks/*/diff*', (route) => route.fulfill({ contentType: 'text/plain', body }))
  await page.goto(pathOf(tasks.applied.id, 'changes'))
  const file = page.getByRole('region', { name: 'Changes of l.txt' })
  await sees(file.locator('ins'))
  expect([await file.locator('ins').count(), await file.locator('del').count()]).toEqual([1, 1])
})

it('each line of a diff is one on a phone, with both its numbers beside it', async () => {
  const page = await lab.page(pathOf(tasks.applied.id, 'changes'), 'owner', ways['phone'])
  const file = page.getByRole('region', { name: 'Changes of src/receipt.py' })
  await sees(file.getByRole('button', { name: 'Comment on line 1' }))
  const heights = await file
    .locator('tr:not(.said)')
    .evaluateAll((rows) => rows.map((row) => Math.round(row.getBoundingClientRect().height)))
  expect(new Set(heights)).toEqual(new Set([24]))
})

it('the page that asks for a token has no barriers', async () => {
  const page = await (await lab.context()).newPage()
  await page.goto('/')
  await sees(page.getByLabel('Token'))
  expect(await barriers(page)).toEqual([])
})
