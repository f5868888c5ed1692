import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { scheduleRequestSchema } from '../../../src/domain/schedule/request.ts'
import { sharedBrowser } from '../../support/dashboard/browser.ts'
import { sees } from '../../support/dashboard/sees.ts'
import { builtDashboard } from '../../support/dashboard/built.ts'
import { type DashboardLab, dashboardLab } from '../../support/dashboard/lab.ts'
import { answersWith, applies, type Script } from '../../support/scripted-plane.ts'
import { anOwner } from '../../support/task.ts'
import { until } from '../../support/until.ts'

const places = builtDashboard()
let lab: DashboardLab
beforeEach(async () => {
  const script: Script = (turn) =>
    turn.task.kind === 'question' ? answersWith('The one in parser.py.')(turn) : applies(turn)
  lab = await dashboardLab(await sharedBrowser(), places, script, {
    findings: [
      { name: 'disk', state: 'ok', text: '4096 MiB free' },
      { name: 'posture', state: 'warning', text: 'standard: no user namespaces.' },
    ],
  })
})
afterEach(() => lab[Symbol.asyncDispose]())

describe('a new task', () => {
  it('is looked at, started, and made once', async () => {
    const page = await lab.page('/dashboard/new', 'operator')
    await page.getByLabel('Goal').fill('Mend the parser')
    await page.getByLabel('Repository').fill('/repositories/example')
    await page.getByLabel('Agent').selectOption('command')
    await page.getByLabel('Command that the agent runs').fill('python3 tools/fix.py')
    await page.getByLabel('Test command').fill('npm test')
    await page.getByRole('button', { name: 'What would it get?' }).click()
    await sees(page.getByText('It would run by itself'))
    await page.getByRole('button', { name: 'Start' }).click()
    await sees(page.getByText('Uncommitted changes are not part of the task.'))
    const [task, ...others] = lab.plane.tasks({})
    expect(others).toEqual([])
    expect(task).toMatchObject({
      goal: 'Mend the parser',
      test: 'npm test',
      agent: { name: 'command', argv: ['/bin/sh', '-c', 'python3 tools/fix.py'] },
      createdBy: { kind: 'token' },
    })
  })

  it('is answered by the risk gate in words, and leads to where it is decided', async () => {
    const page = await lab.page('/dashboard/new')
    await page.getByLabel('Goal').fill('Use sudo')
    await page.getByLabel('Repository').fill('/repositories/example')
    await page.getByRole('button', { name: 'Start' }).click()
    await sees(page.getByText('The goal says "sudo".'))
    await page.getByRole('link', { name: /^Task / }).click()
    await sees(page.getByRole('button', { name: 'Approve' }))
  })

  it('wants an agent to be chosen where none is configured', async () => {
    lab.plane.isConfigured = false
    const page = await lab.page('/dashboard/new')
    await page.getByLabel('Goal').fill('Mend the parser')
    await page.getByLabel('Repository').fill('/repositories/example')
    const agent = page.getByLabel('Agent')
    await agent.getByText('Choose one: none is configured').waitFor({ state: 'attached' })
    await page.getByRole('button', { name: 'Start' }).click()
    expect(await page.evaluate('document.getElementById("agent").validity.valueMissing')).toBe(true)
    expect(lab.plane.tasks({})).toEqual([])
    await agent.selectOption('command')
    await page.getByLabel('Command that the agent runs').fill('make')
    await page.getByRole('button', { name: 'Start' }).click()
    await sees(page.getByText('Uncommitted changes are not part of the task.'))
  })

  it('says what is wrong with it, and keeps what was typed', async () => {
    const page = await lab.page('/dashboard/new')
    await page.getByLabel('Goal').fill('Mend it')
    await page.getByLabel('Repository').fill('not/absolute')
    await page.getByRole('button', { name: 'Start' }).click()
    await sees(page.getByText('The repository has to be an absolute path'))
    await page.reload()
    expect(await page.getByLabel('Goal').inputValue()).toBe('Mend it')
  })
})

describe('a question', () => {
  it('is asked, answered on a page of its own, and asked on', async () => {
    const page = await lab.page('/dashboard/ask', 'operator')
    await page.getByLabel('Question').fill('Which parser is used?')
    await page.getByLabel('Repository').fill('/repositories/example')
    await page.getByRole('button', { name: 'Ask' }).click()
    await sees(page.getByRole('heading', { name: 'Which parser is used?' }))
    const [asked] = lab.plane.tasks({})
    if (asked === undefined) throw new Error('it was asked')
    lab.plane.attend(asked.id)
    await sees(page.getByText('The one in parser.py.'))
    await sees(page.getByText('answered', { exact: true }))
    await page.getByRole('textbox', { name: 'Ask on' }).fill('And which lexer?')
    await page.getByRole('button', { name: 'Ask', exact: true }).click()
    await sees(page.getByRole('heading', { name: 'And which lexer?' }))
    expect(lab.plane.tasks({})[0]).toMatchObject({ kind: 'question', parentTaskId: asked.id })
  })
})

