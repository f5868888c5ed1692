import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { defaultPolicy } from '../../../src/domain/policies.ts'
import { scheduleRequestSchema } from '../../../src/domain/schedule/request.ts'
import { barriers } from '../../support/dashboard/axe.ts'
import { sharedBrowser } from '../../support/dashboard/browser.ts'
import { sees } from '../../support/dashboard/sees.ts'
import { builtDashboard } from '../../support/dashboard/built.ts'
import { type DashboardLab, dashboardLab } from '../../support/dashboard/lab.ts'
import { answersWith, applies, type Script } from '../../support/scripted-plane.ts'
import { anOwner } from '../../support/task.ts'
import { until } from '../../support/until.ts'

const places = builtDashboard()
let lab: DashboardLab
beforeAll(async () => {
  const script: Script = (turn) =>
    turn.task.kind === 'question' ? answersWith('The one in parser.py.')(turn) : applies(turn)
  lab = await dashboardLab(await sharedBrowser(), places, script, {
    findings: [
      { name: 'disk', state: 'ok', text: '4096 MiB free' },
      { name: 'posture', state: 'warning', text: 'standard: no user namespaces.' },
    ],
  })
})
afterEach(() => lab.rest())
afterAll(() => lab[Symbol.asyncDispose]())

// First, when no other letter waits.
describe('the health of the installation', () => {
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

  it('is what doctor finds, and charts of what was used', async () => {
    await lab.submit('Mend it')
    const page = await lab.page('/dashboard/health', 'viewer')
    await sees(page.getByText('standard: no user namespaces.'))
    const names = await page.locator('.findings dt').allTextContents()
    expect(names).toEqual(['posture warning', 'disk ok'])
    await sees(page.getByText('command (the usual one)'))
    await sees(page.getByText(`Tasks: ${lab.plane.tasks({}).length} in 30 days`))
    const chart = page.getByRole('img', { name: /^Tasks by day/ })
    expect(await chart.locator('rect').count()).toBe(30)
    expect(Number(await chart.locator('rect').last().getAttribute('height'))).toBeGreaterThan(50)
  })
})

