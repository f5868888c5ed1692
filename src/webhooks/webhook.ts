import { lookup } from 'node:dns/promises'
import { Webhook } from 'standardwebhooks'
import { messageOf, systemCodeOf } from '../domain/failure.ts'
import type { Destination, Outcome } from '../domain/outbox/destination.ts'
import type { Letter } from '../domain/outbox/letter.ts'
import { newsOf, newsTypeOf } from '../domain/outbox/news.ts'
import type { WebhookSettings } from '../domain/outbox/webhook.ts'
import { isAddress, vet } from '../domain/outside.ts'
import { outcomeOf } from './answer.ts'
import { post } from './post.ts'

export interface WebhookDeps {
  /** Epoch milliseconds. */
  readonly clock: () => number
  /** All addresses of a name. Rejects where there are none. */
  readonly resolve?: (name: string) => Promise<readonly string[]>
}

/** A receiver of HTTP, told as Standard Webhooks has it: signed, at least once, in order. */
export function webhook(settings: WebhookSettings, deps: WebhookDeps): Destination {
  const { resolve = resolveByMachine, clock } = deps
  const url = new URL(settings.url)
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const name = `webhook:${settings.name}`
  const wanted = new Set(settings.events)
  const signers = settings.secrets.map((secret) => new Webhook(secret.reveal()))

  const headersOf = ({ id, body }: Letter): Readonly<Record<string, string>> => {
    const at = new Date(clock())
    return {
      'content-type': 'application/json',
      'user-agent': 'Cofferdam',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': signers.map((signer) => signer.sign(id, at, body)).join(' '),
    }
  }

  return {
    name,

    compose(event, task) {
      const type = newsTypeOf(event)
      return type === null || !wanted.has(type) ? null : newsOf(event, task)
    },

    async deliver(letter, signal) {
      if (signers.length === 0)
        return passing(`The webhook ${settings.name} has no secret: put one in ${settings.secretFrom}.`)
      let found: readonly string[]
      try {
        found = isAddress(host) ? [host] : await resolve(host)
      } catch (error) {
        return passing(`${host} could not be resolved: ${reasonOf(error)}.`)
      }
      const vetted = vet(host, found, settings.network, 'webhook')
      if ('refused' in vetted) return passing(vetted.refused)
      try {
        const { addresses } = vetted
        const answered = await post({ url, addresses, headers: headersOf(letter), body: letter.body }, signal)
        return outcomeOf(answered, clock())
      } catch (error) {
        return passing(`${host} could not be reached: ${reasonOf(error)}.`)
      }
    },
  }
}

const passing = (text: string): Outcome => ({ kind: 'failed', fault: 'passing', text })

/** The code alone where there is one: messages of the system name addresses in many ways, and that of TLS whole subjects. */
function reasonOf(error: unknown): string {
  const code = systemCodeOf(error)
  return code === '' ? messageOf(error) : code
}

async function resolveByMachine(name: string): Promise<readonly string[]> {
  const found = await lookup(name, { all: true, order: 'ipv4first' })
  return found.map(({ address }) => address)
}
