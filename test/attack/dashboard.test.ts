import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect } from 'vitest'
import { httpApp } from '../../control-plane/http/app.ts'
import { usualRates } from '../../src/domain/listen.ts'
import { defaultPolicy } from '../../src/domain/policies.ts'
import { scheduleRequestSchema } from '../../src/domain/schedule/request.ts'
import { usualScopes } from '../../src/domain/scopes.ts'
import { birth } from '../support/change.ts'
import { openBrowser } from '../support/dashboard/browser.ts'
import { sees, settled } from '../support/dashboard/sees.ts'
import { builtDashboard } from '../support/dashboard/built.ts'
import { type DashboardLab, dashboardLab, goOn, pathOf } from '../support/dashboard/lab.ts'
import { applies, ScriptedPlane } from '../support/scripted-plane.ts'
import { aCheckpoint, aCommitOf, anOwner, aTask, aTaskIdOf } from '../support/task.ts'
import { attack } from './attack.ts'

// The dashboard in a real browser, as an agent that writes into it and a page of somebody else meet it.

const places = builtDashboard()
let browser: Browser
beforeAll(async () => {
  // A name that somebody else owns and has made to lead here.
  browser = await openBrowser('--host-resolver-rules=MAP rebound.example 127.0.0.1')
})
afterAll(() => browser.close())

const open = (): Promise<DashboardLab> => dashboardLab(browser, places, applies, { findings: [evilFinding] })

/** What runs, fetches or leads elsewhere where it becomes markup. */
const evil = [
  '<img src=x onerror="window.pwned=1">',
  '<script>window.pwned=1</script>',
  '"><svg onload="window.pwned=1">',
  '</textarea></title></td></pre><iframe srcdoc="<script>parent.pwned=1</script>"></iframe>',
  '<a href="javascript:window.pwned=1">press</a>',
  '[press](javascript:window.pwned=1)',
  '{{constructor.constructor("window.pwned=1")()}}${window.pwned=1}',
].join(' ')
const evilFinding = { name: evil, state: 'warning', text: evil } as const

/** A unified diff whose names and lines are markup. */
const evilDiff = [
  `diff --git a/${evil} b/${evil}`,
  '--- a/<img src=x onerror=window.pwned=1>',
  '+++ b/<img src=x onerror=window.pwned=1>',
  `@@ -1,2 +1,2 @@ ${evil}`,
  ` ${evil}`,
  `-${evil}`,
  `+${evil} more`,
  'diff --git "a/javascript:window.pwned=1" "b/javascript:window.pwned=1"',
  'rename from "javascript:window.pwned=1"',
  'rename to "<script>window.pwned=1</script>"',
  '@@ -1 +1 @@',
  '-</td></tr></table><script>window.pwned=1</script>',
  '+</td></tr></table><img src=x onerror="window.pwned=1">',
  '',
].join('\n')

/** Writes what agents, tests and repositories can write, all of it evil, into every field that a page shows. */
function poison({ plane, left }: DashboardLab): ReturnType<typeof aTask> {
  left.diff = evilDiff
  left.log = `${evil}\n`
  const task = aTask({
    id: aTaskIdOf(7),
    goal: evil,
    request: evil,
    status: 'BLOCKED',
    halt: { reason: 'agent', text: evil },
    repository: { path: `/r/${evil}`, key: evil },
    base: { ref: evil, commit: aCommitOf('a') },
    head: aCommitOf('b'),
    branch: evil,
    agent: { name: evil, argv: [evil] },
    setup: evil,
    test: evil,
    instruction: evil,
    answer: evil,
    priorFailure: evil,
    baseline: evil,
    step: 1,
    attempt: 1,
    risks: [{ rule: evil, text: evil }],
    marks: [{ rule: 'ci', text: evil, path: evil }],
    createdBy: { kind: 'token', id: evil },
    createdAt: Date.now(),
    updatedAt: Date.now(),
  })
  const checkpoint = aCheckpoint({
    taskId: task.id,
    state: 'kept',
    commit: aCommitOf('b'),
    endedAt: Date.now(),
    agent: {
      marker: { state: 'BLOCKED', blockReason: evil },
      text: evil,
      exitCode: 0,
      session: null,
      usage: null,
      failure: evil,
    },
    violations: [{ path: evil, rule: evil, kind: 'deny', what: 'created', found: 'file' }],
    test: { passed: false, end: 'exited', exitCode: 1, tail: evil },
  })
  const event = {
    type: evil,
    actor: { kind: 'token', id: evil },
    text: evil,
    data: { risks: [{ text: evil }] },
  } as const
  plane.store.write(birth(task, { checkpoint, event: { ...event, at: Date.now() } }))
  plane.store.recordEgress([
    {
      taskId: task.id,
      box: evil,
      id: 1,
      at: Date.now(),
      kind: 'forward',
      host: evil,
      port: 80,
      method: evil,
      path: evil,
      verdict: 'denied',
      rule: evil,
      text: evil,
      address: null,
      bytesUp: 1,
      bytesDown: 1,
    },
  ])
  plane.schedules.create(
    scheduleRequestSchema.parse({
      name: 'evil',
      every: '6h',
      task: { goal: evil, repository: `/r/${evil}` },
    }),
    anOwner,
  )
  plane.store.outbox.giveUp('webhook:scripted', evil, Date.now())
  return task
}

