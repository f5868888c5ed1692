import { z } from 'zod'
import { secretPlaceSchema } from './secrets.ts'

const path = z.string('A path is text.').min(1, 'A path is empty: name one or remove the key.')

/** What a repository by URL has beside what every repository may have. */
export const remoteFields = {
  url: z.string('The URL of a repository is text.').optional(),
  /** Over HTTPS. */
  login: z
    .strictObject({
      /** The forges take any with a token as the password. */
      user: z
        .string()
        .regex(/^[^\s:\p{Cc}]+$/u, 'The user of a login is a name without spaces and ":".')
        .default('git'),
      password: secretPlaceSchema,
    })
    .optional(),
  ssh: z.strictObject({ key: path, knownHosts: path }).optional(),
  fetch: z
    .strictObject({
      /** While the remote does not answer. */
      away: z.enum(['wait', 'continue'], '"away" is one of wait, continue.').default('wait'),
      seconds: z
        .int('"seconds" is a whole number.')
        .min(1, '"seconds" is at least 1.')
        .max(3600, '"seconds" is at most 3600.')
        .default(60),
      /** For the first time. */
      cloneMinutes: z
        .int('"cloneMinutes" is a whole number.')
        .min(1, '"cloneMinutes" is at least 1.')
        .max(1440, '"cloneMinutes" is at most 1440.')
        .default(60),
      mostMb: z
        .int('"mostMb" is a whole number of MiB.')
        .min(1, '"mostMb" is at least 1.')
        .default(10 * 1024),
    })
    .optional(),
} as const
