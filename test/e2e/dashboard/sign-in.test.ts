import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { sharedBrowser } from '../../support/dashboard/browser.ts'
import { sees } from '../../support/dashboard/sees.ts'
import { builtDashboard } from '../../support/dashboard/built.ts'
import { type DashboardLab, dashboardLab, pathOf } from '../../support/dashboard/lab.ts'
import { applies } from '../../support/scripted-plane.ts'
import { anOwner } from '../../support/task.ts'

const places = builtDashboard()
let lab: DashboardLab
beforeAll(async () => {
  lab = await dashboardLab(await sharedBrowser(), places, applies)
})
afterEach(() => lab.rest())
afterAll(() => lab[Symbol.asyncDispose]())

describe('who is not signed in', () => {
  it('is asked for a token, and then sees the page that was asked for', async () => {
    const task = await lab.submit('Mend the parser')
    const page = await (await lab.context()).newPage()
    await page.goto(pathOf(task.id))
    await page.getByLabel('Token').fill(lab.token('owner'))
    await page.getByRole('button', { name: 'Sign in' }).click()
    await sees(page.getByRole('heading', { name: 'Mend the parser' }))
  })

  it('is told how a token is made that lets one decide', async () => {
    const page = await (await lab.context()).newPage()
    await page.goto('/')
    await sees(page.getByText('cofferdam token create NAME --role owner'))
    await sees(page.getByText('An owner decides'))
  })

  it('is told why where the token is no good, and can try another', async () => {
    const page = await (await lab.context()).newPage()
    await page.goto('/')
    await page.getByLabel('Token').fill('cfd_none')
    await page.keyboard.press('Enter')
    await sees(page.getByText('This token is not known here'))
    await page.getByLabel('Token').fill(lab.token('viewer'))
    await page.keyboard.press('Enter')
    await sees(page.getByRole('heading', { name: 'Board' }))
  })
})

describe('a session', () => {
  it('ends with a sign-out, in the browser and on the server', async () => {
    const page = await lab.page('/dashboard/')
    const [cookie] = await page.context().cookies()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await sees(page.getByRole('heading', { name: 'Sign in' }))
    expect(await page.getByText('Your session is over').count()).toBe(0)
    expect(await page.context().cookies()).toEqual([])
    const again = await fetch(`${lab.origin}/v1/tasks`, {
      headers: { cookie: `cofferdam=${cookie?.value ?? ''}` },
    })
    expect(again.status).toBe(401)
  })

  it('goes on where the server is away: a sign-out says so, and can be made again', async () => {
    const page = await lab.page('/dashboard/')
    const signOut = page.getByRole('button', { name: 'Sign out' })
    await signOut.waitFor()
    await lab.stop()
    await signOut.click()
    await sees(page.getByText('You are still signed in.'))
    expect(await page.context().cookies()).toHaveLength(1)
    await lab.start()
    await signOut.click()
    await sees(page.getByRole('heading', { name: 'Sign in' }))
    expect(await page.context().cookies()).toEqual([])
  })

  it('ends when its token is revoked: the page asks for another, and what was typed is there afterwards', async () => {
    const task = await lab.submit('Mend it')
    lab.plane.transitions.report(task.id, 0, { type: 'claimed', leaseUntil: Date.now() + 60_000 })
    const page = await lab.page(pathOf(task.id))
    await page.getByRole('button', { name: 'Steer' }).click()
    await page.getByLabel('What should the agent hear').fill('Look at the lexer first')
    const who = await page.locator('.who').textContent()
    const token = lab.plane.access.tokens(anOwner).find(({ name }) => who?.startsWith(`${name} (`))
    lab.plane.access.revokeToken(token?.id ?? '', anOwner)
    // The page may have been told before it is pressed.
    const asked = page.getByLabel('Token')
    await Promise.any([page.getByRole('button', { name: 'Send it' }).click(), asked.waitFor()])
    await sees(page.getByRole('alert').getByText('Your session is over'))
    await asked.fill(lab.token('owner'))
    await page.keyboard.press('Enter')
    await sees(page.getByText('What you have typed for this task is kept'))
    await page.getByRole('button', { name: 'Steer' }).click()
    expect(await page.getByLabel('What should the agent hear').inputValue()).toBe('Look at the lexer first')
  })

  it('is there after a restart of the server', async () => {
    const page = await lab.page('/dashboard/')
    await lab.stop()
    await lab.start()
    await page.reload()
    await sees(page.getByRole('heading', { name: 'Board' }))
  })
})