/** A task whose pull request and comments others have written, all of it evil. */
function poisonedReview({ plane }: DashboardLab): ReturnType<typeof aTask> {
  const task = aTask({
    id: aTaskIdOf(8),
    goal: evil,
    status: 'APPLIED',
    outcome: 'tested',
    head: aCommitOf('b'),
    step: 1,
    marks: [{ rule: 'ci', text: evil, path: '<img src=x onerror=window.pwned=1>' }],
    delivery: 'pr_open',
    pull: {
      forge: 'github',
      project: evil,
      remote: evil,
      into: evil,
      draft: true,
      accepted: [],
      at: 1,
      pushed: aCommitOf('b'),
      number: 7,
      url: 'javascript:window.pwned=1',
      said: evil,
      unfollowed: evil,
      refusal: null,
    },
    createdAt: Date.now(),
    updatedAt: Date.now(),
  })
  const path = '<img src=x onerror=window.pwned=1>'
  const comments = [
    { path, line: 1, text: evil },
    { path, line: null, text: evil },
  ]
  const event = {
    type: 'reviewed',
    actor: { kind: 'token', id: evil },
    text: evil,
    data: { comments },
  } as const
  plane.store.write(birth(task, { event: { ...event, at: Date.now() } }))
  return task
}

/** A draft whose every part that is shown to who decides is evil. */
function poisonedDraft({ plane }: DashboardLab): ReturnType<typeof aTask> {
  const task = aTask({
    id: aTaskIdOf(9),
    goal: evil,
    status: 'DRAFT',
    repository: { path: `/r/${evil}`, key: evil },
    base: { ref: evil, commit: aCommitOf('a') },
    agent: { name: evil, argv: [evil] },
    setup: evil,
    test: evil,
    policy: { ...defaultPolicy, egress: [evil], upstreams: [evil] },
    risks: [{ rule: evil, text: evil }],
    createdAt: Date.now(),
    updatedAt: Date.now(),
  })
  plane.store.write(birth(task))
  return task
}

/** What became markup in a page that shows it, and what ran. */
async function harm(page: Page): Promise<readonly string[]> {
  return page.evaluate<string[]>(`(() => {
    const own = ['/dashboard/files/main.js']
    const bad = [...document.querySelectorAll('body img, body iframe, body object, body embed, body script, body style, body link, [srcdoc], body base, body meta')]
    const handlers = [...document.querySelectorAll('body *')].filter((e) => [...e.attributes].some((a) => a.name.startsWith('on')))
    const links = [...document.querySelectorAll('a')].filter((a) => !/^(\\/dashboard\\/|#(main|needs-you|running|queued|done|halted)$)/.test(a.getAttribute('href')))
    const ran = window.pwned === undefined ? [] : ['it ran']
    return [...ran, ...[...bad, ...handlers, ...links].map((e) => e.outerHTML)]
  })()`)
}

