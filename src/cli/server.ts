import type { ServerPlace } from '../client/server.ts'
import { Failure } from '../domain/failure.ts'

/** What says where a command goes. */
interface Named {
  readonly server?: string
  readonly data?: string | undefined
}

/**
 * The server that a command is for; null where it is for a data folder. The token comes from the environment alone: what
 * stands in a command line, every user of the machine can read.
 */
export function serverOf(
  { server, data }: Named,
  env: Readonly<Record<string, string | undefined>>,
): ServerPlace | null {
  if (server !== undefined && data !== undefined)
    throw new Failure('bad_request', '--server and --data lead to different places: give one of them.')
  const named = server ?? (data === undefined ? env['COFFERDAM_SERVER'] || undefined : undefined)
  if (named === undefined) return null
  const origin = originOf(named)
  const token = env['COFFERDAM_TOKEN']?.trim() ?? ''
  if (token === '')
    throw new Failure(
      'bad_request',
      `The server ${origin} wants a token: set COFFERDAM_TOKEN to one that \`cofferdam token create\` has made there.`,
    )
  if (/^[\x21-\x7e]+$/.test(token)) return { origin, token }
  throw new Failure('bad_request', 'What is in COFFERDAM_TOKEN is no token: it looks like cfd_…_….')
}

function originOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  const plain = url !== null && ['http:', 'https:'].includes(url.protocol) && url.username === ''
  if (url === null || !plain || url.pathname !== '/' || url.search !== '')
    throw new Failure(
      'bad_request',
      `${JSON.stringify(text)} is no address of a server: give one such as https://cofferdam.example.com or http://127.0.0.1:7878.`,
    )
  if (url.protocol === 'https:' || /^(localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname)) return url.origin
  throw new Failure(
    'bad_request',
    `${url.origin} would be sent your token unencrypted: use https://, or a tunnel to 127.0.0.1.`,
  )
}
