import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { barriers } from '../../support/dashboard/axe.ts'
import { sharedBrowser } from '../../support/dashboard/browser.ts'
import { sees } from '../../support/dashboard/sees.ts'
import { builtDashboard } from '../../support/dashboard/built.ts'
import { type DashboardLab, dashboardLab, pathOf } from '../../support/dashboard/lab.ts'
import { applies, beginStep, type Turn } from '../../support/scripted-plane.ts'
import { anOwner } from '../../support/task.ts'
import { until } from '../../support/until.ts'

const places = builtDashboard()
let lab: DashboardLab
/** The turn of the task that works until a test says more. */
let turn: Turn | null = null
beforeAll(async () => {
  lab = await dashboardLab(await sharedBrowser(), places, (begun) => {
    if (!begun.task.goal.includes('slow')) return applies(begun)
    beginStep(begun)
    turn = begun
    return undefined
  })
})
afterEach(async () => {
  turn = null
  Object.assign(lab.left, { diff: '', log: '' })
  await lab.rest()
})
afterAll(() => lab[Symbol.asyncDispose]())

/** A task whose agent is at work. */
async function slow(): Promise<Turn> {
  const { id } = await lab.submit('Be slow')
  lab.plane.attend(id)
  await until(() => turn !== null)
  if (turn === null) throw new Error('it was there')
  return turn
}

const shown = (page: Page, text: string | RegExp) => sees(page.getByText(text))

describe('a draft', () => {
  it('shows its reasons, and is approved by its button', async () => {
    const task = await lab.submit('Use sudo to mend it')
    lab.plane.attend(task.id)
    const page = await lab.page(pathOf(task.id))
    await page
      .getByRole('region', { name: 'This task wants a person' })
      .getByText('The goal says "sudo".')
      .waitFor()
    await page.getByRole('button', { name: 'Approve' }).click()
    await shown(page, /applied/)
    await shown(page, /approved this/)
    expect(lab.plane.task(task.id).status).toBe('APPLIED')
  })

  it('takes a suggestion, and what was offered before is good for nothing', async () => {
    const task = await lab.submit('Use sudo to mend it')
    const page = await lab.page(pathOf(task.id))
    const other = await lab.page(pathOf(task.id))
    await sees(other.getByRole('button', { name: 'Approve' }))
    // The other page hears of nothing any more.
    await other.route('**/v1/tasks/*/stream*', (route) => route.abort())
    await other.route('**/v1/tasks/*/decisions', (route) =>
      route.request().method() === 'GET' ? route.abort() : route.continue(),
    )
    await other.evaluate('dispatchEvent(new Event("online"))')
    await page.getByRole('button', { name: 'Suggest' }).click()
    await page.getByLabel('What should be added to the goal?').fill('Without sudo, please')
    await page.getByRole('button', { name: 'Send the suggestion' }).click()
    await sees(page.getByText('Without sudo, please', { exact: false }))
    await other.getByRole('button', { name: 'Approve' }).click()
    await other
      .getByText(/suggest/i)
      .first()
      .waitFor()
    expect(lab.plane.task(task.id)).toMatchObject({ status: 'DRAFT', revision: 2 })
  })

  it('is rejected with a reason', async () => {
    const task = await lab.submit('Use sudo to mend it')
    const page = await lab.page(pathOf(task.id))
    await page.getByRole('button', { name: 'Reject' }).click()
    await page.getByLabel('Why?').fill('Not on this machine')
    await page.getByRole('button', { name: 'Reject it for good' }).click()
    await shown(page, /“Not on this machine”/)
    expect(lab.plane.task(task.id).status).toBe('REJECTED')
  })
})

describe('what a person may not do', () => {
  it('has no button', async () => {
    const draft = await lab.submit('Use sudo to mend it')
    const { task } = await slow()
    for (const id of [draft.id, task.id]) {
      const page = await lab.page(pathOf(id), 'viewer')
      await sees(page.getByRole('heading', { level: 1 }))
      await shown(page, 'Timeline')
      expect(await page.locator('main').getByRole('button').allTextContents()).toEqual([])
      expect(await page.getByRole('link', { name: 'New task' }).count()).toBe(0)
    }
  })
})

