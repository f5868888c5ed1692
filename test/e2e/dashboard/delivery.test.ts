import type { BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Mark } from '../../../src/domain/marks/mark.ts'
import { questionRequestSchema } from '../../../src/domain/question/request.ts'
import type { Task } from '../../../src/domain/task.ts'
import { barriers } from '../../support/dashboard/axe.ts'
import { sharedBrowser } from '../../support/dashboard/browser.ts'
import { builtDashboard } from '../../support/dashboard/built.ts'
import { type DashboardLab, dashboardLab, pathOf } from '../../support/dashboard/lab.ts'
import { sees } from '../../support/dashboard/sees.ts'
import { applies, appliesWith } from '../../support/scripted-plane.ts'
import { aCommit, anOwner } from '../../support/task.ts'
import { until } from '../../support/until.ts'

// What becomes of applied work, decided in a browser. Boxes and git follow a script once a test attends the task, so that
// what is under way is seen for as long as it takes.

const marks: readonly Mark[] = [
  { rule: 'ci', path: 'ci.yml', text: 'It changes "ci.yml", which runs elsewhere.' },
  { rule: 'lockfile', path: 'src/a.py', text: 'It changes "src/a.py", which pins packages.' },
]
const places = builtDashboard()
let lab: DashboardLab
beforeAll(async () => {
  lab = await dashboardLab(await sharedBrowser(), places, (turn) =>
    turn.task.goal.includes('marked') ? appliesWith(marks)(turn) : applies(turn),
  )
  lab.left.diff = diff
})
afterAll(() => lab[Symbol.asyncDispose]())

const diff = `diff --git a/src/a.py b/src/a.py
index 1111111..2222222 100644
--- a/src/a.py
+++ b/src/a.py
@@ -1,2 +1,3 @@
 def total(lines):
-    return sum(lines)
+    amount = sum(lines)
+    return round(amount, 2)
`

async function applied(goal: string): Promise<Task> {
  const { id } = await lab.submit(goal)
  lab.plane.attend(id)
  await until(() => lab.plane.task(id).status === 'APPLIED')
  return lab.plane.task(id)
}

const heading = (page: Page, name: string) => sees(page.getByRole('heading', { name }))

const ways: Readonly<Record<string, BrowserContextOptions>> = {
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true },
  desk: { viewport: { width: 1280, height: 800 } },
}

describe.each(Object.entries(ways))('on a %s', (_way, options) => {
  it('work is merged as it is configured, live, and the merge is undone', async () => {
    const { id } = await applied('Mend the sum')
    const page = await lab.page(pathOf(id), 'owner', options)
    await page.getByRole('button', { name: 'Merge…' }).click()
    expect(await page.getByLabel('Into the branch').inputValue()).toBe('main')
    await page.getByRole('button', { name: 'Merge it now' }).click()
    await heading(page, 'Merging into main…')
    lab.plane.attend(id)
    await heading(page, 'Merged into main')
    await page.getByRole('button', { name: 'Undo the merge…' }).click()
    expect(await barriers(page)).toEqual([])
    await page.getByRole('button', { name: 'Take it out again' }).click()
    await heading(page, 'The merge into main is being undone…')
    lab.plane.attend(id)
    await heading(page, 'The merge was undone')
    expect(lab.plane.task(id).delivery).toBe('undone')
  })

  it('a line is commented on by keyboard, and what is half typed outlives a restart of the server', async () => {
    const { id } = await applied('Mend the sum')
    const page = await lab.page(pathOf(id, 'changes'), 'owner', options)
    const file = page.getByRole('region', { name: 'Changes of src/a.py' })
    await file.getByRole('button', { name: 'Comment on line 1' }).focus()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    const field = page.getByLabel('What should be changed here?')
    await field.pressSequentially('Round it ')
    await lab.stop()
    await sees(page.getByText('Reconnecting…'))
    await field.pressSequentially('half ')
    await page.getByRole('button', { name: 'Comment', exact: true }).click()
    await sees(page.getByText('The server does not answer'))
    await lab.start()
    await sees(page.getByText('Live', { exact: true }))
    await field.pressSequentially('up')
    expect(await barriers(page)).toEqual([])
    await page.getByRole('button', { name: 'Comment', exact: true }).click()
    // It stands under its line.
    await sees(file.locator('tr:has([data-line="3"]) + tr.said').getByText('Round it half up'))
    const event = lab.plane.events(id, 0).findLast(({ type }) => type === 'reviewed')
    expect(event?.data).toMatchObject({ comments: [{ path: 'src/a.py', line: 3, text: 'Round it half up' }] })

    await page.getByRole('button', { name: 'Request changes' }).click()
    await heading(page, '- src/a.py:3: Round it half up')
    expect(lab.plane.task(id).delivery).toBe('superseded')
    await page.goto(pathOf(id))
    await heading(page, 'Another task changes this work')
  })
})