attack(
  'A153 markup in what an agent writes',
  'Write tags, handlers, frames and javascript: links into every field that an agent, a test or a repository can write, names and lines of a diff among them, and look at every page, also with the content security policy switched off.',
  async ({ saw }) => {
    await using lab = await open()
    const task = poison(lab)
    const reviewed = poisonedReview(lab)
    const pages = [
      pathOf(poisonedDraft(lab).id),
      pathOf(reviewed.id),
      pathOf(reviewed.id, 'changes'),
      '/dashboard/',
      ...['', 'output', 'changes', 'tests', 'egress', 'proof'].map((view) => pathOf(task.id, view)),
      '/dashboard/search?q=onerror',
      '/dashboard/schedules',
      '/dashboard/health',
      `/dashboard/search?q=${encodeURIComponent(evil)}`,
      `/dashboard/${encodeURIComponent(evil)}`,
    ]
    const look = async (page: Page, path: string): Promise<void> => {
      // What stands in the address is in the way from the first moment on.
      if (path.includes('%')) await page.goto(path)
      else await goOn(page, path)
      await sees(page.getByRole('heading', { level: 1 }))
      // What is closed may open more that is closed.
      for (let round = 0; round < 2; round += 1) {
        await settled(page)
        await page.evaluate('for (const each of document.querySelectorAll("details")) each.open = true')
      }
      expect([path, await harm(page)]).toEqual([path, []])
    }
    // Without the policy it is the escaping alone that holds.
    const page = await lab.page('/dashboard/', 'owner', { bypassCSP: true })
    let shown = 0
    for (const path of pages) {
      await look(page, path)
      if ((await page.content()).includes('onerror')) shown += 1
    }
    expect(shown).toBeGreaterThanOrEqual(12)
    await goOn(page, pathOf(reviewed.id, 'changes'))
    await sees(page.locator('.file > .said').getByText('<script>window.pwned=1</script>'))
    await goOn(page, pathOf(task.id, 'changes'))
    await sees(page.getByText('</td></tr></table><script>window.pwned=1</script>'))
    // With it there is nothing that it had to hold up.
    const guarded = await lab.page('/dashboard/')
    for (const view of ['', 'changes', 'tests']) await look(guarded, pathOf(task.id, view))
    expect(lab.troubles).toEqual([])
    // It would have been seen: the same markup, taken for markup, runs.
    const control = await (await lab.context({ bypassCSP: true })).newPage()
    await control.setContent(`<p>${evil}</p>`)
    await control.waitForFunction('window.pwned === 1')
    saw(
      `${pages.length} pages were looked at without the content security policy, and some with it: all of it was shown as text, no element, handler or link came of it, and nothing ran. The same text, taken for markup, runs.`,
    )
  },
)

attack(
  'A154 the content security policy of the dashboard',
  'As if text had become markup all the same: put handlers, inline scripts, scripts and pictures of other places and string-made markup into a page.',
  async ({ saw }) => {
    await using lab = await open()
    const page = await (await lab.context()).newPage()
    await page.goto('/dashboard/')
    const refused = await page.evaluate<string[]>(`(() => {
      const seen = []
      document.addEventListener('securitypolicyviolation', (event) => seen.push(event.effectiveDirective))
      const tried = (work) => { try { work() } catch (error) { seen.push(error.name) } }
      tried(() => { document.body.innerHTML = '<img src=x onerror="window.pwned=1">' })
      tried(() => setTimeout('window.pwned=1', 0))
      tried(() => { const e = document.createElement('script'); e.textContent = 'window.pwned=1'; document.body.append(e) })
      tried(() => { const e = document.createElement('img'); e.src = 'http://127.0.0.1:9/x'; document.body.append(e) })
      tried(() => document.body.setAttribute('onclick', 'window.pwned=1'))
      tried(() => { const e = document.createElement('a'); e.href = 'javascript:window.pwned=1'; document.body.append(e); e.click() })
      tried(() => trustedTypes.createPolicy('mine', { createHTML: (text) => text }))
      return new Promise((resolve) => setTimeout(() => resolve(seen), 300))
    })()`)
    expect(await page.evaluate('window.pwned')).toBeUndefined()
    expect(lab.troubles.splice(0)).not.toEqual([])
    expect(refused).toEqual(expect.arrayContaining(['TypeError', 'img-src']))
    const headers = (await fetch(`${lab.origin}/dashboard/`)).headers
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).not.toMatch(/unsafe|\*|https?:|data:/)
    expect(policy).toContain("default-src 'none'")
    saw(
      `Nothing ran and nothing was fetched from elsewhere; the browser refused ${[...new Set(refused)].join(', ')}.`,
    )
  },
)