describe('a task under way', () => {
  it('shows what its box prints while it prints it', async () => {
    const { task, output } = await slow()
    lab.left.log = 'before\n'
    const page = await lab.page(pathOf(task.id))
    const out = page.getByRole('region', { name: 'Output of the boxes' })
    await sees(out.getByText('before'))
    output('agent', 'reading \u001b[31ma.txt\u001b[0m\n')
    await sees(out.getByText('reading a.txt'))
  })

  it('stays where somebody reads in its output, and follows it again from the end on', async () => {
    const { task, output } = await slow()
    lab.left.log = 'before\n'.repeat(200)
    const page = await lab.page(pathOf(task.id))
    const out = page.getByRole('region', { name: 'Output of the boxes' })
    const restOf = (): Promise<number> =>
      out.evaluate((each) => each.scrollHeight - each.clientHeight - each.scrollTop)
    const follows = page.getByLabel('Follow')
    await sees(out)
    await until(async () => (await restOf()) < 2)
    output('agent', 'one more\n'.repeat(20))
    await sees(out.getByText('one more'))
    await until(async () => (await restOf()) < 2)
    expect(await follows.isChecked()).toBe(true)

    await out.evaluate((each) => each.scrollTo(0, 0))
    const place = (): Promise<number> => out.evaluate((each) => each.scrollTop)
    await until(async () => !(await follows.isChecked()))
    output('agent', 'and more\n')
    await sees(out.getByText('and more'))
    expect(await place()).toBe(0)
    await out.evaluate((each) => each.scrollTo(0, each.scrollHeight))
    await until(() => follows.isChecked())
    output('agent', 'the last\n')
    await sees(out.getByText('the last'))
    await until(async () => (await restOf()) < 2)
  })

  it('is steered, paused, resumed with a larger budget, and stopped', async () => {
    const { task } = await slow()
    const page = await lab.page(pathOf(task.id))
    await page.getByRole('button', { name: 'Steer' }).click()
    await page.getByLabel('What should the agent hear').fill('Look at the lexer')
    await page.getByRole('button', { name: 'Send it' }).click()
    await sees(page.getByRole('heading', { name: 'For the next step' }))
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByRole('button', { name: 'Pause it' }).click()
    await shown(page, /blocked \(paused\)/)
    await until(() => lab.plane.task(task.id).phase === null)
    await page.getByRole('button', { name: 'Resume' }).click()
    await page.getByText('A larger budget').click()
    await page.getByRole('spinbutton', { name: 'Steps' }).fill('12')
    await page.getByLabel('Minutes').fill('30')
    await page.getByRole('button', { name: 'Go on' }).click()
    await shown(page, 'of 12')
    expect(lab.plane.task(task.id).budget).toMatchObject({ steps: 12, seconds: 1800 })
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByLabel('Why?').fill('Enough')
    await page.getByRole('button', { name: 'Stop it now' }).click()
    await shown(page, /stopped/)
    expect(lab.plane.task(task.id).status).toBe('STOPPED')
    await page.getByRole('button', { name: 'Discard' }).click()
    await page.getByRole('button', { name: 'Throw its work away' }).click()
    await shown(page, /discarded/)
  })

  it('survives a restart of the server: nothing of it is missed or twice, and nothing that was typed is lost', async () => {
    const { task } = await slow()
    const page = await lab.page(pathOf(task.id))
    await sees(page.getByText('Live', { exact: true }))
    await page.getByRole('button', { name: 'Steer' }).click()
    const field = page.getByLabel('What should the agent hear')
    await field.pressSequentially('Look at ')
    await lab.stop()
    await sees(page.getByText('Reconnecting…'))
    await lab.plane.act(task.id, { act: 'steer', text: 'said meanwhile' }, anOwner, null)
    await field.pressSequentially('the ')
    await page.getByRole('button', { name: 'Send it' }).click()
    await shown(page, /The server does not answer/)
    await lab.start()
    await sees(page.getByText('Live', { exact: true }))
    await field.pressSequentially('lexer')
    expect(await field.inputValue()).toBe('Look at the lexer')
    await page.getByRole('button', { name: 'Send it' }).click()
    await until(() => lab.plane.task(task.id).instruction === 'said meanwhile\n\nLook at the lexer')
    await until(
      async () => (await page.locator('.timeline > li').count()) === lab.plane.task(task.id).version,
    )
  })

  it('keeps what was typed over a reload', async () => {
    const { task } = await slow()
    const page = await lab.page(pathOf(task.id))
    await page.getByRole('button', { name: 'Steer' }).click()
    await page.getByLabel('What should the agent hear').fill('half a sent')
    await page.reload()
    await page.getByRole('button', { name: 'Steer' }).click()
    expect(await page.getByLabel('What should the agent hear').inputValue()).toBe('half a sent')
  })
})

const diff = `diff --git a/src/a.py b/src/a.py
index 1111111..2222222 100644
--- a/src/a.py
+++ b/src/a.py
@@ -1,2 +1,2 @@
 def total(lines):
-    return sum(lines)
+    return round(sum(lines), 2)
diff --git a/new.txt b/new.txt
new file mode 100644
index 0000000..3333333
--- /dev/null
+++ b/new.txt
@@ -0,0 +1 @@
+new
diff --git a/latest b/latest
new file mode 120000
index 0000000..4444444
--- /dev/null
+++ b/latest
@@ -0,0 +1 @@
+/etc/passwd
\\ No newline at end of file
diff --git a/run b/run
old mode 100644
new mode 100755
`

