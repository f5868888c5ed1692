import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import pino from 'pino'
import { readBoxName } from '../src/domain/box-name.ts'
import { Failure, messageOf, systemCodeOf } from '../src/domain/failure.ts'
import { type LogCap, logDestination } from './log-file.ts'

export type Log = pino.Logger

/** Keys whose values never reach a log, at the top and one and two levels down. */
const secretKeys = [
  'token',
  'password',
  'secret',
  'apiKey',
  'api_key',
  'authorization',
  'cookie',
  'nonce',
  'key',
]
const redactedPaths: readonly string[] = [
  ...secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]),
  'headers',
  '*.headers',
  // A box's environment is for the box alone.
  'spec.env',
  'env',
  '*.env',
]

/** The log, as seen from the data folder: sentences send people there. */
export const logFile = 'logs/cofferdam.log'

/** What an engine logs: of a box it has only the name, which says whose it is. */
export function engineLog(log: Log): (message: string, fields: Readonly<Record<string, unknown>>) => void {
  return (message, fields) => {
    const { box } = fields
    log.info({ ...(typeof box === 'string' && readBoxName(box)), ...fields }, message)
  }
}

/**
 * JSON lines to `<data>/logs/cofferdam.log`, within the cap, and, from `stderrLevel` on, to stderr. `silent` is
 * no log there. Every line about a task carries task, step and attempt. Throws `Failure('data_folder')`.
 */
export function openLog(data: string, level: string, stderrLevel: string, cap: LogCap): Log {
  const path = join(data, logFile)
  const file = openFile(path, cap)
  const stderr = pino.destination({ fd: 2, sync: true })
  const streams = [...leveled(level, file), ...leveled(stderrLevel, stderr)]
  const redact = { paths: [...redactedPaths], censor: '[redacted]' }
  return pino({ level: 'trace', base: null, redact }, pino.multistream(streams))
}

function openFile(path: string, cap: LogCap): pino.DestinationStream {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    return logDestination(path, cap)
  } catch (error) {
    if (systemCodeOf(error) === '') throw error
    // Its folder may be a link to a disk that is not mounted.
    throw new Failure(
      'data_folder',
      `The log ${path} cannot be written (${messageOf(error)}): mend that, or name another data folder with --data.`,
      { cause: error },
    )
  }
}

const levels: readonly pino.Level[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal']

/** Nothing for `silent`. */
function leveled(level: string, stream: pino.DestinationStream): pino.StreamEntry[] {
  return levels.filter((known) => known === level).map((known) => ({ level: known, stream }))
}
