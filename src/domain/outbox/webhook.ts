import type { OutsideNetwork } from '../outside.ts'
import type { Secret } from '../secret.ts'
import type { NewsType } from './news.ts'

/** A webhook as it is configured. */
export interface WebhookSettings {
  readonly name: string
  readonly url: string
  readonly network: OutsideNetwork
  readonly events: readonly NewsType[]
  /** What it is signed with: `whsec_` and base64 of 24 to 64 bytes. None where its variable is not set. */
  readonly secrets: readonly Secret[]
  /** Where the secret is looked for, for people. */
  readonly secretFrom: string
}
