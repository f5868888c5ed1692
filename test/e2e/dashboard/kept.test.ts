import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { TaskId } from '../../../src/domain/ids.ts'
import type { Status } from '../../../src/domain/task.ts'
import { sharedBrowser } from '../../support/dashboard/browser.ts'
import { builtDashboard } from '../../support/dashboard/built.ts'
import { type DashboardLab, dashboardLab, pathOf } from '../../support/dashboard/lab.ts'
import { sees } from '../../support/dashboard/sees.ts'
import { applies, blocks } from '../../support/scripted-plane.ts'
import { anOwner } from '../../support/task.ts'
import { until } from '../../support/until.ts'

// What is typed beside the words of a form is kept as these are: over a reload, and until it was sent.

let lab: DashboardLab
beforeAll(async () => {
  lab = await dashboardLab(await sharedBrowser(), builtDashboard(), (turn) =>
    turn.task.goal.includes('block') ? blocks(turn) : applies(turn),
  )
})
afterEach(() => lab.rest())
afterAll(() => lab[Symbol.asyncDispose]())

async function at(status: Status, goal: string, more: object = {}): Promise<TaskId> {
  const { id } = await lab.submit(goal, more)
  lab.plane.attend(id)
  await until(() => lab.plane.task(id).status === status)
  return id
}

const budget = { Steps: '12', Minutes: '7.5', Tokens: '4000', 'Cost, US dollars': '2.5' }
const nothing = { Steps: '', Minutes: '', Tokens: '', 'Cost, US dollars': '' }
const labels = Object.keys(budget)
const field = (page: Page, label: string) => page.getByRole('spinbutton', { name: label })

async function fill(page: Page, texts: Readonly<Record<string, string>>): Promise<void> {
  for (const [label, text] of Object.entries(texts)) await field(page, label).fill(text)
}

/** What stands in the fields of a budget, which a person sees without opening anything. */
async function seen(page: Page): Promise<Readonly<Record<string, string>>> {
  await sees(field(page, 'Steps'))
  const texts = labels.map(async (label) => [label, await field(page, label).inputValue()] as const)
  return Object.fromEntries(await Promise.all(texts))
}

/** What is kept in the browser. */
const kept = (page: Page) => page.evaluate('Object.keys(localStorage).sort()')

describe('what is typed besides', () => {
  it('for a new task', async () => {
    const page = await lab.page('/dashboard/new')
    const more = page.getByText('Budget, setup and more')
    await page.getByLabel('Goal').fill('Mend the parser')
    await page.getByLabel('Repository').fill('/repositories/example')
    expect(await field(page, 'Steps').isVisible()).toBe(false)
    await more.click()
    await fill(page, budget)
    await page.getByLabel('As a draft').check()
    await page.reload()
    expect(await seen(page)).toEqual(budget)
    expect(await page.getByLabel('As a draft').isChecked()).toBe(true)
    // What is emptied does not come back, nor is it put away while one is at it.
    await field(page, 'Tokens').fill('')
    await field(page, 'Minutes').fill('')
    await page.reload()
    expect(await seen(page)).toEqual({ ...budget, Tokens: '', Minutes: '' })
    const request = page.waitForRequest('**/v1/tasks')
    await page.getByRole('button', { name: 'Start' }).click()
    expect((await request).postDataJSON()).toMatchObject({ draft: true, budget: { steps: 12, cost: 2.5 } })
    await sees(page.getByRole('link', { name: /^Task / }))
    expect(await seen(page)).toEqual(nothing)
    expect(await page.getByLabel('As a draft').isChecked()).toBe(false)
    expect(await kept(page)).toEqual(['cofferdam:new:repository'])
  })

  it('to have a task go on', async () => {
    const id = await at('BLOCKED', 'Get blocked')
    const page = await lab.page(pathOf(id))
    await page.getByRole('button', { name: 'Resume' }).click()
    await page.getByText('A larger budget').click()
    await fill(page, budget)
    await page.reload()
    await sees(page.getByText('What you have typed for this task is kept.'))
    await page.getByRole('button', { name: 'Resume' }).click()
    expect(await seen(page)).toEqual(budget)
    await page.getByRole('button', { name: 'Go on' }).click()
    await until(() => lab.plane.task(id).budget.steps === 12)
    expect(lab.plane.task(id).budget).toMatchObject({ seconds: 450, tokens: 4000, costUsd: 2.5 })
    await page.getByRole('button', { name: 'Go on' }).waitFor({ state: 'detached' })
    expect(await kept(page)).toEqual([])
  })

  it('to request changes', async () => {
    const id = await at('APPLIED', 'Mend the sum')
    const page = await lab.page(pathOf(id, 'changes'))
    const words = page.getByLabel('What should be changed?')
    await words.fill('Round it.')
    await page.getByText('Budget of the task that makes the changes').click()
    await fill(page, budget)
    await page.reload()
    expect(await seen(page)).toEqual(budget)
    const request = page.waitForRequest('**/reviews')
    await page.getByRole('button', { name: 'Request changes' }).click()
    const wanted = { steps: 12, minutes: 7.5, tokens: 4000, cost: 2.5 }
    expect((await request).postDataJSON()).toMatchObject({ text: 'Round it.', budget: wanted })
    await page.getByRole('heading', { name: 'Review' }).waitFor({ state: 'detached' })
    expect(await kept(page)).toEqual([])
  })

  it('to merge', async () => {
    const id = await at('APPLIED', 'Mend the sum')
    const page = await lab.page(pathOf(id))
    const [into, how] = [page.getByLabel('Into the branch'), page.getByLabel('As', { exact: true })]
    const merge = page.getByRole('button', { name: 'Merge…' })
    await merge.click()
    const usual = await how.inputValue()
    await into.fill('next')
    await how.selectOption('squash')
    await page.reload()
    await merge.click()
    expect([await into.inputValue(), await how.inputValue()]).toEqual(['next', 'squash'])
    // What is as it is configured is not typed: it changes with the configuration.
    await into.fill('main')
    await how.selectOption(usual)
    expect(await kept(page)).toEqual([])
    await into.fill('next')
    await how.selectOption('squash')
    await page.getByRole('button', { name: 'Merge it now' }).click()
    await sees(page.getByRole('heading', { name: 'Merging into next…' }))
    expect(lab.plane.task(id).merge).toMatchObject({ into: 'next', how: 'squash' })
    expect(await kept(page)).toEqual([])
  })

  it('to open a pull request', async () => {
    const id = await at('APPLIED', 'Mend the sum', { repository: '/repositories/forged' })
    const page = await lab.page(pathOf(id))
    const into = page.getByLabel('For the branch')
    await page.getByRole('button', { name: 'Pull request…' }).click()
    await into.fill('next')
    await page.reload()
    await page.getByRole('button', { name: 'Pull request…' }).click()
    expect(await into.inputValue()).toBe('next')
    await page.getByRole('button', { name: 'Open the pull request' }).click()
    await until(() => lab.plane.task(id).pull?.into === 'next')
    await into.waitFor({ state: 'detached' })
    expect(await kept(page)).toEqual([])
  })

  it('is forgotten by who signs out', async () => {
    const id = await at('BLOCKED', 'Get blocked')
    const page = await lab.page(pathOf(id))
    await page.getByRole('button', { name: 'Resume' }).click()
    await page.getByText('A larger budget').click()
    await fill(page, budget)
    expect(await kept(page)).toHaveLength(4)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await sees(page.getByLabel('Token'))
    expect(await kept(page)).toEqual([])
    await lab.plane.act(id, { act: 'stop', text: null }, anOwner, null)
  })
})
