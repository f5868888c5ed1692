import type { AgentResult } from '../../domain/agent.ts'
import type { Checkpoint, Task } from '../../domain/task.ts'
import { get } from '../api.ts'
import { useLoaded } from '../hooks.ts'
import { Waiting } from '../parts.tsx'
import { nameText, plain, spanOf } from '../words.ts'
import { tryName } from './try-name.ts'

export const useCheckpoints = ({ id, version }: Task) =>
  useLoaded(
    async () =>
      (await get<{ checkpoints: readonly Checkpoint[] }>(`/v1/tasks/${id}/checkpoints`)).checkpoints,
    [id, version],
  )

/** What each try at a step came to: the agent's end, what the policy found, and the test. */
export function Tests({ task }: { readonly task: Task }) {
  const loaded = useCheckpoints(task)
  return (
    <>
      <p>
        Test command: {task.test === null ? 'none, so that the work is untested.' : <code>{task.test}</code>}
      </p>
      {task.baseline !== null && task.baseline !== '' && (
        <details>
          <summary>What failed before the agent did anything</summary>
          <pre class="output" tabIndex={0} role="region" aria-label="What failed before">
            {plain(task.baseline)}
          </pre>
        </details>
      )}
      <Waiting of={loaded}>
        {(checkpoints) =>
          checkpoints.length === 0 ? (
            <p class="faint">No step yet.</p>
          ) : (
            <ol class="plain">
              {checkpoints.toReversed().map((row) => (
                <Try key={`${row.step}.${row.attempt}`} row={row} name={tryName(row, checkpoints)} />
              ))}
            </ol>
          )
        }
      </Waiting>
    </>
  )
}

function Said({ agent: { text, failure } }: { readonly agent: AgentResult }) {
  const words = plain([failure, text].filter((part) => part !== null && part !== '').join('\n\n'))
  if (words === '') return null
  return (
    <details>
      <summary>What the agent said last</summary>
      <p class="words">{words}</p>
    </details>
  )
}

function Try({ row, name }: { readonly row: Checkpoint; readonly name: string }) {
  const { state, startedAt, endedAt, agent, violations, test } = row
  return (
    <li class="card">
      <h2>{name}</h2>
      <p class="facts">
        <span>{state}</span>
        {endedAt !== null && <span>{spanOf(endedAt - startedAt)}</span>}
        {agent !== null && (
          <span>agent: {agent.failure === null ? agent.marker.state.toLowerCase() : 'failed'}</span>
        )}
        {test !== null && (
          <span class={test.passed ? 'good' : 'bad'}>
            test {test.passed ? 'passed' : 'failed'}
            {test.exitCode === null ? '' : `, exit code ${test.exitCode}`}
          </span>
        )}
      </p>
      {violations.length > 0 && (
        <ul>
          {violations.map(({ path, rule, kind, what }) => (
            <li key={path}>
              <code>{nameText(path)}</code>: {what}, by the {kind} rule <code>{rule}</code>
            </li>
          ))}
        </ul>
      )}
      {agent !== null && <Said agent={agent} />}
      {test !== null && test.tail !== '' && (
        <details open={!test.passed}>
          <summary>What the test said last</summary>
          <pre class="output" tabIndex={0} role="region" aria-label={`Test output: ${name}`}>
            {plain(test.tail)}
          </pre>
        </details>
      )}
    </li>
  )
}