describe('the search', () => {
  it('finds a task by its words, which are marked, and leads to it', async () => {
    await lab.submit('Mend the parser of dates')
    await lab.submit('Write the docs')
    const page = await lab.page('/dashboard/search', 'viewer')
    await page.getByLabel('What do you remember of it?').fill('dates')
    await page.keyboard.press('Enter')
    await sees(page.getByText('1 found:'))
    expect(await page.locator('mark').allTextContents()).toContain('dates')
    expect(page.url()).toContain('?q=dates')
    await page.getByRole('link', { name: 'Mend the parser of dates' }).click()
    await sees(page.getByRole('heading', { name: 'Mend the parser of dates' }))
  })

  it('says in what it was found', async () => {
    const { id } = await lab.submit('Mend the parser', { test: 'make checkall' })
    const page = await lab.page('/dashboard/search?q=checkall', 'viewer')
    await sees(page.getByText('1 found:'))
    await sees(page.locator('.snippet').getByText('a command, path or name'))
    await page.goto(`/dashboard/search?q=${id}`)
    await sees(page.getByText('1 found:'))
  })
})

describe('schedules', () => {
  beforeEach(() => {
    const task = { goal: 'Update the lock file', repository: '/repositories/example' }
    const request = scheduleRequestSchema.parse({ name: 'nightly', cron: '30 2 * * *', task })
    lab.plane.schedules.create(request, anOwner)
  })

  it('are run now, disabled and enabled', async () => {
    const page = await lab.page('/dashboard/schedules')
    await sees(page.getByText('30 2 * * * (UTC)'))
    await sees(page.getByText('schedule remove removes one'))
    await page.getByRole('button', { name: 'Run nightly now' }).click()
    await sees(page.getByText('It runs as'))
    expect(lab.plane.tasks({}).map(({ goal }) => goal)).toEqual(['Update the lock file'])
    await page.getByRole('button', { name: 'Disable nightly' }).click()
    await sees(page.getByRole('button', { name: 'Enable nightly' }))
    expect(lab.plane.schedules.show('nightly').enabled).toBe(false)
    await page.getByRole('button', { name: 'Enable nightly' }).click()
    await sees(page.getByRole('button', { name: 'Disable nightly' }))
    await page.getByText('Earlier runs of nightly').click()
    await sees(page.getByRole('listitem').getByText('made'))
  })

  it('have no buttons for who may only look', async () => {
    const page = await lab.page('/dashboard/schedules', 'viewer')
    await sees(page.getByRole('heading', { name: 'nightly' }))
    expect(await page.locator('main').getByRole('button').count()).toBe(0)
  })
})

describe('the health of the installation', () => {
  it('is what doctor finds, and charts of what was used', async () => {
    await lab.submit('Mend it')
    const page = await lab.page('/dashboard/health', 'viewer')
    await sees(page.getByText('standard: no user namespaces.'))
    const names = await page.locator('.findings dt').allTextContents()
    expect(names).toEqual(['posture warning', 'disk ok'])
    await sees(page.getByText('command (the usual one)'))
    await sees(page.getByText('Tasks: 1 in 30 days'))
    const chart = page.getByRole('img', { name: /^Tasks by day/ })
    expect(await chart.locator('rect').count()).toBe(30)
    expect(Number(await chart.locator('rect').last().getAttribute('height'))).toBeGreaterThan(50)
  })

  it('has the letters that were given up, to be tried again', async () => {
    await lab.submit('Mend it')
    lab.plane.store.outbox.giveUp('webhook:scripted', 'It answers with 410.', Date.now())
    const page = await lab.page('/dashboard/health')
    await sees(page.getByText('It answers with 410.'))
    await page.getByRole('button', { name: 'Try again', exact: true }).click()
    await until(() => lab.plane.outbox.letters({ states: ['dead'] }).length === 0)
    await sees(page.getByRole('region', { name: 'Outbox' }).getByText('None.'))
    await page.getByLabel('Show letters that').selectOption('wait')
    await page.getByRole('button', { name: 'Discard' }).click()
    await until(() => lab.plane.outbox.letters({ states: ['discarded'] }).length === 1)
  })
})
