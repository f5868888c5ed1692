import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { Ran, ScheduleDetail, ShownSchedule } from '../domain/schedule/port.ts'
import type { Occurrence, Timing } from '../domain/schedule/schedule.ts'
import { get, newKey, post } from './api.ts'
import { useLoaded, useNow, useSending } from './hooks.ts'
import { Link } from './navigation.tsx'
import { Patterns, patternsOf } from './patterns.tsx'
import { Moment, Problem, Title, Waiting } from './parts.tsx'
import { respelled } from './respelled.ts'
import { Approval } from './task/approval.tsx'
import { useMay } from './who.ts'
import { begunText, clockOf, firstLine } from './words.ts'

/** Tasks by the clock. */
export function Schedules() {
  const loaded = useLoaded(
    async () => (await get<{ schedules: readonly ShownSchedule[] }>('/v1/schedules')).schedules,
    [],
  )
  return (
    <>
      <Title>Schedules</Title>
      <Waiting of={loaded}>
        {(schedules) =>
          schedules.length === 0 ? (
            <p class="faint">
              There are none. <code>cofferdam schedule add</code> makes one, and so does the configuration.
            </p>
          ) : (
            <>
              <p class="faint">
                <code>cofferdam schedule add</code> makes them, <code>schedule update</code> changes and{' '}
                <code>schedule remove</code> removes one; those of the configuration are changed in its file.
              </p>
              <ul class="cards">
                {schedules.map((schedule) => (
                  <Schedule key={schedule.name} schedule={schedule} reload={loaded.reload} />
                ))}
              </ul>
            </>
          )
        }
      </Waiting>
    </>
  )
}

const when = (timing: Timing): string =>
  timing.kind === 'cron' ? `${timing.cron} (${timing.timezone})` : `every ${timing.every}`

function Schedule({ schedule, reload }: { readonly schedule: ShownSchedule; readonly reload: () => void }) {
  const now = useNow()
  const { name, enabled, gone, nextAt, last, timing, task, autoApprove } = schedule
  const [mayRun, mayChange] = [useMay('run_schedule'), useMay('change_schedule')]
  const [ran, setRan] = useState<Ran | null>(null)
  const [hindrance, setHindrance] = useState<string | null>(null)
  const sending = useSending()
  const at = `/v1/schedules/${encodeURIComponent(name)}`
  const run = (): void =>
    sending.send(async () => {
      setRan(await post<Ran>(`${at}/run`, {}, { 'idempotency-key': newKey() }))
      reload()
    })
  const enable = (): void =>
    sending.send(async () => {
      const switched = await post<ScheduleDetail>(`${at}/${enabled ? 'disable' : 'enable'}`)
      setHindrance(switched.enabled ? switched.hindrance : null)
      reload()
    })
  return (
    <li class="card">
      <h2>{name}</h2>
      <p class="facts">
        <span>{when(timing)}</span>
        <span>{gone ? 'gone' : enabled ? 'enabled' : 'disabled'}</span>
        {nextAt !== null && (
          <span>
            next <Moment at={nextAt} now={now} />, {clockOf(nextAt, now)}
          </span>
        )}
        {autoApprove && <span>approved in advance</span>}
      </p>
      <p class="words">{firstLine(task.goal)}</p>
      <p class="faint">{task.repository}</p>
      {last !== null && <Run run={last} now={now} />}
      {(mayRun || mayChange) && !gone && (
        <p class="buttons">
          {mayRun && (
            <button type="button" onClick={run} aria-disabled={sending.busy}>
              Run {name} now
            </button>
          )}
          {mayChange && (
            <button type="button" onClick={enable} aria-disabled={sending.busy}>
              {enabled ? `Disable ${name}` : `Enable ${name}`}
            </button>
          )}
        </p>
      )}
      <div role="status">
        {ran !== null && (
          <p>
            {begunText(ran.task.status)}{' '}
            <Link to={{ page: 'task', id: ran.task.id, view: 'overview' }}>task {ran.task.id}</Link>.
          </p>
        )}
        {hindrance !== null && <p class="why">{respelled(hindrance)}</p>}
      </div>
      <Problem text={sending.error} />
      <Opened title={`What ${name} runs`}>
        <Foreseen at={at} revision={schedule.revision} />
      </Opened>
      <Opened title={`Earlier runs of ${name}`}>
        <Earlier at={at} />
      </Opened>
    </li>
  )
}

function Run({
  run: { state, task, text, plannedAt },
  now,
}: {
  readonly run: Occurrence
  readonly now: number
}) {
  return (
    <p class="facts">
      <Moment at={plannedAt} now={now} />
      <span>{state}</span>
      {task !== null && <Link to={{ page: 'task', id: task, view: 'overview' }}>{task}</Link>}
      <span>{text}</span>
    </p>
  )
}

/** What is asked for when somebody opens it. */
function Opened({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  const [open, setOpen] = useState(false)
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{title}</summary>
      {open && children}
    </details>
  )
}

/** With what a run would begin now, and why it would not. */
function Foreseen({ at, revision }: { readonly at: string; readonly revision: number }) {
  const loaded = useLoaded(async () => await get<ScheduleDetail>(at), [at, revision])
  return (
    <Waiting of={loaded}>
      {({ terms, hindrance }) => (
        <>
          {hindrance !== null && <p class="why">{respelled(hindrance)}</p>}
          {terms !== null && (
            <>
              <Approval task={terms} />
              <Patterns of={patternsOf(terms.policy)} />
            </>
          )}
        </>
      )}
    </Waiting>
  )
}

function Earlier({ at }: { readonly at: string }) {
  const now = useNow()
  const loaded = useLoaded(
    async () => (await get<{ occurrences: readonly Occurrence[] }>(`${at}/occurrences?limit=20`)).occurrences,
    [at],
  )
  return (
    <Waiting of={loaded}>
      {(runs) =>
        runs.length === 0 ? (
          <p class="faint">None yet.</p>
        ) : (
          <ul class="plain">
            {runs.map((run) => (
              <li key={run.plannedAt}>
                <Run run={run} now={now} />
              </li>
            ))}
          </ul>
        )
      }
    </Waiting>
  )
}
