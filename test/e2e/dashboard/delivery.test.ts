import type { BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Mark } from '../../../src/domain/marks/mark.ts'
import { Failure } from '../../../src/domain/failure.ts'
import type { TaskId } from '../../../src/domain/ids.ts'
import type { Input } from '../../../src/domain/input.ts'
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
afterEach(() => lab.rest())
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

async function applied(goal: string, more: object = {}): Promise<Task> {
  const { id } = await lab.submit(goal, more)
  lab.plane.attend(id)
  await until(() => lab.plane.task(id).status === 'APPLIED')
  return lab.plane.task(id)
}

const heading = (page: Page, name: string) => sees(page.getByRole('heading', { name }))

const ways: Readonly<Record<string, BrowserContextOptions>> = {
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true },
  desk: { viewport: { width: 1280, height: 800 } },
}

describe.each(Object.entries(ways))('on a %s', (way, options) => {
  // At a desk the same is pressed, and looks as test/e2e/dashboard/looks.test.ts sees it.
  const tags = way === 'desk' ? ['long'] : []
  it('work is merged as it is configured, live, and the merge is undone', { tags }, async () => {
    const { id } = await applied('Mend the sum')
    const page = await lab.page(pathOf(id), 'owner', options)
    await page.getByRole('button', { name: 'Merge…' }).click()
    expect(await page.getByLabel('Into the branch').inputValue()).toBe('main')
    await page.getByRole('button', { name: 'Merge it now' }).click()
    await heading(page, 'Merging into main…')
    // The form is gone: what came of it is where one is led to, and in sight.
    const told = page.locator('#delivery')
    expect(await told.evaluate((each) => each === each.ownerDocument.activeElement)).toBe(true)
    expect((await told.boundingBox())?.y).toBeGreaterThanOrEqual(0)
    lab.plane.attend(id)
    await heading(page, 'Merged into main')
    await sees(page.getByText(/^owner-\d+ decided to merge this just now$/))
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

    await lab.plane.review(
      id,
      { text: 'Not this.', comments: [], requestChanges: false, budget: {} },
      anOwner,
      null,
    )
    const words = page.getByRole('region', { name: 'Review' }).getByText('Not this.')
    await sees(words)
    await sees(page.getByRole('listitem').filter({ hasText: 'Not this.' }).getByText(`${anOwner.actor.id}:`))
    await page.getByRole('button', { name: `Withdraw review ${lab.plane.task(id).version}` }).click()
    await words.waitFor({ state: 'detached' })

    await page.getByRole('button', { name: 'Request changes' }).click()
    await heading(page, '- src/a.py:3: Round it half up')
    expect(lab.plane.task(id).delivery).toBe('superseded')
    await page.getByRole('link', { name: 'Changes', exact: true }).click()
    await sees(page.getByText(`This begins with what task ${id} has changed, which is delivered with it`))
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
    await sees(board.getByRole('region', { name: 'Needs you' }).getByText('Let it clash'))
    // A task that changes the work begins at it, and would conflict again.
    const region = page.getByRole('region', { name: 'Not merged' })
    await sees(region.getByRole('link', { name: 'A new task' }))
    expect(await region.getByRole('link', { name: 'its changes' }).count()).toBe(0)
    await page.getByRole('button', { name: 'Discard…' }).click()
    await page.getByRole('button', { name: 'Throw its work away' }).click()
    await heading(page, 'Its work was thrown away')
    // What is possible is asked for anew after that.
    await until(async () => (await page.getByRole('button', { name: 'Discard…' }).count()) === 0)
  })
})

describe('work that does not pass its test on the branch', () => {
  it('leads to where another task is asked to mend it', async () => {
    const { id } = await applied('Mend the sum')
    const page = await lab.page(pathOf(id))
    await page.getByRole('button', { name: 'Merge…' }).click()
    await page.getByRole('button', { name: 'Merge it now' }).click()
    await heading(page, 'Merging into main…')
    const text = 'Not merged: the test fails on main with this work.'
    lab.plane.transitions.report(id, lab.plane.task(id).fence, { type: 'merge_refused', why: 'test', text })
    await page.getByRole('link', { name: 'its changes' }).click()
    await sees(page.getByRole('button', { name: 'Request changes' }))
  })
})

describe('work with which others’ commits would go', () => {
  it.each([
    ['Merge…', 'Merge it now', 'Merged into main'],
    ['Pull request…', 'Open the pull request', 'A draft of a pull request is open'],
  ])('is refused, and delivered once an owner accepts that: %s', async (open, send, delivered) => {
    const { id } = await applied('Let it be foreign')
    const page = await lab.page(pathOf(id))
    const foreign = page.getByLabel('foreign', { exact: true })
    await page.getByRole('button', { name: open }).click()
    expect(await foreign.count()).toBe(0)
    await page.getByRole('button', { name: send }).click()
    await until(() => lab.plane.task(id).delivery === 'delivering')
    lab.plane.attend(id)
    await heading(page, 'Not delivered: others’ commits would go with it')
    await page.getByRole('button', { name: open }).click()
    await foreign.check()
    await page.getByRole('button', { name: send }).click()
    await until(() => lab.plane.task(id).delivery === 'delivering')
    lab.plane.attend(id)
    await heading(page, delivered)
  })
})

