import { z } from 'zod'
import type { PullSettings } from '../domain/delivery/pull.ts'
import { Failure } from '../domain/failure.ts'
import { KnownSecrets } from '../domain/leak.ts'

/** Of what a forge says, characters. */
const most = 300

/**
 * What an answer that is no success means for people. A forge that says "not found" may mean "not for you".
 * @param said the body, as the forge sent it
 */
export function refusalOf(
  settings: Pick<PullSettings, 'project' | 'address' | 'token' | 'tokenFrom'>,
  status: number,
  said: string,
): Failure {
  const { project, address, tokenFrom } = settings
  const host = new URL(address).host
  const words = wordsOf(withoutToken(settings, said))
  const quote = words === '' ? '' : ` It says: ${JSON.stringify(words)}.`
  if (status === 429 || status >= 500 || (status === 403 && /rate limit/i.test(words)))
    return new Failure('busy', `${host} does not answer as it should (${status}).${quote} Try again later.`)
  if (status >= 300 && status < 400)
    return new Failure(
      'repository',
      `${host} sends whoever asks for ${project} to another address (${status}): name the project, or the forge, as it is called now.`,
    )
  if (status === 401)
    return new Failure('repository', `${host} does not take the token: put another one in ${tokenFrom}.`)
  if (status === 403)
    return new Failure(
      'repository',
      `${host} does not let the token in ${tokenFrom} do that in ${project}.${quote} Give it that right, then try again.`,
    )
  if (status === 404)
    return new Failure(
      'repository',
      `${host} has no ${project}, or the token in ${tokenFrom} may not see it: name another project, or give it that right.`,
    )
  if (status === 422 && /\bdraft pull requests\b/i.test(words))
    return new Failure(
      'repository',
      `${host} takes no drafts in ${project}.${quote} Propose it without: with \`--ready\`, or always with \`draft: false\` in the "delivery" of that repository in the configuration.`,
    )
  return new Failure(
    'repository',
    `${host} refuses that in ${project} (${status}).${quote} Mend that, then try again.`,
  )
}

/** A forge may say again what it was told, and what it says is logged. */
function withoutToken({ token }: Pick<PullSettings, 'token'>, said: string): string {
  if (token === null) return said
  return new KnownSecrets([{ name: token.name, value: token.reveal() }]).redact(said)
}

/** An answer that is not what its documentation says. */
export function strange({ address }: Pick<PullSettings, 'address'>): Failure {
  return new Failure(
    'repository',
    `${new URL(address).host} answers in a way that is not known: is this the address of its API?`,
  )
}

const bodySchema = z.object({
  message: z.unknown().optional(),
  error: z.unknown().optional(),
  errors: z.array(z.object({ message: z.string().optional() })).optional(),
})

/** The words of a refusal, in the shapes of the three forges, as one line. */
function wordsOf(said: string): string {
  let text = said
  try {
    const parsed = bodySchema.safeParse(JSON.parse(said))
    if (parsed.success) {
      const { message, error, errors = [] } = parsed.data
      text = [message ?? error, ...errors.map((each) => each.message)]
        .filter((part) => part !== undefined)
        .map((part) => (typeof part === 'string' ? part : JSON.stringify(part)))
        .join(' ')
    }
  } catch {
    // No JSON: a page of a proxy.
    text = said.replaceAll(/<[^>]*>/g, ' ')
  }
  const plain = text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()
  return plain.length <= most ? plain : `${plain.slice(0, most - 1)}…`
}

/** Null where it is none. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** For people to follow; what is no plain address of the web is not shown. */
export const webAddress = z
  .string()
  .nullish()
  .transform((text) =>
    text != null && text.length <= 500 && /^https?:\/\/[^\s\p{Cc}\p{Cf}<>"'`]+$/u.test(text) ? text : null,
  )
