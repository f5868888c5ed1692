import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Page } from 'playwright-core'
import { deferred } from '../../../src/domain/deferred.ts'
import { usualScopes } from '../../../src/domain/scopes.ts'
import { cofferdam, type ServeLab, serveLab, type Serving } from '../../serve/served.ts'
import { sharedBrowser } from '../../support/dashboard/browser.ts'
import { builtDashboard } from '../../support/dashboard/built.ts'
import { type DashboardLab, dashboardLab, pathOf } from '../../support/dashboard/lab.ts'
import { sees } from '../../support/dashboard/sees.ts'
import type { Program } from '../../support/program.ts'
import { applies } from '../../support/scripted-plane.ts'
import { until } from '../../support/until.ts'

// A server that hangs, and a network that is gone, break no connection: what is shown may be old all the same.

const live = (page: Page) => page.getByText('Live', { exact: true })
const lost = (page: Page) => page.getByText('Reconnecting…', { exact: true })

/** The streams that a page has asked for. */
function streamsOf(page: Page): readonly string[] {
  const asked: string[] = []
  page.on('request', (request) => {
    const { pathname } = new URL(request.url())
    if (/changes$|stream$/.test(pathname)) asked.push(pathname)
  })
  return asked
}

describe('the built dashboard of a server that is suspended', () => {
  let built: Program
  let lab: ServeLab
  let serving: Serving
  beforeAll(() => {
    built = cofferdam()
    lab = serveLab(built, 'http: { listen: "127.0.0.1:0" }\n')
  })
  afterAll(() => {
    lab[Symbol.dispose]()
    built[Symbol.dispose]()
  })
  beforeEach(async () => {
    serving = lab.serve()
    await serving.works
  })
  afterEach(async () => {
    serving.process.kill('SIGKILL')
    await serving.code
  })

  it.each(['the board', 'a task'])(
    'says on the page of %s that it is not live once two beats are missed, and comes back',
    async (what) => {
      const origin = /http:\/\/127\.0\.0\.1:\d+/.exec(serving.output())?.[0] ?? ''
      const { task } = await lab.draft('Mend the parser')
      const { secret } = await lab.client.createToken({
        name: what.replace(' ', '-'),
        role: 'owner',
        scopes: usualScopes.owner,
        expiresAt: null,
      })
      await using context = await (await sharedBrowser()).newContext({ baseURL: origin })
      await context.request.post('/v1/session', {
        headers: { authorization: `Bearer ${secret}` },
        data: {},
      })
      const page = await context.newPage()
      await page.clock.install()
      const streams = streamsOf(page)
      await page.goto(what === 'a task' ? pathOf(task.id) : '/dashboard/')
      await sees(live(page))
      await sees(page.getByText('Mend the parser'))

      serving.process.kill('SIGSTOP')
      await page.clock.fastForward(20_000)
      expect(await live(page).isVisible()).toBe(true)
      expect(streams).toHaveLength(1)
      await page.clock.fastForward(11_000)
      await sees(lost(page))
      await until(() => streams.length === 2)
      // What is asked anew may hang as well.
      await page.clock.fastForward(31_000)
      await until(() => streams.length === 3)
      expect(await lost(page).isVisible()).toBe(true)

      serving.process.kill('SIGCONT')
      await sees(live(page))
      await lab.client.act(task.id, { act: 'reject', text: 'It is mended.' })
      await sees(page.getByText('rejected'))
      expect(streams[1]).toBe(streams[0])
    },
  )
})

describe('a stream on which nothing happens', () => {
  const quick = { heartbeatMs: 500, stallMs: 30_000, bufferBytes: 64 * 1024 }
  const open = async (): Promise<DashboardLab> =>
    dashboardLab(await sharedBrowser(), builtDashboard(), applies, {}, quick)

  it('stays live by its beats alone', async () => {
    await using lab = await open()
    const page = await lab.page('/dashboard/health')
    await sees(page.getByRole('heading', { name: 'Health' }))
    const streams = streamsOf(page)
    await page.getByRole('link', { name: 'Board', exact: true }).click()
    await sees(live(page))
    await page.evaluate(`isLost = false
      new MutationObserver(() => { isLost ||= document.querySelector('.liveness').className !== 'liveness live' })
        .observe(document.querySelector('.liveness'), { attributes: true })`)
    await page.waitForTimeout(1000)
    // From here on it counts on the beats that it has heard of.
    await lab.submit('Mend the parser')
    await sees(page.getByText('Mend the parser'))
    await page.waitForTimeout(3000)
    expect([await page.evaluate('isLost'), streams]).toEqual([false, ['/v1/changes']])
  })

  it('is not live before it is there, for who comes back to the page as for who opens it', async () => {
    await using lab = await open()
    const page = await lab.page('/dashboard/')
    await page.clock.install()
    await page.reload()
    await sees(live(page))
    await page.waitForTimeout(1000)
    const turn = (to: 'hidden' | 'visible'): Promise<void> =>
      page.evaluate(`Object.defineProperty(document, 'visibilityState', { value: '${to}', configurable: true })
        document.dispatchEvent(new Event('visibilitychange'))`)
    const answered = deferred<null>()
    await page.route('**/v1/changes', async (route) => {
      await answered.promise
      await route.continue()
    })
    await turn('hidden')
    // However long nobody looks, and whatever timers do meanwhile.
    await page.clock.fastForward(3_600_000)
    expect(await live(page).isVisible()).toBe(true)
    await turn('visible')
    await sees(page.getByText('Connecting…', { exact: true }))
    // By the beats that there were, and not by those that a page counts on before: these would be waited for longer than that.
    await sees(lost(page))
    answered.resolve(null)
    await sees(live(page))
  })
})