describe('a pull request', () => {
  it('is followed, and told live when it is merged', async () => {
    const { id } = await applied('Propose this')
    const page = await lab.page(pathOf(id))
    await page.getByRole('button', { name: 'Pull request…' }).click()
    await page.getByRole('button', { name: 'Open the pull request' }).click()
    await heading(page, 'The branch is being pushed…')
    lab.plane.attend(id)
    await heading(page, 'A draft of a pull request is open')
    await sees(page.getByText('which is followed until it is merged or closed'))
    const { fence } = lab.plane.task(id)
    const text = '#7 of ada/tools is merged into main there.'
    lab.plane.transitions.report(id, fence, { type: 'pull_merged', text })
    await heading(page, 'Its pull request was merged')
    await sees(page.getByRole('region', { name: 'Its pull request' }).getByText(text))
  })

  it('is not offered where no place for it is configured', async () => {
    const { id } = await applied('Mend the sum', { repository: '/repositories/alone' })
    const page = await lab.page(pathOf(id))
    await sees(page.getByRole('button', { name: 'Merge…' }))
    expect(await page.getByRole('button', { name: 'Pull request…' }).count()).toBe(0)
  })

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
    const { fence } = lab.plane.task(id)
    const lost: Input = { type: 'pull_looked', text: 'It is away.', unfollowed: 'It is away.' }
    lab.plane.transitions.report(id, fence, lost)
    await sees(page.getByText('It is not followed: It is away.'))
    await page.getByRole('button', { name: 'Merged or closed there…' }).click()
    await page.getByLabel('What has become of it?').selectOption('closed there, and not merged')
    expect(await barriers(page)).toEqual([])
    await page.getByRole('button', { name: 'Put it on record' }).click()
    await heading(page, 'Its pull request was closed')
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

describe('the work against its target', () => {
  it('is shown as a merge would change the branch now, without the comments on other lines', async () => {
    const { id } = await applied('Mend the sum')
    lab.left.against = diff.replaceAll('amount', 'merged_amount')
    const page = await lab.page(pathOf(id, 'changes'))
    await sees(page.getByRole('button', { name: 'Comment on line 1' }))
    await page.getByLabel('Show').selectOption('what a merge would change in main now')
    await sees(page.getByText('return round(merged_amount, 2)'))
    await sees(page.getByText('Lines can be commented on under “all steps together” alone'))
    expect(await page.getByRole('button', { name: /^Comment on/ }).count()).toBe(0)
  })

  it('says what it conflicts with', async () => {
    const { id } = await applied('Mend the sum')
    lab.left.against = new Failure('conflict', 'It conflicts with main in src/a.py.')
    const page = await lab.page(pathOf(id, 'changes'))
    await page.getByLabel('Show').selectOption('what a merge would change in main now')
    await sees(page.getByRole('alert').getByText('It conflicts with main in src/a.py.'))
    // What another choice shows does not stand there as if it were that.
    expect(await page.locator('.file').count()).toBe(0)
    await page.getByLabel('Show').selectOption('all steps together')
    await sees(page.getByRole('button', { name: 'Comment on line 1' }))
    expect(await page.getByRole('alert').filter({ visible: true }).count()).toBe(0)
  })
})

it('an operator delivers their own work, and leaves what is marked to an owner', async () => {
  const page = await lab.page('/dashboard/', 'operator')
  const start = async (goal: string): Promise<TaskId> => {
    const request = JSON.stringify({ goal, repository: '/repositories/example' })
    const headers = { 'content-type': 'application/json' }
    const made = await page.evaluate<{ task: Task }>(
      `fetch('/v1/tasks', { method: 'POST', headers: ${JSON.stringify(headers)}, body: ${JSON.stringify(request)} }).then((answer) => answer.json())`,
    )
    const { id } = made.task
    lab.plane.attend(id)
    await until(() => lab.plane.task(id).status === 'APPLIED')
    return id
  }
  await page.goto(pathOf(await start('Mend the sum')))
  await sees(page.getByRole('button', { name: 'Merge…' }))
  await page.goto(pathOf(await start('A marked change')))
  await heading(page, 'What is to become of this work?')
  await sees(page.getByText('An owner can decide this.'))
  expect(await page.getByRole('button', { name: /Merge|Pull request|Discard/ }).count()).toBe(0)
})

it('what a viewer sees has no buttons that deliver or comment', async () => {
  const { id } = await applied('Mend the sum')
  const page = await lab.page(pathOf(id, 'changes'), 'viewer')
  await sees(page.getByText('return round(amount, 2)'))
  await heading(page, 'What is to become of this work?')
  expect(await page.locator('main').getByRole('button').count()).toBe(0)
})

it.each([390, 1280])('a viewer reads under its line what was said, %i wide', async (width) => {
  const { id } = await applied('Mend the sum')
  const comments = [{ path: 'src/a.py', line: 3, text: 'Round it half up' }]
  await lab.plane.review(id, { text: null, comments, requestChanges: false, budget: {} }, anOwner, null)
  const page = await lab.page(pathOf(id, 'changes'), 'viewer', { viewport: { width, height: 800 } })
  const row = page.locator('tr:has-text("return round(amount, 2)") + tr.said')
  await sees(row.getByText('Round it half up'))
})

it('a question has no changes and no tests', async () => {
  const question = questionRequestSchema.parse({ question: 'Where is it?', repository: '/r/example' })
  const { task } = await lab.plane.ask(question, anOwner, null)
  const page = await lab.page(pathOf(task.id))
  await sees(page.getByRole('link', { name: 'Proof' }))
  expect(await page.getByRole('link', { name: /^(Changes|Tests)$/ }).count()).toBe(0)
})