const odd = `diff --git a/b.txt b/a.txt
similarity index 100%
rename from b.txt
rename to a.txt
diff --git a/run.sh b/run.sh
old mode 100644
new mode 100755
diff --git "a/safe\\342\\200\\256gpj.sh" "b/safe\\342\\200\\256gpj.sh"
deleted file mode 100644
index 1111111..0000000
--- "a/safe\\342\\200\\256gpj.sh"
+++ /dev/null
@@ -1 +0,0 @@
-echo
diff --git "a/safe\\342\\200\\256gpj.sh" "b/safe\\342\\200\\256gpj.sh"
new file mode 120000
index 0000000..2222222
--- /dev/null
+++ "b/safe\\342\\200\\256gpj.sh"
@@ -0,0 +1 @@
+run.sh
`

describe('a task that is applied', () => {
  it('shows what it changed, file by file, by lines or side by side', async () => {
    const task = await lab.submit('Mend the sum')
    lab.plane.attend(task.id)
    await until(() => lab.plane.task(task.id).status === 'APPLIED')
    lab.left.diff = diff
    const page = await lab.page(pathOf(task.id, 'changes'), 'viewer', {
      viewport: { width: 1280, height: 800 },
    })
    const file = page.getByRole('region', { name: 'Changes of src/a.py' })
    await sees(file.getByText('return round(sum(lines), 2)'))
    expect(await file.locator('.d2h-file-side-diff').count()).toBe(2)
    await page.getByLabel('Side by side').uncheck()
    await until(async () => (await file.locator('.d2h-file-side-diff').count()) === 0)
    await sees(file.getByText('return round(sum(lines), 2)'))
    await sees(page.getByRole('region', { name: 'Changes of new.txt' }))
    await sees(page.locator('summary', { hasText: 'latest' }).getByText('new symbolic link', { exact: true }))
    await sees(
      page.locator('summary', { hasText: 'run' }).getByText('file → executable file', { exact: true }),
    )
    await sees(page.getByRole('region', { name: 'Changes of run' }).getByText('new mode 100755'))
  })

  it('says before all files where more are changed than are there', async () => {
    const task = await lab.submit('Mend the sum')
    lab.plane.attend(task.id)
    await until(() => lab.plane.task(task.id).status === 'APPLIED')
    lab.left.diff = `${diff}[cut: the diff is too long; not shown: 1 more file, z.sh (new)]\n`
    const page = await lab.page(pathOf(task.id, 'changes'), 'viewer')
    await sees(page.getByRole('region', { name: 'Changes of new.txt' }))
    expect(await page.locator('.why, details.file').first().innerText()).toContain(
      'Not all of it is here: the diff is too long; not shown: 1 more file, z.sh (new).',
    )
  })

  it('has what failed before it, which the keyboard can scroll', async () => {
    const { id } = await lab.submit('Mend the sum', { test: 'make check' })
    const page = await lab.page('/dashboard/none', 'viewer')
    await page.route(`**/v1/tasks/${id}`, async (route) => {
      const answer = await route.fetch()
      const task = (await answer.json()) as object
      await route.fulfill({ response: answer, json: { ...task, baseline: 'it failed\n'.repeat(400) } })
    })
    await page.goto(pathOf(id, 'tests'))
    await page.getByText('What failed before the agent did anything').click()
    await sees(page.getByRole('region', { name: 'What failed before' }))
    expect(await barriers(page)).toEqual([])
  })

  it('shows what became of files besides their lines, under names in which nothing hides', async () => {
    const task = await lab.submit('Mend the names')
    lab.plane.attend(task.id)
    await until(() => lab.plane.task(task.id).status === 'APPLIED')
    lab.left.diff = odd
    const page = await lab.page(pathOf(task.id, 'changes'), 'viewer')
    await sees(page.getByText('4 files'))
    expect(await page.locator('.file > summary').allTextContents()).toEqual([
      'a.txt renamed from b.txt',
      'run.sh file → executable file',
      String.raw`"safe\u202egpj.sh" deleted file +0 −1`,
      String.raw`"safe\u202egpj.sh" new symbolic link +1 −0`,
    ])
    // Each is there by its own name, also for who hears it.
    expect(await barriers(page)).toEqual([])
  })
})

