import { spawn } from 'node:child_process'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { ForgeKind, PullSettings } from '../../src/domain/delivery/pull.ts'
import { Secret } from '../../src/domain/secret.ts'

/** A pull request as the server has it. */
export interface Kept {
  readonly number: number
  readonly branch: string
  readonly into: string
  readonly title: string
  readonly body: string
  readonly draft: boolean
  state: 'open' | 'closed' | 'merged'
  /** Whether its branch is one of another repository, which was forked from this one. */
  readonly fork?: boolean
}

/** What was asked, in the order in which it came. */
export interface Asked {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: Readonly<Record<string, unknown>> | null
}

/** A small forge on loopback that speaks the routes of one of the three, and serves git over smart HTTP beside them. */
export interface TestForge extends AsyncDisposable {
  /** The address of its API, as it is configured. */
  readonly address: string
  /** `http://127.0.0.1:port` */
  readonly origin: string
  readonly pulls: Kept[]
  readonly asked: Asked[]
  /** Answers in the place of the forge; null leaves it to the forge. */
  instead: (asked: Asked, response: ServerResponse) => boolean
  /** The address of a bare repository, as git is told. */
  remote(name: string): string
}

export const forgeToken = 'ghp_s3cret-token-of-the-forge'
export const forgeProject = 'ada/tools'

/** A place for pull requests there. */
export function forgeSettings(kind: ForgeKind, server: Pick<TestForge, 'address' | 'remote'>): PullSettings {
  return {
    forge: kind,
    address: server.address,
    project: forgeProject,
    remote: server.remote('x.git'),
    user: 'x',
    token: new Secret('forge', forgeToken),
    tokenFrom: 'the environment variable FORGE',
    network: 'loopback',
    draft: true,
  }
}

const repositoryOf = (fork = false): number => (fork ? 2 : 1)

const shown: Readonly<Record<ForgeKind, (each: Kept, origin: string) => object>> = {
  github: ({ number, state, branch, into, fork }, origin) => ({
    number,
    html_url: `${origin}/${forgeProject}/pull/${number}`,
    state: state === 'open' ? 'open' : 'closed',
    merged_at: state === 'merged' ? '2026-01-01T00:00:00Z' : null,
    head: { ref: branch, repo: { id: repositoryOf(fork) } },
    base: { ref: into, repo: { id: 1 } },
  }),
  gitlab: ({ number, state, branch, into, fork }, origin) => ({
    iid: number,
    web_url: `${origin}/${forgeProject}/-/merge_requests/${number}`,
    state: state === 'open' ? 'opened' : state,
    source_branch: branch,
    target_branch: into,
    source_project_id: repositoryOf(fork),
    target_project_id: 1,
  }),
  forgejo: ({ number, state, branch, into, fork }, origin) => ({
    number,
    html_url: `${origin}/${forgeProject}/pulls/${number}`,
    state: state === 'open' ? 'open' : 'closed',
    merged: state === 'merged',
    head: { ref: branch, repo_id: repositoryOf(fork) },
    base: { ref: into, repo_id: 1 },
  }),
}

const [owner = ''] = forgeProject.split('/')
const bases = {
  github: `/repos/${forgeProject}/pulls`,
  gitlab: `/api/v4/projects/${encodeURIComponent(forgeProject)}/merge_requests`,
  forgejo: `/api/v1/repos/${forgeProject}/pulls`,
} as const satisfies Record<ForgeKind, string>

const records: Readonly<Record<ForgeKind, object>> = {
  github: { full_name: forgeProject },
  gitlab: { path_with_namespace: forgeProject },
  forgejo: { full_name: forgeProject },
}

const isKnown: Readonly<Record<ForgeKind, (headers: IncomingMessage['headers']) => boolean>> = {
  github: ({ authorization }) => authorization === `token ${forgeToken}`,
  gitlab: (headers) => headers['private-token'] === forgeToken,
  forgejo: ({ authorization }) => authorization === `token ${forgeToken}`,
}

/**
 * @param folder holds the bare repositories that git is served
 * @param pair its certificate and key, for TLS
 */
