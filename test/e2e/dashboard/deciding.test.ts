import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { openSurface } from '../../../control-plane/gate/surfaces.ts'
import { defaultPolicy } from '../../../src/domain/policies.ts'
import type { TaskId } from '../../../src/domain/ids.ts'
import { birth } from '../../support/change.ts'
import { barriers } from '../../support/dashboard/axe.ts'
import { sharedBrowser } from '../../support/dashboard/browser.ts'
import { builtDashboard } from '../../support/dashboard/built.ts'
import { type DashboardLab, dashboardLab, pathOf } from '../../support/dashboard/lab.ts'
import { sees } from '../../support/dashboard/sees.ts'
import { applies, blocks, worksForever } from '../../support/scripted-plane.ts'
import { aPerson, aTask, aTaskIdOf } from '../../support/task.ts'
import { until } from '../../support/until.ts'

// What a person has to see to decide, and what is offered to them first and last.

let lab: DashboardLab
beforeAll(async () => {
  lab = await dashboardLab(await sharedBrowser(), builtDashboard(), (turn) => {
    if (turn.task.goal.includes('blocked')) return blocks(turn)
    return turn.task.goal.includes('slow') ? worksForever(turn) : applies(turn)
  })
})
afterEach(() => lab.rest())
afterAll(() => lab[Symbol.asyncDispose]())

/** What was offered lies so far back that it is good for nothing. */
function expire(id: TaskId): void {
  const task = lab.plane.task(id)
  lab.plane.transitions.offer(task, { ...openSurface(task, Date.now()), expiresAt: Date.now() - 1 }, aPerson)
}

it('a draft shows all that an approval lets run, and where to', async () => {
  const draft = aTask({
    id: aTaskIdOf(5),
    status: 'DRAFT',
    risks: [{ rule: 'egress', text: 'It asks for more of the network.' }],
    agent: { name: 'command', argv: ['sh', '-c', 'make all'] },
    setup: 'pip install -r wanted.txt',
    test: 'make check',
    policy: { ...defaultPolicy, egress: ['files.example:8443'], upstreams: ['anthropic'] },
    createdAt: Date.now(),
  })
  lab.plane.store.write(birth(draft, { surface: { open: openSurface(draft, Date.now()) } }))
  const page = await lab.page(pathOf(draft.id), 'owner', { viewport: { width: 390, height: 844 } })
  const box = page.getByRole('region', { name: 'This task wants a person' })
  await sees(box.getByRole('button', { name: 'Approve' }))
  const rows = await box
    .locator('dl > div')
    .evaluateAll((all) => all.map((each) => [...each.children].map((child) => child.textContent)))
  expect(Object.fromEntries(rows)).toMatchObject({
    Agent: 'command sh -c "make all"',
    Setup: 'pip install -r wanted.txt',
    Test: 'make check',
    'May reach': 'files.example:8443; setup reaches the package registries',
    Models: 'anthropic',
  })
  expect(await barriers(page)).toEqual([])
})

it('an offer that has expired decides nothing, says so, and another takes its place', async () => {
  const { id } = await lab.submit('Use sudo to mend it')
  expire(id)
  const page = await lab.page(pathOf(id))
  await sees(page.getByText('the first press opens a fresh one'))
  await page.getByRole('button', { name: 'Approve' }).click()
  await sees(page.getByRole('alert').getByText('That offer has expired, and nothing was decided.'))
  expect(lab.plane.task(id).status).toBe('DRAFT')
  await sees(page.getByText('This offer expires in 24 h'))
  await page.getByRole('button', { name: 'Approve' }).click()
  await sees(page.getByText(/^owner-\d+ approved this just now$/))
  expect(lab.plane.task(id).status).toBe('PENDING')
})

it('what is typed to suggest something is no reason to reject it', async () => {
  const { id } = await lab.submit('Use sudo to mend it')
  const page = await lab.page(pathOf(id))
  await page.getByRole('button', { name: 'Suggest…' }).click()
  await page.getByLabel('What should be added to the goal?').fill('Without sudo')
  await page.getByRole('button', { name: 'Reject…' }).click()
  expect(await page.getByLabel('Why?').inputValue()).toBe('')
  await page.getByLabel('Why?').fill('Not here')
  await page.getByRole('button', { name: 'Reject it for good' }).click()
  await sees(page.getByText(/^owner-\d+ rejected this just now$/))
  await sees(page.getByText('“Not here”'))
  expect(await page.getByRole('button', { name: /Approve|Suggest|Reject/ }).count()).toBe(0)
})

it('what is typed for the agent is no reason to stop it', async () => {
  const { id } = await lab.submit('Be slow')
  lab.plane.attend(id)
  const page = await lab.page(pathOf(id))
  await page.getByRole('button', { name: 'Steer…' }).click()
  await page.getByLabel('What should the agent hear').fill('Look at the lexer')
  await page.getByRole('button', { name: 'Stop…' }).click()
  expect(await page.getByLabel('Why?').inputValue()).toBe('')
  await page.getByRole('button', { name: 'Stop…' }).click()
  await sees(page.getByText('What you have typed for this task is kept.'))
  await page.getByRole('button', { name: 'Steer…' }).click()
  expect(await page.getByLabel('What should the agent hear').inputValue()).toBe('Look at the lexer')
})

it('what goes on stands first, and what cannot be taken back last and looks so', async () => {
  const { id } = await lab.submit('Be blocked')
  lab.plane.attend(id)
  await until(() => lab.plane.task(id).status === 'BLOCKED')
  const page = await lab.page(pathOf(id))
  await sees(page.getByRole('button', { name: 'Resume…' }))
  const buttons = await page
    .locator('.acts .buttons button')
    .evaluateAll((all) => all.map((each) => [each.textContent, each.className]))
  expect(buttons).toEqual([
    ['Resume…', 'main'],
    ['Give up…', 'danger'],
    ['Discard…', 'danger'],
  ])
})
