import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import type { DashboardPlaces } from '../../../control-plane/http/dashboard/files.ts'
import { httpApp } from '../../../control-plane/http/app.ts'
import { type StreamLimits, streamLimits } from '../../../control-plane/http/sse.ts'
import { addressOf, type Listening, serveTcp } from '../../../control-plane/http/tcp.ts'
import type { Role } from '../../../src/domain/caller.ts'
import { Failure } from '../../../src/domain/failure.ts'
import type { TaskId } from '../../../src/domain/ids.ts'
import { parseTaskRequest } from '../../../src/domain/intake.ts'
import { usualRates } from '../../../src/domain/listen.ts'
import { usualScopes } from '../../../src/domain/scopes.ts'
import type { Task } from '../../../src/domain/task.ts'
import { type Behaviour, type Script, ScriptedPlane } from '../scripted-plane.ts'
import { anOwner } from '../task.ts'
import { sees } from './sees.ts'
import type { Browser } from 'playwright-core'

/** What the boxes of tasks have changed and printed, by the task. */
export interface Left {
  diff: string
  /** What a merge would change in a branch as it is now, or why it cannot. */
  against: string | Failure
  log: string
}

/** A scripted control plane whose tasks leave what a test says. */
class ShownPlane extends ScriptedPlane {
  readonly left: Left
  constructor(folder: string, script: Script, behaviour: Behaviour, left: Left) {
    super(folder, script, behaviour)
    this.left = left
  }
  override diff(_id: TaskId, _step: number | null, against: string | null = null): Promise<string> {
    const { diff, against: merged } = this.left
    if (against === null) return Promise.resolve(diff)
    return merged instanceof Failure ? Promise.reject(merged) : Promise.resolve(merged)
  }
  override logs(): Promise<string> {
    return Promise.resolve(this.left.log)
  }
}

/** The dashboard of a scripted control plane at an address of this machine, and a browser to look at it. */
export interface DashboardLab extends AsyncDisposable {
  readonly plane: ScriptedPlane
  /** The data folder. */
  readonly folder: string
  readonly left: Left
  /** What went wrong in pages, and what their policy held up: it fails the test at the end, unless it is taken out. */
  readonly troubles: string[]
  readonly origin: string
  token(role: Role): string
  submit(goal: string, more?: object): Promise<Task>
  /** Another browser, in which nobody is signed in. */
  context(options?: BrowserContextOptions): Promise<BrowserContext>
  /**
   * A page of somebody who has signed in, at this path: in a browser of its own, or in one that rests, which goes on to it as
   * a link would.
   */
  page(path: string, role?: Role, options?: BrowserContextOptions): Promise<Page>
  /**
   * What is open is closed, but for a page of each role and size, which the next test may have: to open another costs twice as
   * much of the processor as all that most tests do in it.
   */
  rest(): Promise<void>
  /** The server is away, until it is started again at the same address. */
  stop(): Promise<void>
  start(): Promise<void>
}

export async function dashboardLab(
  browser: Browser,
  places: DashboardPlaces,
  script: Script,
  behaviour: Behaviour = {},
  stream: StreamLimits = streamLimits,
): Promise<DashboardLab> {
  const folder = mkdtempSync(join(tmpdir(), 'cofferdam-board-'))
  const left: Left = { diff: '', against: '', log: '' }
  const plane = new ShownPlane(folder, script, behaviour, left)
  const contexts = new Set<BrowserContext>()
  /** By who looks at them, and how. */
  const open = new Map<Page, string>()
  const resting = new Map<string, Page>()
  const troubles: string[] = []
  let listening: Listening | null = null
  let port = 0
  let made = 0

  const start = async (): Promise<void> => {
    const door = {
      hosts: [],
      perMinute: usualRates,
      isSecure: false,
      address: (context: Parameters<typeof addressOf>[0]) => addressOf(context, false),
    }
    const report = (error: unknown): unknown => troubles.push(`the server: ${String(error)}`)
    const app = httpApp(plane, { door, dashboard: places, report, stream })
    const settings = {
      address: '127.0.0.1',
      port,
      hosts: [],
      tls: null,
      proxyTls: false,
      perMinute: usualRates,
    }
    listening = await serveTcp(app, settings)
    port = Number(new URL(listening.origin).port)
  }
  const stop = async (): Promise<void> => {
    await listening?.[Symbol.asyncDispose]()
    listening = null
  }
  const context: DashboardLab['context'] = async (options = {}) => {
    const opened = await browser.newContext({ baseURL: `http://127.0.0.1:${port}`, ...options })
    contexts.add(opened)
    opened.on('weberror', (error) => troubles.push(`a page: ${error.error().message}`))
    opened.on('console', (message) => {
      if (/Content Security Policy|TrustedHTML|Uncaught/.test(message.text())) troubles.push(message.text())
    })
    return opened
  }
  const token: DashboardLab['token'] = (role) => {
    const wanted = { name: `${role}-${++made}`, role, scopes: usualScopes[role], expiresAt: null }
    return plane.access.createToken(wanted, anOwner).secret
  }
  await start()
  return {
    plane,
    folder,
    left,
    troubles,
    origin: `http://127.0.0.1:${port}`,
    token,
    async submit(goal, more = {}) {
      const parsed = parseTaskRequest({ goal, repository: '/repositories/example', ...more })
      if (!parsed.ok) throw new Error(parsed.problems.join(' '))
      return (await plane.submit(parsed.request, anOwner, null)).task
    },
    context,
    async page(path, role = 'owner', options = {}) {
      const kind = JSON.stringify([role, options])
      const rested = resting.get(kind)
      if (rested !== undefined) {
        resting.delete(kind)
        open.set(rested, kind)
        await goOn(rested, path)
        return rested
      }
      const opened = await context(options)
      const authorization = `Bearer ${token(role)}`
      const answer = await opened.request.post('/v1/session', { headers: { authorization }, data: {} })
      if (answer.status() !== 201) throw new Error(`nobody could sign in: ${await answer.text()}`)
      const page = await opened.newPage()
      page.setDefaultTimeout(20_000)
      open.set(page, kind)
      await page.goto(path)
      return page
    },
    async rest() {
      for (const [page, kind] of open) {
        const isGood = !resting.has(kind) && (await page.locator('header.top').count()) === 1
        if (!isGood) continue
        await page.unrouteAll()
        await page.evaluate('localStorage.clear()')
        // Where nothing is asked for and listened to.
        await goOn(page, '/dashboard/none')
        await sees(page.getByRole('heading', { name: 'Not found' }))
        resting.set(kind, page)
      }
      open.clear()
      const kept = new Set([...resting.values()].map((page) => page.context()))
      const others = [...contexts].filter((each) => !kept.has(each))
      for (const each of others) contexts.delete(each)
      await Promise.all(others.map((each) => each.close()))
    },
    stop,
    start,
    async [Symbol.asyncDispose]() {
      await Promise.all([...contexts].map((each) => each.close()))
      await stop()
      plane[Symbol.dispose]()
      rmSync(folder, { recursive: true, force: true })
      if (troubles.length > 0) throw new Error(troubles.join('\n'))
    },
  }
}

/** Goes to another path of the dashboard as a link in it does, without loading it anew. */
export const goOn = (page: Page, path: string): Promise<void> =>
  page.evaluate(`history.pushState(null, '', ${JSON.stringify(path)})
    dispatchEvent(new PopStateEvent('popstate'))`)

export const pathOf = (id: TaskId, view = ''): string =>
  `/dashboard/tasks/${id}${view === '' ? '' : `/${view}`}`
