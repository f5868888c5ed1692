import { useState } from 'preact/hooks'
import type { Letter, LetterAct } from '../../domain/outbox/letter.ts'
import { get, post, query } from '../api.ts'
import { useLoaded, useNow, useSending } from '../hooks.ts'
import { Link } from '../navigation.tsx'
import { Moment, Problem, Waiting } from '../parts.tsx'
import { useMay } from '../who.ts'

interface Page {
  readonly letters: readonly Letter[]
  readonly next: string | null
}

/** What has not arrived: letters that were given up, and those that wait. */
export function Outbox() {
  const [state, setState] = useState<'dead' | 'waiting,sending'>('dead')
  const loaded = useLoaded(() => get<Page>(`/v1/outbox${query({ state, limit: 50 })}`), [state])
  return (
    <section aria-labelledby="outbox">
      <h2 id="outbox">Outbox</h2>
      <p class="choices">
        <label for="letters">Show letters that</label>
        <select
          id="letters"
          value={state}
          onChange={({ currentTarget: { value } }) => setState(value === 'dead' ? value : 'waiting,sending')}
        >
          <option value="dead">were given up</option>
          <option value="waiting,sending">wait</option>
        </select>
      </p>
      <Waiting of={loaded}>
        {({ letters, next }) => (
          <>
            {letters.length === 0 && <p class="faint">None.</p>}
            <ul class="cards">
              {letters.map((letter) => (
                <Entry key={letter.id} letter={letter} reload={loaded.reload} />
              ))}
            </ul>
            {next !== null && <p class="faint">There are more: they are shown when these are seen to.</p>}
          </>
        )}
      </Waiting>
    </section>
  )
}

function Entry({ letter, reload }: { readonly letter: Letter; readonly reload: () => void }) {
  const now = useNow()
  const may = useMay('act_on_letter')
  const sending = useSending()
  const { id, destination, taskId, type, state, attempts, error, createdAt } = letter
  const act = (name: LetterAct): void =>
    sending.send(async () => {
      await post<Letter>(`/v1/outbox/${id}/${name}`)
      reload()
    })
  return (
    <li class="card">
      <p class="facts">
        <span>{destination}</span>
        <span>{type}</span>
        <Link to={{ page: 'task', id: taskId, view: 'overview' }}>{taskId}</Link>
        <span>
          {state} after {attempts} {attempts === 1 ? 'attempt' : 'attempts'}
        </span>
        <Moment at={createdAt} now={now} />
      </p>
      {error !== null && <p class="why">{error}</p>}
      {may && (
        <p class="buttons">
          <button type="button" aria-disabled={sending.busy} onClick={() => act('retry')}>
            Try again
          </button>
          <button type="button" class="danger" aria-disabled={sending.busy} onClick={() => act('discard')}>
            Discard
          </button>
        </p>
      )}
      <Problem text={sending.error} />
    </li>
  )
}
