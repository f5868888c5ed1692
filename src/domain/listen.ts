/** Where the API is offered over TCP, and how. */
export interface HttpSettings {
  /** An IP address. */
  readonly address: string
  /** 0 is any that is free. */
  readonly port: number
  /** Names under which it is asked for, besides localhost and addresses. */
  readonly hosts: readonly string[]
  /** Files, in PEM; null is plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | null
  /** A proxy in front of it does TLS, and says in X-Forwarded-For who calls. */
  readonly proxyTls: boolean
  readonly perMinute: RateLimits
}

/** How often one may ask in a minute. */
export interface RateLimits {
  /** One token, for what changes nothing. */
  readonly reads: number
  /** One token, for what is to change something. */
  readonly calls: number
  /** One address, without a good token. */
  readonly failures: number
}

/** More than one machine is measured to answer, so that only what runs wild is held up. */
export const usualRates: RateLimits = { reads: 300_000, calls: 30_000, failures: 20 }

const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.')

/** Why it must not be offered there; null where it may. `tokens`: how many are good. */
export function listenRefusal(settings: HttpSettings, tokens: number): string | null {
  const { address, tls, proxyTls } = settings
  if (isLoopback(address)) return null
  const where = `http.listen is ${address}, which others can reach`
  if (tokens === 0)
    return `${where}, and there is no token: make one with \`cofferdam token create\` first, or listen on 127.0.0.1.`
  if (tls !== null || proxyTls) return null
  return (
    `${where}, and tokens would go over the network unencrypted: name http.tls.cert and http.tls.key, ` +
    'say "proxyTls: true" where a proxy does TLS, or listen on 127.0.0.1.'
  )
}
