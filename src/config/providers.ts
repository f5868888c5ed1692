import { Failure } from '../domain/failure.ts'
import type { Secret } from '../domain/secret.ts'
import type { PriceList, UpstreamSettings } from '../domain/upstream.ts'
import type { Environment } from './environment.ts'
import { shippedPrices } from './list-prices.ts'
import type { ConfigFile } from './schema.ts'
import { placeText, readSecret, type SecretPlace } from './secrets.ts'

/** The providers that there is an adapter for, and the variable that their own programs take a key from. */
const providers: Readonly<Record<string, SecretPlace>> = {
  anthropic: { env: 'ANTHROPIC_API_KEY' },
  openai: { env: 'OPENAI_API_KEY' },
  gemini: { env: 'GEMINI_API_KEY' },
}
/** A model server of the operator's own: there only where the configuration says where it is. */
const ownServer = 'openai-compatible'
const ownServerKey: SecretPlace = { env: 'OPENAI_COMPATIBLE_API_KEY' }

export function upstreamsOf(
  file: ConfigFile,
  path: string,
  around: Environment,
): Readonly<Record<string, UpstreamSettings>> {
  const unusable = (why: string): Failure =>
    new Failure('bad_config', `The configuration ${path} cannot be used. ${why}`)
  const names = [...Object.keys(providers), ownServer]
  const unknown = Object.keys(file.upstreams).filter((name) => !names.includes(name))
  if (unknown.length > 0)
    throw unusable(`There is no upstream ${unknown.join(', ')}: choose of ${names.join(', ')}.`)
  const entries = Object.entries(providers).map(([name, usual]): [string, UpstreamSettings] => {
    const { key = usual, origin } = file.upstreams[name] ?? {}
    return [
      name,
      { origin: origin ?? null, key: readSecret(`${name} key`, key, path, around), keyFrom: placeText(key) },
    ]
  })
  const own = file.upstreams[ownServer]
  if (own === undefined) return Object.fromEntries(entries)
  const { key = ownServerKey, origin, plainHttp: isPlainAllowed } = own
  if (origin === undefined)
    throw unusable(`The upstream ${ownServer} is nowhere: name its address as upstreams.${ownServer}.origin.`)
  if (!isPlainAllowed && isReadOnTheWay(origin))
    throw unusable(
      `What is sent to ${origin} could be read on the way: use https, or set upstreams.${ownServer}.plainHttp to true.`,
    )
  const settings: UpstreamSettings = {
    origin,
    key: readSecret(`${ownServer} key`, key, path, around),
    keyFrom: placeText(key),
  }
  return { ...Object.fromEntries(entries), [ownServer]: settings }
}

/** Plain HTTP that leaves this machine. */
function isReadOnTheWay(origin: string): boolean {
  const { protocol, hostname } = new URL(origin)
  return protocol === 'http:' && !/^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
}

/** All that is looked for in what boxes send and print. */
export function secretsOf(
  file: ConfigFile,
  upstreams: Readonly<Record<string, UpstreamSettings>>,
  path: string,
  around: Environment,
): readonly Secret[] {
  const others = Object.entries(file.secrets).map(([name, at]) => readSecret(name, at, path, around))
  return [...Object.values(upstreams).map(({ key }) => key), ...others].filter((secret) => secret !== null)
}

/** What is kept in a provider's cache costs more than what is only read: Anthropic takes 1.25 times the input's price. */
const cacheWriteFactor = 1.25

export function pricesOf(prices: ConfigFile['prices']): PriceList {
  // A table of the operator's own stands alone: of two, the longer name would win over what was meant.
  if (prices === undefined) return shippedPrices
  const models = Object.entries(prices.models).map(([name, price]) => {
    const { input, cacheRead = input, cacheWrite = input * cacheWriteFactor, maxOutput } = price
    const most = maxOutput === undefined ? {} : { maxOutput }
    return [name, { input, output: price.output, cacheRead, cacheWrite, ...most }] as const
  })
  return { asOf: prices.asOf, isShipped: false, models: Object.fromEntries(models) }
}
