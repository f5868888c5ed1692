import type { Finding, KnownAgent } from '../../domain/control-plane.ts'
import type { Day } from '../../domain/day.ts'
import { get, query } from '../api.ts'
import { useLoaded } from '../hooks.ts'
import { Title, Waiting } from '../parts.tsx'
import { moneyOf, numberOf, spanOf } from '../words.ts'
import { Chart } from './chart.tsx'
import { Outbox } from './outbox.tsx'

const troubles: readonly Finding['state'][] = ['problem', 'warning', 'ok']

/** What somebody has to see to comes first. */
const byTrouble = (a: Finding, b: Finding): number => troubles.indexOf(a.state) - troubles.indexOf(b.state)

/** How the installation is, and what it has used. */
export function Health() {
  const findings = useLoaded(
    async () => (await get<{ findings: readonly Finding[] }>('/v1/doctor')).findings,
    [],
  )
  const agents = useLoaded(
    async () => (await get<{ agents: readonly KnownAgent[] }>('/v1/agents')).agents,
    [],
  )
  const days = useLoaded(
    async () =>
      (
        await get<{ days: readonly Day[] }>(
          `/v1/days${query({ days: 30, offset: -new Date().getTimezoneOffset() })}`,
        )
      ).days,
    [],
  )
  return (
    <>
      <Title>Health</Title>
      <section aria-labelledby="findings">
        <h2 id="findings">Installation</h2>
        <Waiting of={findings}>
          {(found) => (
            <dl class="findings">
              {found.toSorted(byTrouble).map(({ name, state, text }) => (
                <div key={name} class={state}>
                  <dt>
                    {name} <span class={`mark ${state}`}>{state}</span>
                  </dt>
                  <dd>{text}</dd>
                </div>
              ))}
            </dl>
          )}
        </Waiting>
        <button type="button" onClick={findings.reload}>
          Look again
        </button>
      </section>
      <section aria-labelledby="agents">
        <h2 id="agents">Agents</h2>
        <Waiting of={agents}>
          {(known) => (
            <p>{known.map(({ name, usual }) => (usual ? `${name} (the usual one)` : name)).join(', ')}</p>
          )}
        </Waiting>
      </section>
      <Outbox />
      <section aria-labelledby="used">
        <h2 id="used">Used, by the day on which tasks were made</h2>
        <Waiting of={days}>
          {(each) => (
            <div class="charts">
              <Chart title="Tasks" days={each} of={({ tasks }) => tasks} show={numberOf} />
              <Chart title="Steps" days={each} of={({ steps }) => steps} show={numberOf} />
              <Chart title="Time in boxes" days={each} of={({ ms }) => ms} show={spanOf} />
              <Chart title="Cost" days={each} of={({ costUsd }) => costUsd} show={moneyOf} />
            </div>
          )}
        </Waiting>
      </section>
    </>
  )
}