describe('a page that is opened while the server is away', () => {
  it('comes by itself when it is back, and when that is asked for', async () => {
    const task = await lab.submit('Mend the lexer')
    const page = await lab.page('/dashboard/')
    await sees(page.getByRole('link', { name: 'Mend the lexer' }))
    await lab.stop()
    await page.getByRole('link', { name: 'Mend the lexer' }).click()
    await sees(page.getByRole('alert').getByText('The server does not answer'))
    await sees(page.getByRole('link', { name: 'To the board' }))
    await lab.start()
    await sees(page.getByRole('heading', { name: 'Mend the lexer' }))
    await sees(page.getByText('Live', { exact: true }))
    await lab.plane.act(task.id, { act: 'stop', text: 'Enough' }, anOwner, null)
    await sees(page.getByText('Stopped: Enough'))
    expect(await page.locator('.timeline > li').count()).toBe(2)

    // So does each of its parts, and every other page.
    await lab.stop()
    for (const name of ['Tests', 'Schedules']) {
      await page.getByRole('link', { name, exact: true }).click()
      await sees(page.getByRole('alert').getByText('The server does not answer'))
      await lab.start()
      await page.getByRole('button', { name: 'Try again' }).waitFor({ state: 'detached' })
      await lab.stop()
    }
    await lab.start()

    await page.getByRole('link', { name: 'Board', exact: true }).click()
    await sees(page.getByRole('heading', { name: 'Board' }))
    await page.route('**/v1/tasks/*', (route) =>
      route.fulfill({ status: 404, json: { detail: 'No such task.' } }),
    )
    await page.getByRole('link', { name: 'Mend the lexer' }).click()
    await sees(page.getByRole('alert').getByText('No such task.'))
    await page.unroute('**/v1/tasks/*')
    await page.getByRole('button', { name: 'Try again' }).click()
    await sees(page.getByRole('heading', { name: 'Mend the lexer' }))
  })
})

describe('a task that is over', () => {
  it('tells of what somebody does with it afterwards, also after a restart of the server', async () => {
    const task = await lab.submit('Mend the sum')
    lab.plane.attend(task.id)
    await until(() => lab.plane.task(task.id).status === 'APPLIED')
    const page = await lab.page(pathOf(task.id), 'viewer')
    await sees(page.getByText('Live', { exact: true }))
    await lab.stop()
    await sees(page.getByText('Reconnecting…'))
    await lab.start()
    await sees(page.getByText('Live', { exact: true }))
    await lab.plane.act(task.id, { act: 'discard' }, anOwner, null)
    await sees(page.getByText('discarded', { exact: true }))
  })
})

describe('the proof of a task', () => {
  it('is its attestations, held against all else when that is asked for', async () => {
    const task = await lab.submit('Mend the sum')
    const page = await lab.page(pathOf(task.id, 'proof'), 'viewer')
    await sees(page.getByRole('cell', { name: 'interim' }))
    await page.getByRole('button', { name: 'Verify now' }).click()
    await shown(page, /All holds/)
  })
})

describe('the egress of a task', () => {
  it('is each thing that was asked for, with the rule that decided it', async () => {
    const task = await lab.submit('Mend the sum')
    lab.plane.store.recordEgress([
      {
        taskId: task.id,
        box: 'box-1',
        id: 1,
        at: Date.now(),
        kind: 'tunnel',
        host: 'docs.example.com',
        port: 443,
        method: null,
        path: null,
        verdict: 'denied',
        rule: 'no rule',
        text: 'Nothing allows it.',
        address: null,
        bytesUp: null,
        bytesDown: null,
      },
    ])
    const page = await lab.page(pathOf(task.id, 'egress'), 'viewer')
    const row = page.getByRole('row', { name: /docs\.example\.com:443/ })
    await sees(row)
    expect(await row.getByRole('cell').allTextContents()).toEqual(
      expect.arrayContaining(['denied', 'no rule']),
    )
    expect(await page.getByText('The newest').count()).toBe(0)
  })

  it('is the newest 500 where there is more, which it says; on a phone each is a card', async () => {
    const task = await lab.submit('Mend the sum')
    lab.plane.store.recordEgress(
      Array.from({ length: 501 }, (_, index) => ({
        taskId: task.id,
        box: 'box-1',
        id: index + 1,
        at: Date.now() + index,
        kind: 'tunnel' as const,
        host: `n${index + 1}.example.com`,
        port: 443,
        method: null,
        path: null,
        verdict: 'denied' as const,
        rule: 'no rule',
        text: 'Nothing allows it.',
        address: null,
        bytesUp: null,
        bytesDown: null,
      })),
    )
    const page = await lab.page(pathOf(task.id, 'egress'), 'viewer', {
      viewport: { width: 390, height: 844 },
    })
    await sees(page.getByText('The newest 500'))
    expect(await page.getByRole('row').count()).toBe(501)
    await sees(page.getByRole('row', { name: /n501\.example/ }))
    expect(await page.getByRole('row', { name: /\bn1\.example/ }).count()).toBe(0)
    expect(await page.evaluate('document.querySelector(".wide").scrollWidth <= innerWidth')).toBe(true)
  })
})
