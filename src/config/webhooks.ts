import { Failure } from '../domain/failure.ts'
import { nameBarrier } from '../domain/host-reach.ts'
import { usualNews } from '../domain/outbox/news.ts'
import type { WebhookSettings } from '../domain/outbox/webhook.ts'
import type { Secret } from '../domain/secret.ts'
import type { Environment } from './environment.ts'
import type { ConfigFile } from './schema.ts'
import { placeText, readSecret, type SecretPlace } from './secrets.ts'

type Written = ConfigFile['webhooks'][string]

/** The webhooks, each checked for what can be known without a network. */
export function webhooksOf(file: ConfigFile, path: string, around: Environment): readonly WebhookSettings[] {
  return Object.entries(file.webhooks).map(([name, written]): WebhookSettings => {
    const { url, network, events = usualNews, secret, previous } = written
    const problem = urlProblem(written)
    if (problem !== null) throw bad(path, name, problem)
    const places = [secret, ...(previous === undefined ? [] : [previous])]
    const secrets = places.flatMap((at, index) => {
      const found = secretOf(`webhook ${name}${index === 0 ? '' : ' (previous)'}`, at, path, around)
      return found === null ? [] : [found]
    })
    return { name, url, network, events, secrets, secretFrom: placeText(secret) }
  })
}

function urlProblem({ url, network }: Written): string | null {
  const { protocol, username, password, hostname, hash } = new URL(url)
  if (username !== '' || password !== '') return 'Its address must not hold a user or a password.'
  if (hash !== '') return 'Its address must not hold a "#".'
  if (protocol !== 'https:' && network !== 'loopback')
    return 'Its address has to begin with https://, unless "network: loopback" says that it is of this machine.'
  const barrier = network === 'loopback' ? null : nameBarrier(hostname.replace(/\.$/, ''))
  if (barrier !== null)
    return `Its address is ${hostname}, which ${barrier.what}: name another, or say "network: loopback" where it is this machine.`
  return null
}

/** As Standard Webhooks have it: 24 to 64 bytes, in base64 behind `whsec_`. */
function secretOf(name: string, at: SecretPlace, path: string, around: Environment): Secret | null {
  const secret = readSecret(name, at, path, around)
  if (secret === null) return null
  const [, text = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret.reveal()) ?? []
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length >= 24 && bytes.length <= 64 && bytes.toString('base64') === text) return secret
  throw bad(
    path,
    name.replace(/^webhook /, ''),
    `Its secret in ${placeText(at)} has to be whsec_ and the base64 of 24 to 64 random bytes, as ` +
      '`echo "whsec_$(openssl rand -base64 32)"` makes it.',
  )
}

function bad(path: string, name: string, problem: string): Failure {
  return new Failure(
    'bad_config',
    `The configuration ${path} cannot be used. The webhook ${name}: ${problem}`,
  )
}
