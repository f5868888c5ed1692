import { useState } from 'preact/hooks'
import type { TaskEvent } from '../../domain/task.ts'
import { useNow } from '../hooks.ts'
import { Moment } from '../parts.tsx'
import { toldEvent } from '../../domain/retold.ts'
import { respelled } from '../respelled.ts'
import { capital, nameOf, stepName } from '../words.ts'
import { type Folded, folded } from './fold.ts'

/** So many are shown without being asked for. */
const usual = 100

/** What happened, newest first; what happened in steps that are over is folded. */
export function Timeline({ events }: { readonly events: readonly TaskEvent[] }) {
  const now = useNow()
  const [most, setMost] = useState(usual)
  const shown = folded(events.slice(-most)).toReversed()
  return (
    <>
      <ol class="timeline">
        {shown.map((entry) =>
          'events' in entry ? (
            <Step key={`step ${entry.step} ${entry.events[0]?.seq}`} of={entry} now={now} />
          ) : (
            <Entry key={entry.seq} event={entry} now={now} />
          ),
        )}
      </ol>
      {events.length > most && (
        <button type="button" onClick={() => setMost(most + 10 * usual)}>
          Show what was earlier ({events.length - most})
        </button>
      )}
    </>
  )
}

/** A step that is over: what it came to, and all that happened in it. */
function Step({ of: { step, events }, now }: { readonly of: Folded; readonly now: number }) {
  return (
    <li class="folded" value={events.at(-1)?.seq}>
      <details>
        <summary>
          {capital(stepName(step))}: {events.at(-1)?.text} <span class="faint">({events.length} events)</span>
        </summary>
        <ol class="timeline">
          {events.toReversed().map((event) => (
            <Entry key={event.seq} event={event} now={now} />
          ))}
        </ol>
      </details>
    </li>
  )
}

function Entry({ event, now }: { readonly event: TaskEvent; readonly now: number }) {
  const { seq, at, step, from, to, actor, data } = event
  const risks = reasonsIn(data['risks'])
  return (
    <li value={seq}>
      <p class="facts">
        <Moment at={at} now={now} />
        {step > 0 && <span>step {step}</span>}
        {from !== to && <span>{to.toLowerCase()}</span>}
        {actor.kind !== 'system' && <span>{nameOf(actor)}</span>}
      </p>
      <p class="words">{toldEvent(event, respelled)}</p>
      {risks.length > 0 && (
        <ul>
          {risks.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
    </li>
  )
}

/** The reasons that an event names, if it does. */
function reasonsIn(risks: unknown): readonly string[] {
  if (!Array.isArray(risks)) return []
  return risks.flatMap((risk: unknown) =>
    typeof risk === 'object' && risk !== null && 'text' in risk && typeof risk.text === 'string'
      ? [risk.text]
      : [],
  )
}
