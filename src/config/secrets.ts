import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import { Failure, messageOf } from '../domain/failure.ts'
import { Secret } from '../domain/secret.ts'
import type { Environment } from './environment.ts'
import { expand } from './places.ts'

const place = 'A secret is looked for in a variable or a file: { env: NAME } or { file: PATH }.'

/** Where a secret is; it never stands in the configuration itself. */
export const secretPlaceSchema = z.union(
  [
    z.strictObject({ env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, place) }),
    z.strictObject({ file: z.string().min(1, place) }),
  ],
  place,
)
export type SecretPlace = z.output<typeof secretPlaceSchema>

/** Shorter ones would be found in anything. */
const shortest = 8

export function placeText(at: SecretPlace): string {
  return 'env' in at ? `the environment variable ${at.env}` : `the file ${at.file}`
}

/** The secret, or null where its variable is not set. A file that is named has to be there. */
export function readSecret(
  name: string,
  at: SecretPlace,
  configFile: string,
  around: Environment,
): Secret | null {
  const value = ('env' in at ? (around.env[at.env] ?? '') : fromFile(at.file, configFile, around)).trim()
  if (value === '') return null
  if (value.length >= shortest && !/\p{Cc}/u.test(value)) return new Secret(name, value)
  throw new Failure(
    'bad_config',
    `The secret ${name} in ${placeText(at)} cannot be used: it needs at least ${shortest} characters, on one line.`,
  )
}

function fromFile(path: string, configFile: string, around: Environment): string {
  const file = expand(path, dirname(configFile), around)
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Failure(
      'bad_config',
      `The secret in ${file} cannot be read (${messageOf(error)}): name another file.`,
    )
  }
}