export async function testForge(
  kind: ForgeKind,
  folder: string | null = null,
  pair: { readonly cert: string; readonly key: string } | null = null,
): Promise<TestForge> {
  const handled = (request: IncomingMessage, response: ServerResponse): void => {
    void handle(request, response).catch(() => response.destroy())
  }
  const server = pair === null ? createServer(handled) : createTlsServer(pair, handled)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `${pair === null ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`
  const forge: TestForge = {
    address: origin,
    origin,
    pulls: [],
    asked: [],
    instead: () => false,
    remote: (name) => `${origin}/git/${name}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? ''
    const { method = '', headers } = request
    const isGit = path.startsWith('/git/')
    const text = isGit ? '' : await textOf(request)
    const asked = { method, path, headers, body: text === '' ? null : (JSON.parse(text) as Asked['body']) }
    forge.asked.push(asked)
    if (forge.instead(asked, response)) return
    if (isGit) return await serveGit(request, response)
    if (!isKnown[kind](headers)) return answer(response, 401, { message: 'Bad credentials' })
    const { pathname, searchParams } = new URL(path, origin)
    if (method === 'GET' && pathname === bases[kind].replace(/\/\w+$/, ''))
      return answer(response, 200, records[kind])
    if (pathname !== bases[kind] && !pathname.startsWith(`${bases[kind]}/`))
      return answer(response, 404, { message: 'Not Found' })
    const rest = pathname.slice(bases[kind].length + 1)
    if (method === 'GET' && rest === '') return answer(response, 200, listed(searchParams))
    if (method === 'POST' && rest === '') return open(asked.body ?? {}, response)
    const one = forge.pulls.find(({ number }) => String(number) === rest)
    if (one === undefined) return answer(response, 404, { message: 'Not Found' })
    return answer(response, 200, shown[kind](one, origin))
  }

  function listed(query: URLSearchParams): readonly object[] {
    const [branch, into] = {
      github: [query.get('head')?.replace(`${owner}:`, ''), query.get('base')],
      gitlab: [query.get('source_branch'), query.get('target_branch')],
      forgejo: [null, null],
    }[kind]
    const state = query.get('state')
    const page = Number(query.get('page') ?? 1)
    const size = Number(query.get('per_page') ?? query.get('limit') ?? 20)
    return forge.pulls
      .filter((each) => branch == null || each.branch === branch)
      .filter((each) => into == null || each.into === into)
      .filter((each) => (state === 'open' || state === 'opened' ? each.state === 'open' : true))
      .toReversed()
      .slice((page - 1) * size, page * size)
      .map((each) => shown[kind](each, origin))
  }

  function open(body: Readonly<Record<string, unknown>>, response: ServerResponse): void {
    const text = (name: string): string => {
      const value = body[name]
      return typeof value === 'string' ? value : ''
    }
    const gitlab = kind === 'gitlab'
    const branch = text(gitlab ? 'source_branch' : 'head')
    const into = text(gitlab ? 'target_branch' : 'base')
    const exists = forge.pulls.some(
      (each) => each.state === 'open' && each.fork !== true && each.branch === branch && each.into === into,
    )
    if (exists) {
      const message = `A pull request already exists for ${branch}.`
      return answer(response, kind === 'github' ? 422 : 409, { message })
    }
    const title = text('title')
    const kept: Kept = {
      number: forge.pulls.length + 1,
      branch,
      into,
      title,
      body: text(gitlab ? 'description' : 'body'),
      draft: kind === 'github' ? body['draft'] === true : /^(?:Draft|WIP): /.test(title),
      state: 'open',
    }
    forge.pulls.push(kept)
    answer(response, 201, shown[kind](kept, origin))
  }

  /** Git's own server, for whoever knows the token. */
  async function serveGit(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, encoded = ''] = /^Basic (.+)$/.exec(request.headers.authorization ?? '') ?? []
    const password = Buffer.from(encoded, 'base64').toString().split(':').slice(1).join(':')
    if (password !== forgeToken || folder === null) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end('who are you?')
      return
    }
    const url = new URL(request.url ?? '', origin)
    const child = spawn('git', ['-c', 'safe.directory=*', '-c', 'http.receivepack=true', 'http-backend'], {
      env: {
        PATH: process.env['PATH'],
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_PROJECT_ROOT: folder,
        GIT_HTTP_EXPORT_ALL: '1',
        PATH_INFO: url.pathname.replace(/^\/git/, ''),
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: request.method,
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
        GIT_PROTOCOL: request.headers['git-protocol']?.toString() ?? '',
        REMOTE_USER: 'ada',
        REMOTE_ADDR: '127.0.0.1',
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    request.pipe(child.stdin)
    child.stdin.on('error', () => undefined)
    const out = await bytesOf(child.stdout)
    const end = out.indexOf('\r\n\r\n')
    const heads = out
      .subarray(0, end)
      .toString()
      .split('\r\n')
      .map((line) => line.split(': ', 2) as [string, string])
    const status = heads.find(([name]) => name.toLowerCase() === 'status')?.[1]
    response.writeHead(
      status === undefined ? 200 : Number.parseInt(status, 10),
      Object.fromEntries(heads.filter(([name]) => name.toLowerCase() !== 'status')),
    )
    response.end(out.subarray(end + 4))
  }

  return forge
}

export function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function bytesOf(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  return (await bytesOf(stream)).toString()
}