describe('work with marks', () => {
  it('has them beside its files, and is merged once each of them is accepted', async () => {
    const { id } = await applied('A marked change')
    const page = await lab.page(pathOf(id, 'changes'))
    await sees(page.locator('details.file').getByText('which pins packages.'))
    await page.getByRole('button', { name: 'Merge…' }).click()
    await page.getByLabel('ci', { exact: true }).check()
    await page.getByRole('button', { name: 'Merge it now' }).click()
    await sees(page.getByRole('alert').getByText('Look at that, and name it to deliver it all the same'))
    expect(lab.plane.task(id).delivery).toBe('none')
    await page.getByLabel('lockfile', { exact: true }).check()
    await page.getByLabel('As', { exact: true }).selectOption('squash')
    await page.getByRole('button', { name: 'Merge it now' }).click()
    await heading(page, 'Merging into main…')
    expect(lab.plane.task(id).merge).toMatchObject({ how: 'squash', accepted: ['ci', 'lockfile'] })
    lab.plane.attend(id)
    await heading(page, 'Merged into main')
  })
})

describe('work that conflicts', () => {
  it('says with what, is marked on the board, and can be discarded', async () => {
    const { id } = await applied('Let it clash')
    const page = await lab.page(pathOf(id))
    await page.getByRole('button', { name: 'Merge…' }).click()
    await page.getByRole('button', { name: 'Merge it now' }).click()
    await heading(page, 'Merging into main…')
    lab.plane.attend(id)
    await heading(page, 'Not merged: it conflicts with main')
    await sees(page.getByRole('region', { name: 'Not merged' }).getByText('main has changed a.txt too.'))
    const board = await lab.page('/dashboard/')
    await sees(board.locator('.card.stuck').filter({ hasText: 'Let it clash' }).getByText('needs you'))
    await page.getByRole('button', { name: 'Discard…' }).click()
    await page.getByRole('button', { name: 'Throw its work away' }).click()
    await heading(page, 'Its work was thrown away')
    expect(await page.getByRole('button', { name: 'Discard…' }).count()).toBe(0)
  })
})

describe('a pull request', () => {
  it('is opened, ready or as a draft, and linked to', async () => {
    const { id } = await applied('Propose this')
    const page = await lab.page(pathOf(id))
    await page.getByRole('button', { name: 'Pull request…' }).click()
    await page.getByLabel('As a draft').uncheck()
    await page.getByRole('button', { name: 'Open the pull request' }).click()
    await heading(page, 'The branch is being pushed…')
    expect(lab.plane.task(id).pull?.draft).toBe(false)
    lab.plane.attend(id)
    await heading(page, 'A pull request is open')
    const link = page.getByRole('link', { name: 'Pull request 7 of ada/tools' })
    expect(await link.getAttribute('href')).toBe('https://forge.test/7')
    expect(await link.getAttribute('rel')).toBe('noopener noreferrer')
  })

  it('whose address leads into the page is no link', async () => {
    const { id } = await applied('Propose this')
    const page = await lab.page(pathOf(id))
    await page.getByRole('button', { name: 'Pull request…' }).click()
    await page.getByRole('button', { name: 'Open the pull request' }).click()
    await heading(page, 'The branch is being pushed…')
    const { fence } = lab.plane.task(id)
    lab.plane.transitions.report(id, fence, { type: 'pull_pushed', text: 'Pushed.', pushed: aCommit })
    const text = '<img src=x onerror="window.pwned=1">'
    const url = 'javascript:window.pwned=1'
    lab.plane.transitions.report(id, fence, { type: 'pull_opened', text, number: 7, url })
    await sees(page.getByText(url))
    await sees(page.getByText(text))
    expect(await page.locator('a[href^="javascript"], main img').count()).toBe(0)
  })
})

it('what a viewer sees has no buttons that deliver or comment', async () => {
  const { id } = await applied('Mend the sum')
  const page = await lab.page(pathOf(id, 'changes'), 'viewer')
  await sees(page.getByText('return round(amount, 2)'))
  await heading(page, 'What is to become of this work?')
  expect(await page.locator('main').getByRole('button').count()).toBe(0)
})

it('a question has no changes and no tests', async () => {
  const question = questionRequestSchema.parse({ question: 'Where is it?', repository: '/r/example' })
  const { task } = await lab.plane.ask(question, anOwner, null)
  const page = await lab.page(pathOf(task.id))
  await sees(page.getByRole('link', { name: 'Proof' }))
  expect(await page.getByRole('link', { name: /^(Changes|Tests)$/ }).count()).toBe(0)
})
