import type { Secret } from '../secret.ts'
import type { NewsType } from './news.ts'

/**
 * Where a webhook may lead: to public addresses only, to private ones too, or to this machine alone, and then without TLS
 * where the address says so.
 */
export const webhookNetworks = ['public', 'private', 'loopback'] as const
export type WebhookNetwork = (typeof webhookNetworks)[number]

/** A webhook as it is configured. */
export interface WebhookSettings {
  readonly name: string
  readonly url: string
  readonly network: WebhookNetwork
  readonly events: readonly NewsType[]
  /** What it is signed with: `whsec_` and base64 of 24 to 64 bytes. None where its variable is not set. */
  readonly secrets: readonly Secret[]
  /** Where the secret is looked for, for people. */
  readonly secretFrom: string
}
