import type { EgressRow } from '../../domain/egress.ts'
import type { Task } from '../../domain/task.ts'
import { get, query } from '../api.ts'
import { useLoaded } from '../hooks.ts'
import { Table, Waiting } from '../parts.tsx'
import { bytesOf } from '../words.ts'

const most = 500

/** What the boxes of a task asked of the gateway, and what it decided. */
export function Egress({ task }: { readonly task: Task }) {
  const { id, version, policy } = task
  const loaded = useLoaded(
    async () =>
      (await get<{ egress: readonly EgressRow[] }>(`/v1/tasks/${id}/egress${query({ limit: most })}`)).egress,
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
            <Table label="Egress decisions" head={['When', 'Decision', 'Asked for', 'Moved', 'Rule', 'Why']}>
              {rows.toReversed().map((row) => (
                <Row key={`${row.box} ${row.id}`} row={row} />
              ))}
            </Table>
          )
        }
      </Waiting>
    </>
  )
}

function Row({ row }: { readonly row: EgressRow }) {
  const { at, verdict, kind, method, host, port, path, bytesUp, bytesDown, rule, text } = row
  const what = kind === 'tunnel' ? 'CONNECT' : (method ?? kind)
  return (
    <tr>
      <td>{new Date(at).toLocaleTimeString()}</td>
      <td class={verdict === 'allowed' ? 'good' : 'bad'}>{verdict}</td>
      <td>
        {what} {host}
        {port === null ? '' : `:${port}`}
        {path}
      </td>
      <td>
        {bytesUp === null && bytesDown === null
          ? '–'
          : `${bytesOf(bytesUp ?? 0)} up, ${bytesOf(bytesDown ?? 0)} down`}
      </td>
      <td>{rule}</td>
      <td>{text}</td>
    </tr>
  )
}
