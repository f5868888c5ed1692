import { isIP } from 'node:net'

/** The name in a Host header, without its port; '' where there is none. */
function nameIn(host: string): string {
  const [, name = ''] = /^(\[[0-9a-fA-F:.]+\]|[^:]*)(?::\d{1,5})?$/.exec(host) ?? []
  return name.replaceAll(/^\[|\]$/g, '').toLowerCase()
}

/**
 * Why a request is for another host; null where it is for this one. A page whose name has been made to lead here sends that
 * name, so only known ones are taken; an address is no name, and cannot be made to lead elsewhere.
 */
export function hostRefusal(host: string, hosts: readonly string[]): string | null {
  const name = nameIn(host)
  if (isIP(name) !== 0 || name === 'localhost') return null
  if (hosts.some((known) => known.toLowerCase() === name)) return null
  return `This is no server for the host ${JSON.stringify(host)}: name it under http.hosts in cofferdam.yaml, or ask by another.`
}

/** What of a request says that a web page sent it. */
export interface Sender {
  readonly host: string
  /**
   * Whether browsers come over TLS. Where nobody has said so, a proxy or tunnel may do it all the same: then a page may come
   * by either scheme.
   */
  readonly isSecure: boolean
  readonly origin: string | null
  readonly site: string | null
  /** How it is asked for, and what it is for. */
  readonly mode: string | null
  readonly dest: string | null
}

/** Why a request comes from a web page of somebody else; null where it does not. */
export function senderRefusal({ host, isSecure, origin, site }: Sender): string | null {
  const schemes = isSecure ? ['https'] : ['https', 'http']
  const own =
    origin === null || schemes.some((scheme) => origin.toLowerCase() === `${scheme}://${host.toLowerCase()}`)
  if (own && (site === null || site === 'same-origin' || site === 'none')) return null
  return 'Requests that web pages of other origins make are not taken: call the API from a program.'
}

/**
 * Why a change is not taken that comes with nothing but a cookie; null where a page of this server sent it, as browsers say
 * in one header or the other.
 */
export function pageRefusal(sender: Sender): string | null {
  const told = sender.origin !== null || sender.site === 'same-origin'
  return told
    ? senderRefusal(sender)
    : 'What changes something needs a token, or has to come from a page of this server.'
}

/**
 * Why somebody is not shown a page; null where they are. A link elsewhere may lead here: what it leads to holds nothing
 * yet, and asks for the rest by itself.
 */
export function visitRefusal(sender: Sender): string | null {
  return sender.mode === 'navigate' && sender.dest === 'document' ? null : senderRefusal(sender)
}
