import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../src/domain/failure.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { ScheduleDetail } from '../../src/domain/schedule/port.ts'
import type { Schedule } from '../../src/domain/schedule/schedule.ts'
import type { RiskReason, Terms } from '../../src/domain/task.ts'
import { actorOf, draftRun, type RunDeps } from './runs.ts'

type Foreseen = Pick<ScheduleDetail, 'terms' | 'hindrance'>

/** How long whoever asks waits, ms: a repository by URL may have to be fetched, the first time as a whole. */
const usualPatienceMs = 5000

/** What would come of a run now, found as a run finds it. @param id of the task that is not made */
export async function foreseen(
  deps: Pick<RunDeps, 'draft'>,
  schedule: Schedule,
  id: TaskId,
  patienceMs = usualPatienceMs,
): Promise<Foreseen> {
  const tooEarly: Foreseen = {
    terms: null,
    hindrance: `What comes of a run is not known yet, for ${schedule.task.repository} is still being looked at. Look at the schedule again later.`,
  }
  return await Promise.race([lookAhead(deps, schedule, id), sleep(patienceMs, tooEarly, { ref: false })])
}

async function lookAhead(deps: Pick<RunDeps, 'draft'>, schedule: Schedule, id: TaskId): Promise<Foreseen> {
  try {
    const { task } = await draftRun(deps, schedule, { id, actor: actorOf(schedule) })
    return {
      terms: termsOf(task),
      hindrance: task.status === 'DRAFT' ? waitsText(schedule, task.risks) : null,
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return { terms: null, hindrance: `No task of it can be made now: ${error.message}` }
  }
}

/** The rest of it is of no task. */
function termsOf({ kind, repository, base, agent, setup, test, policy, budget }: Terms): Terms {
  return { kind, repository, base, agent, setup, test, policy, budget }
}

/** Nobody may be there when it is due. */
function waitsText({ name, origin, task: { draft } }: Schedule, risks: readonly RiskReason[]): string {
  const why = risks.map(({ text }) => text).join(' ')
  const [anew, advance] =
    origin === 'config'
      ? ['change its task in cofferdam.yaml', 'put autoApprove: true there']
      : [
          `say it anew without that (\`cofferdam schedule update ${name}\`)`,
          'put it into cofferdam.yaml with autoApprove: true',
        ]
  // Who asks for a draft is not to approve it in advance: the configuration takes one of them alone.
  const next = draft ? anew : `${anew}, or ${advance}`
  return `Each of its tasks waits as a DRAFT until a person approves it: ${why} To have them run by themselves, ${next}.`
}
