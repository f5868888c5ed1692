import { dirname } from 'node:path'
import { Failure } from '../domain/failure.ts'
import { parseTaskRequest, type TaskRequest } from '../domain/intake.ts'
import { type ConfiguredSchedule, timingOf } from '../domain/schedule/request.ts'
import { timingProblem } from '../domain/schedule/timing.ts'
import type { Environment } from './environment.ts'
import { expand } from './places.ts'
import type { ConfigFile } from './schema.ts'

/** The schedules of the configuration. A pattern without a time zone goes by this machine's. */
export function schedulesOf(
  config: Pick<ConfigFile, 'schedules' | 'repositories'>,
  file: string,
  around: Environment,
): readonly ConfiguredSchedule[] {
  const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone
  const placed = (given: string): string =>
    config.repositories[given]?.url === undefined ? expand(given, dirname(file), around) : given
  return Object.entries(config.schedules).map(([name, { autoApprove, task, ...words }]) => {
    const refuse = (problem: string): never => {
      throw new Failure(
        'bad_config',
        `The configuration ${file} cannot be used. Schedule "${name}": ${problem}`,
      )
    }
    const timing = timingOf(words, 0, zone)
    const problem = timingProblem(timing, Date.now())
    if (problem !== null) refuse(problem)
    const request = requestOf(task, placed, refuse)
    if (request.draft && autoApprove) refuse('It is a draft and has autoApprove: leave one of them out.')
    const { missed, overlap } = words
    return { name, timing, missed, overlap, autoApprove, task: request }
  })
}

function requestOf(
  task: Readonly<Record<string, unknown>>,
  placed: (given: string) => string,
  refuse: (problem: string) => never,
): TaskRequest {
  const { repository } = task
  const place = typeof repository === 'string' && repository !== '' ? placed(repository) : repository
  const parsed = parseTaskRequest({ ...task, repository: place })
  return parsed.ok ? parsed.request : refuse(parsed.problems.join(' '))
}
