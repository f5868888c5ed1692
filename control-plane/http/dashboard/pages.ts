import type { MiddlewareHandler } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import { Failure } from '../../../src/domain/failure.ts'
import { Refusal } from '../problem.ts'
import { type DashboardPlaces, readFiles, type ServedFiles } from './files.ts'

const base = '/dashboard/files/'

/** Whether a path is the dashboard's, and none of the API. */
export const isDashboard = (path: string): boolean =>
  path === '/' || path === '/dashboard' || path.startsWith('/dashboard/')

/**
 * The dashboard: one page, which holds nothing and asks the API for everything, and its files. Only scripts of this server
 * run in it, text cannot become markup but by the one policy of the diff view (`src/dashboard/task/diff.tsx`), and nobody can
 * put it into a frame.
 */
export function dashboard(places: DashboardPlaces): MiddlewareHandler {
  let files: ServedFiles | null = null
  const headers = secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
      requireTrustedTypesFor: ["'script'"],
      trustedTypes: ['diff'],
    },
    xFrameOptions: 'DENY',
    referrerPolicy: 'no-referrer',
    // Where TLS is done, and for how long, is for whoever does it.
    strictTransportSecurity: false,
  })
  return async (context, next) => {
    const { path, method } = context.req
    if (!isDashboard(path)) return await next()
    if (method !== 'GET' && method !== 'HEAD')
      throw new Refusal('method_not_allowed', `${path} takes GET, HEAD.`)
    return await headers(context, () => {
      if (path === '/' || path === '/dashboard') {
        context.res = context.redirect('/dashboard/', 302)
        return Promise.resolve()
      }
      files ??= readFiles(places)
      context.header('cache-control', 'no-cache')
      if (!path.startsWith(base)) {
        context.res = context.html(shell(files))
        return Promise.resolve()
      }
      const file = files.get(path.slice(base.length))
      if (file === undefined) throw new Failure('not_found', `There is no ${path} here.`)
      context.header('etag', file.etag)
      const isKnown = context.req.header('if-none-match') === file.etag
      context.res = isKnown
        ? context.body(null, 304)
        : context.body(file.bytes, 200, { 'content-type': file.type })
      return Promise.resolve()
    })
  }
}

/** The one page. What styles a part of it comes after what styles all. The diff view puts itself where our own code finds it. */
function shell(files: ServedFiles): string {
  const first = ['library/diff2html.css', 'style.css']
  const sheets = [
    ...first,
    ...[...files.keys()].filter((name) => name.endsWith('.css') && !first.includes(name)),
  ]
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Cofferdam</title>
<link rel="icon" href="${base}icon.svg">
${sheets.map((name) => `<link rel="stylesheet" href="${base}${name}">`).join('\n')}
<script defer src="${base}library/diff2html.js"></script>
<script type="module" src="${base}main.js"></script>
</head>
<body><div id="app"><noscript>The dashboard needs JavaScript. The command cofferdam does the same without.</noscript></div></body>
</html>
`
}