describe('a new task', () => {
  it('is looked at, started, and made once', async () => {
    const before = lab.plane.tasks({}).length
    const page = await lab.page('/dashboard/new', 'operator')
    await page.getByLabel('Goal').fill('Mend the parser')
    await page.getByLabel('Repository').fill('/repositories/example')
    await page.getByLabel('Agent').selectOption('command')
    await page.getByLabel('Command that the agent runs').fill('python3 tools/fix.py')
    await page.getByLabel('Test command').fill('npm test')
    await page.getByRole('button', { name: 'What would it get?' }).click()
    await sees(page.getByText('It would run by itself'))
    await page.locator('summary', { hasText: 'Paths' }).click()
    const readonly = page.locator('dl > div').filter({ has: page.getByText('readonly', { exact: true }) })
    expect(await readonly.locator('details').getAttribute('open')).toBe(null)
    await readonly.getByText(`${defaultPolicy.readonly.length} patterns`).click()
    await sees(readonly.getByText('.github/workflows'))
    await page.getByRole('button', { name: 'Start' }).click()
    await sees(page.getByText('Uncommitted changes are not part of the task.'))
    const [task, ...others] = lab.plane.tasks({})
    expect(others).toHaveLength(before)
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
    onTestFinished(() => {
      lab.plane.isConfigured = true
    })
    const before = lab.plane.tasks({})
    const page = await lab.page('/dashboard/new')
    await page.getByLabel('Goal').fill('Mend the parser')
    await page.getByLabel('Repository').fill('/repositories/example')
    const agent = page.getByLabel('Agent')
    await agent.getByText('Choose one: none is configured').waitFor({ state: 'attached' })
    await page.getByRole('button', { name: 'Start' }).click()
    expect(await page.evaluate('document.getElementById("agent").validity.valueMissing')).toBe(true)
    expect(lab.plane.tasks({})).toEqual(before)
    await agent.selectOption('command')
    await page.getByLabel('Command that the agent runs').fill('make')
    await page.getByRole('button', { name: 'Start' }).click()
    await sees(page.getByText('Uncommitted changes are not part of the task.'))
  })

  it('is told what it would get as it is written, and not as it was', async () => {
    const page = await lab.page('/dashboard/new')
    await page.getByLabel('Goal').fill('Use sudo')
    await page.getByLabel('Repository').fill('/repositories/example')
    const answer = page.getByRole('region', { name: 'What it would get' })
    await page.getByRole('button', { name: 'What would it get?' }).click()
    await sees(answer)
    await page.getByLabel('Goal').fill('Use make')
    await answer.waitFor({ state: 'detached' })
    await page.getByLabel('Goal').fill('')
  })

  it.each(['new', 'ask'])('has no form for who may only look, by its address either: %s', async (name) => {
    const page = await lab.page(`/dashboard/${name}`, 'viewer')
    await sees(page.getByText('Your token lets you look, and start nothing.'))
    expect(await page.getByRole('textbox').count()).toBe(0)
    expect(await barriers(page)).toEqual([])
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
    const button = await page.getByRole('button', { name: 'Ask' }).boundingBox()
    const select = await page.getByLabel('Agent').boundingBox()
    expect(button?.y).toBeGreaterThan((select?.y ?? 0) + (select?.height ?? 0))
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
    const other = await lab.submit('Mend the parser', { test: 'make checkall' })
    const page = await lab.page('/dashboard/search?q=checkall', 'viewer')
    await sees(page.getByText('2 found:'))
    // Of the same goal, they are told apart by what a command names them by.
    for (const each of [id, other.id]) await sees(page.locator('.card .facts').getByText(each))
    await sees(page.locator('.snippet').getByText('a command, path or name'))
    await page.goto(`/dashboard/search?q=${id}`)
    await sees(page.getByText('1 found:'))
    await page.getByRole('link', { name: 'Mend the parser' }).click()
    await sees(page.locator('main > .facts').getByText(id))
    const title = 'Mend the parser · Cofferdam'
    expect(await page.title()).toBe(title)
    await page.getByRole('link', { name: 'Changes' }).click()
    await page.waitForFunction(`document.title === 'Changes · ${title}'`)
    await page.goto('/dashboard/')
    for (const each of [id, other.id]) await sees(page.locator('.card .facts').getByText(each))
  })
})

describe('schedules', () => {
  beforeAll(() => {
    const task = { goal: 'Update the lock file', repository: '/repositories/example' }
    const request = scheduleRequestSchema.parse({ name: 'nightly', cron: '30 2 * * *', task })
    lab.plane.schedules.create(request, anOwner)
  })

  it('are run now, disabled and enabled', async () => {
    const before = lab.plane.tasks({}).length
    const page = await lab.page('/dashboard/schedules')
    await sees(page.getByText('30 2 * * * (UTC)'))
    // The hour itself stands there, for those who have no pointer to rest on it.
    const next = page.locator('.facts span').filter({ hasText: /^next / })
    expect(await next.textContent()).toMatch(/^next in .+, .*\d+:30:00/)
    await sees(page.getByText('schedule remove removes one'))
    await page.getByRole('button', { name: 'Run nightly now' }).click()
    await sees(page.getByText('It runs as'))
    const [task, ...others] = lab.plane.tasks({})
    expect(task?.goal).toBe('Update the lock file')
    expect(others).toHaveLength(before)
    await page.getByRole('button', { name: 'Disable nightly' }).click()
    await sees(page.getByRole('button', { name: 'Enable nightly' }))
    expect(lab.plane.schedules.show('nightly').enabled).toBe(false)
    await page.getByRole('button', { name: 'Enable nightly' }).click()
    await sees(page.getByRole('button', { name: 'Disable nightly' }))
    await page.getByText('What nightly runs').click()
    await sees(page.locator('.approval').getByText('8 steps, 20 min'))
    await page.getByText('Earlier runs of nightly').click()
    await sees(page.getByRole('listitem').getByText('made'))
  })

  it('have no buttons for who may only look', async () => {
    const page = await lab.page('/dashboard/schedules', 'viewer')
    await sees(page.getByRole('heading', { name: 'nightly' }))
    expect(await page.locator('main').getByRole('button').count()).toBe(0)
  })
})