/** A page of somebody else, on another port of this machine: for cookies that is the same site. */
async function elsewhere(html: string): Promise<{ server: Server; origin: string }> {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html')
    response.end(html)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

attack(
  'A155 requests that a page of another origin makes',
  'Sign in, then visit a page on another port of the same machine, to which the browser sends the cookie along: it posts forms and JSON, fetches, and reads.',
  async ({ saw }) => {
    await using lab = await open()
    const task = await lab.submit('Use sudo to mend it')
    const at = `${lab.origin}/v1/tasks/${task.id}`
    const { server, origin } = await elsewhere(`<body><script>
      const json = { method: 'POST', credentials: 'include', headers: { 'content-type': 'text/plain' }, body: '{}' }
      const asks = [
        fetch('${at}/approve', { ...json, mode: 'no-cors' }),
        fetch('${at}/stop', { ...json, mode: 'no-cors' }),
        fetch('${at}/stop', { ...json, headers: { 'content-type': 'application/json' } }),
        fetch('${at}', { credentials: 'include' }),
        fetch('${lab.origin}/v1/session', { method: 'DELETE', credentials: 'include' }),
      ]
      const frame = document.createElement('iframe'); frame.name = 'sink'; document.body.append(frame)
      const form = document.createElement('form'); form.method = 'post'; form.target = 'sink'; form.action = '${at}/stop'; form.enctype = 'text/plain'
      document.body.append(form); form.submit()
      const script = document.createElement('script'); script.src = '${at}'; document.body.append(script)
      Promise.allSettled(asks).then((all) => { document.title = 'done ' + all.map((one) => one.status === 'fulfilled' && one.value.type !== 'opaque' ? 'read' : 'unread').join(' ') })
    </script>`)
    try {
      const page = await lab.page('/dashboard/')
      const sent: string[] = []
      page.on('request', (request) => {
        void request.headerValue('cookie').then((cookie) => sent.push(cookie ?? ''))
      })
      await page.goto(origin)
      await page.waitForFunction('document.title.startsWith("done")')
      expect(lab.troubles.splice(0)).toEqual([expect.stringContaining("frame-ancestors 'none'")])
      expect(await page.title()).toBe('done unread unread unread unread unread')
      // The cookie went along, so that it is not the browser alone that held them up.
      expect(sent.some((cookie) => cookie.startsWith('cofferdam=cfs_'))).toBe(true)
      expect(lab.plane.task(task.id)).toMatchObject({ status: 'DRAFT', version: 1 })
      const rows = lab.plane.access
        .audit({ limit: 20 }, anOwner)
        .filter(({ action }) => !action.includes('session'))
      expect(rows.length).toBeGreaterThan(0)
      expect(rows.filter(({ outcome }) => outcome === 'allowed')).toEqual([])

      // A program that has nothing but the cookie, and says nothing of where it comes from, changes nothing either.
      const [cookie] = await page.context().cookies(lab.origin)
      const headers = { cookie: `cofferdam=${cookie?.value ?? ''}`, 'content-type': 'application/json' }
      expect((await fetch(`${at}/stop`, { method: 'POST', headers, body: '{}' })).status).toBe(403)
      // It would have been possible: from a page of the server itself it is.
      const own = { ...headers, origin: lab.origin }
      expect((await fetch(`${at}/stop`, { method: 'POST', headers: own, body: '{}' })).status).toBe(200)
    } finally {
      server.close()
    }
    saw(
      'The browser sent the cookie along, and every request was refused and is on record as refused: nothing was decided, stopped, read or signed out. The same call from a page of the server is taken.',
    )
  },
)

attack(
  'A156 the dashboard in a frame of somebody else',
  'Put every kind of page and answer into a frame of another origin, for presses that are not meant.',
  async ({ saw }) => {
    await using lab = await open()
    const task = await lab.submit('Use sudo to mend it')
    const paths = ['/dashboard/', pathOf(task.id), '/v1/tasks', '/']
    const frames = paths.map((path) => `<iframe src="${lab.origin}${path}"></iframe>`).join('')
    const { server, origin } = await elsewhere(`<body>${frames}`)
    try {
      const page = await lab.page('/dashboard/')
      await page.goto(origin, { waitUntil: 'networkidle' })
      const inside = page.frames().slice(1)
      expect(inside.length).toBe(paths.length)
      for (const frame of inside) {
        expect(await frame.locator('body').textContent()).not.toMatch(/Board|Approve|sudo/)
      }
      expect(lab.troubles.splice(0).length).toBeGreaterThanOrEqual(paths.length)
    } finally {
      server.close()
    }
    for (const path of paths) {
      const { headers } = await fetch(`${lab.origin}${path}`)
      expect([path, headers.get('x-frame-options')]).toEqual([path, 'DENY'])
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('cache-control')).toMatch(/^no-(?:store|cache)$/)
    }
    saw(`None of ${paths.length} frames showed anything of it; each answer says that it may not be framed.`)
  },
)

