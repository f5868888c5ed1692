import { gatewayAddress, gatewayPort } from '../domain/egress.ts'
import { canonicalHost, type Target } from '../domain/host.ts'

/** What a request line asks for. */
export type Request =
  | { readonly kind: 'tunnel'; readonly target: Target }
  /** `path` begins with `/` and has the query. */
  | { readonly kind: 'forward'; readonly target: Target; readonly path: string }
  /** A named route; `path` begins with `/` and has no query; `query` is empty or begins with `?`. */
  | { readonly kind: 'upstream'; readonly name: string; readonly path: string; readonly query: string }
  /** `asked` is the host as it was written, as far as one can be made out. */
  | { readonly kind: 'unreadable'; readonly asked: string; readonly why: string }

/** Where the gateway is in every box: programs that send everything to their proxy name it so. */
const ownAuthorities = new Set([gatewayAddress, `localhost:${gatewayPort}`])

export function readConnect(authority: string): Request {
  const target = readAuthority(authority, null)
  if (target === null) return unreadable(authority, 'is no host and port')
  return { kind: 'tunnel', target }
}

export function readRequest(url: string): Request {
  if (url.startsWith('/')) return readRoute(url)
  const match = /^(https?):\/\/([^/?#]*)([^#]*)$/is.exec(url)
  const [, scheme, authority, rest] = match ?? []
  if (scheme === undefined || authority === undefined || rest === undefined)
    return unreadable(url, 'is neither a path of the gateway nor an http address')
  if (scheme.toLowerCase() !== 'http') return unreadable(authority, 'is asked for by https: use CONNECT')
  const path = rest.startsWith('/') ? rest : `/${rest}`
  if (ownAuthorities.has(authority.toLowerCase())) return readRoute(path)
  const target = readAuthority(authority, 80)
  if (target === null) return unreadable(authority, 'is no host, or not in its plain spelling')
  return { kind: 'forward', target, path }
}

/** The host and port of an authority or a Host header; null where it is none. */
export function readAuthority(text: string, defaultPort: number | null): Target | null {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/s.exec(text)
  const host = canonicalHost(match?.[1] ?? '')
  const port = match?.[2] === undefined ? defaultPort : Number(match[2])
  return host === null || port === null || port < 1 || port > 65_535 ? null : { host, port }
}

function readRoute(url: string): Request {
  const match = /^\/([a-z0-9-]{1,40})(\/[^?#]*)?(\?[^#]*)?$/.exec(url)
  if (match?.[1] === undefined) return unreadable(url, 'is no path of the gateway')
  return { kind: 'upstream', name: match[1], path: match[2] ?? '/', query: match[3] ?? '' }
}

function unreadable(asked: string, why: string): Request {
  return { kind: 'unreadable', asked, why }
}
