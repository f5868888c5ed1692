import { execFileSync, spawn } from 'node:child_process'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

/** What a remote does with whoever asks. `stalls`: it sends the first half of the objects, and then nothing. */
export type Manner = 'serves' | 'hangs' | 'breaks' | 'stalls' | { readonly redirects: string }

/** Git's own smart HTTP on loopback, as a forge offers it: for repositories in a folder, with a password. */
export interface GitServer extends AsyncDisposable {
  /** Of a repository in the folder. */
  url(name: string): string
  manner: Manner
  /** What was sent to say who asks, in order; empty where nothing was. */
  readonly said: readonly string[]
  /** The paths that were asked for, in order. */
  readonly asked: readonly string[]
}

/** @param login `user:password`; null lets anybody in */
export async function openGitServer(folder: string, login: string | null): Promise<GitServer> {
  const backend = join(execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim(), 'git-http-backend')
  const said: string[] = []
  const asked: string[] = []
  const state: { manner: Manner } = { manner: 'serves' }
  const server = createServer((request, response) => {
    const { authorization = '' } = request.headers
    said.push(authorization)
    asked.push(request.url ?? '')
    if (state.manner === 'hangs') return
    if (state.manner === 'breaks') return void request.socket.destroy()
    if (typeof state.manner === 'object')
      return void response.writeHead(302, { location: state.manner.redirects + (request.url ?? '') }).end()
    if (login !== null && authorization !== `Basic ${Buffer.from(login).toString('base64')}`) {
      const realm = { 'www-authenticate': 'Basic realm="git"' }
      // Some say again what they were told.
      return void response.writeHead(401, realm).end(`not you: ${authorization}`)
    }
    answer(backend, folder, request, response, state.manner === 'stalls')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: (name) => `http://127.0.0.1:${port}/${name}`,
    get manner() {
      return state.manner
    },
    set manner(manner) {
      state.manner = manner
    },
    said,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** One request by CGI. */
function answer(
  backend: string,
  folder: string,
  request: IncomingMessage,
  response: ServerResponse,
  stalls: boolean,
): void {
  const { pathname, search } = new URL(request.url ?? '/', 'http://127.0.0.1')
  const { headers, method = 'GET' } = request
  const child = spawn(backend, {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      PATH: process.env['PATH'],
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROTOCOL: String(headers['git-protocol'] ?? ''),
      HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
      PATH_INFO: decodeURIComponent(pathname),
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: method,
      CONTENT_TYPE: headers['content-type'] ?? '',
    },
  })
  child.stdin.on('error', () => undefined)
  request.pipe(child.stdin)
  const out: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.on('close', () => {
    const all = Buffer.concat(out)
    const end = all.indexOf('\r\n\r\n')
    const lines = all.toString('latin1', 0, Math.max(0, end)).split('\r\n')
    const fields = lines.map((line) => line.split(': ') as [string, string])
    const status = Number(fields.find(([name]) => name === 'Status')?.[1].slice(0, 3) ?? 200)
    response.writeHead(status, Object.fromEntries(fields.filter(([name]) => name !== 'Status')))
    const body = all.subarray(end + 4)
    if (stalls && body.length > 1024 * 1024) response.write(body.subarray(0, body.length / 2))
    else response.end(body)
  })
}
