import type { ComponentChildren } from 'preact'
import type { EgressRow } from '../../domain/egress.ts'
import type { Task } from '../../domain/task.ts'
import { get, query } from '../api.ts'
import { useLoaded, useNow } from '../hooks.ts'
import { Table, Waiting } from '../parts.tsx'
import { bytesOf, clockOf } from '../words.ts'

/** So many are shown; one more is asked for, which tells whether there are more. */
const most = 500

/** What the boxes of a task asked of the gateway, and what it decided. */
export function Egress({ task }: { readonly task: Task }) {
  const { id, version, policy } = task
  const now = useNow()
  const loaded = useLoaded(
    async () =>
      (await get<{ egress: readonly EgressRow[] }>(`/v1/tasks/${id}/egress${query({ limit: most + 1 })}`))
        .egress,
    [id, version],
  )
  const allowed = [...policy.upstreams, ...policy.egress]
  return (
    <>
      <p>
        The policy allows:{' '}
        {allowed.length === 0 ? 'nothing but what setup and the agent need.' : allowed.join(', ')}
      </p>
      <Waiting of={loaded}>
        {(rows) =>
          rows.length === 0 ? (
            <p class="faint">Nothing was asked for.</p>
          ) : (
            <>
              {rows.length > most && (
                <p>
                  The newest {most}; <code>cofferdam task egress {id}</code> has all of them.
                </p>
              )}
              <Table
                label="Egress decisions"
                head={['When', 'Decision', 'Asked for', 'Moved', 'Rule', 'Why']}
                rows={rows
                  .slice(-most)
                  .toReversed()
                  .map((row) => [`${row.box} ${row.id}`, cellsOf(row, now)] as const)}
              />
            </>
          )
        }
      </Waiting>
    </>
  )
}

function cellsOf(row: EgressRow, now: number): readonly ComponentChildren[] {
  const { at, verdict, kind, method, host, port, path, bytesUp, bytesDown, rule, text } = row
  const what = kind === 'tunnel' ? 'CONNECT' : (method ?? kind)
  return [
    <time dateTime={new Date(at).toISOString()}>{clockOf(at, now)}</time>,
    <span class={verdict === 'allowed' ? 'good' : 'bad'}>{verdict}</span>,
    `${what} ${host}${port === null ? '' : `:${port}`}${path ?? ''}`,
    bytesUp === null && bytesDown === null
      ? '–'
      : `${bytesOf(bytesUp ?? 0)} up, ${bytesOf(bytesDown ?? 0)} down`,
    rule,
    text,
  ]
}
