import { Failure, messageOf, systemCodeOf } from '../../domain/failure.ts'

/** The HTTP status with which the engine refused, or null where it did not answer at all. */
export function statusOf(error: unknown): number | null {
  const cause: unknown = error instanceof Failure ? error.cause : error
  const status = cause instanceof Error && 'statusCode' in cause ? cause.statusCode : null
  return typeof status === 'number' ? status : null
}

/**
 * What a failed call is to people. `what` completes "The Docker engine would not"; `late`: its time was over.
 */
export function failureOf(error: unknown, what: string, where: string, late: boolean): Failure {
  if (error instanceof Failure) return error
  const options = { cause: error }
  const status = statusOf(error)
  if (status !== null) {
    const said = messageOf(error).replace(/^\(HTTP code \d+\)[^-]*- /, '')
    if (status === 404 && /no such image/i.test(said))
      return new Failure(
        'image',
        'The sandbox image is gone from the engine: run `cofferdam image build`.',
        options,
      )
    if (/no space left/i.test(said))
      return new Failure('disk', `The engine's disk is full: make room, then try again. (${said})`, options)
    return new Failure('engine', `The Docker engine would not ${what}: ${said}`, options)
  }
  const code = systemCodeOf(error)
  if (code === 'EACCES' || code === 'EPERM')
    return new Failure(
      'engine',
      `You may not use the Docker engine at ${where}: join its group (\`sudo usermod -aG docker $USER\`), log in again.`,
      options,
    )
  const how = late ? 'does not answer in time' : 'does not answer'
  return new Failure(
    'engine',
    `The Docker engine ${how} at ${where}: start it with \`systemctl start docker\` or \`dockerd\`, then try again.`,
    options,
  )
}