attack(
  'A157 a name that is made to lead here',
  'Visit the dashboard by a name of somebody else that resolves to this machine, so that their page is of the same origin as it.',
  async ({ saw }) => {
    await using lab = await open()
    const rebound = lab.origin.replace('127.0.0.1', 'rebound.example')
    const page = await lab.page('/dashboard/')
    const answer = await page.goto(`${rebound}/dashboard/`)
    expect(answer?.status()).toBe(403)
    expect(await page.content()).toContain('This is no server for the host')
    expect((await page.goto(`${rebound}/v1/tasks`))?.status()).toBe(403)
    expect((await page.goto(`${rebound}/dashboard/files/main.js`))?.status()).toBe(403)
    expect((await page.goto(`${lab.origin}/dashboard/`))?.status()).toBe(200)
    saw(
      'The name led here, and every page and call under it was refused; under the address they are answered.',
    )
  },
)

attack(
  'A158 the session of a browser',
  'Read it from a script, look for the token, guess, fix and reuse sessions, and come with one of plain HTTP over TLS.',
  async ({ saw }) => {
    await using lab = await open()
    const page = await (await lab.context()).newPage()
    await page.goto('/dashboard/')
    const planted = `cfs_${'A'.repeat(43)}`
    await page.context().addCookies([{ name: 'cofferdam', value: planted, url: lab.origin }])
    const token = lab.token('owner')
    await page.getByLabel('Token').fill(token)
    await page.keyboard.press('Enter')
    await sees(page.getByRole('heading', { name: 'Board' }))
    const [cookie, ...others] = await page.context().cookies()
    expect(others).toEqual([])
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/' })
    expect(cookie?.value).not.toBe(planted)
    expect(await page.evaluate('document.cookie')).toBe('')
    const stored = await page.evaluate<string>(
      'JSON.stringify([localStorage, sessionStorage, document.documentElement.outerHTML])',
    )
    expect(stored).not.toContain(token)
    expect(stored).not.toContain('cfs_')
    expect(JSON.stringify(cookie)).not.toContain(token)
    saw(
      'No script reads the session; the token is neither in the cookie nor kept in the page; a planted session is replaced.',
    )

    const status = async (value: string): Promise<number> =>
      (await fetch(`${lab.origin}/v1/tasks`, { headers: { cookie: `cofferdam=${value}` } })).status
    const good = cookie?.value ?? ''
    expect(await status(good)).toBe(200)
    for (const wrong of [
      planted,
      token,
      `${good.slice(0, -1)}${good.endsWith('A') ? 'B' : 'A'}`,
      `${good}A`,
      '',
    ])
      expect([wrong, await status(wrong)]).toEqual([wrong, 401])
    await page.getByRole('button', { name: 'Sign out' }).click()
    await sees(page.getByRole('heading', { name: 'Sign in' }))
    expect(await status(good)).toBe(401)
    saw('Guessed, altered and ended sessions, and a token in their place, are refused.')

    const folder = mkdtempSync(join(tmpdir(), 'cofferdam-tls-'))
    using plane = new ScriptedPlane(folder, applies)
    const door = { hosts: [], perMinute: usualRates, isSecure: true, address: () => 'here' }
    const app = httpApp(plane, { door, dashboard: places, report: () => undefined })
    const { secret } = plane.access.createToken(
      { name: 'ada', role: 'owner', scopes: usualScopes.owner, expiresAt: null },
      anOwner,
    )
    const authorization = `Bearer ${secret}`
    const begun = await app.request('/v1/session', { method: 'POST', headers: { authorization } })
    const set = begun.headers.get('set-cookie') ?? ''
    expect(set).toMatch(/^__Host-cofferdam=cfs_[\w-]{43};/)
    for (const flag of ['HttpOnly', 'Secure', 'SameSite=Strict', 'Path=/']) expect(set).toContain(flag)
    const [, value = ''] = /=(cfs_[\w-]{43})/.exec(set) ?? []
    const plain = await app.request('/v1/tasks', { headers: { cookie: `cofferdam=${value}` } })
    expect(plain.status).toBe(401)
    const secure = await app.request('/v1/tasks', { headers: { cookie: `__Host-cofferdam=${value}` } })
    expect(secure.status).toBe(200)
    // What lets in cannot be made longer with itself.
    const again = await app.request('/v1/session', {
      method: 'POST',
      headers: { cookie: `__Host-cofferdam=${value}`, 'sec-fetch-site': 'same-origin' },
    })
    expect(again.status).toBe(409)
    rmSync(folder, { recursive: true, force: true })
    saw('Over TLS it is Secure and bound to this host by its name, and a cookie without that is none.')
  },
)
