import { useState } from 'preact/hooks'
import type { SearchAnswer, SearchHit } from '../domain/search/search.ts'
import type { Snippet } from '../domain/search/snippet.ts'
import { get, query } from './api.ts'
import { useLoaded, useNow } from './hooks.ts'
import { go, Link } from './navigation.tsx'
import { Form, Moment, State, Title, Waiting } from './parts.tsx'
import { firstLine, folderName, stepName } from './words.ts'

/** What the words were found in. */
const said: Readonly<Record<Snippet['kind'], string>> = {
  goal: 'goal',
  people: 'said by people',
  names: 'a command, path or name',
  events: 'what happened',
  agent: 'the agent',
  output: 'output',
}

const nothing: SearchAnswer = { hits: [], more: false, behind: 0 }

/** Finds tasks by what is remembered of them. */
export function Search({ text }: { readonly text: string }) {
  const [typed, setTyped] = useState(text)
  const loaded = useLoaded(
    () =>
      text === ''
        ? Promise.resolve(nothing)
        : get<SearchAnswer>(`/v1/search${query({ q: text, limit: 50 })}`),
    [text],
  )
  return (
    <>
      <Title>Search</Title>
      <Form label="Search" onSend={() => go({ page: 'search', text: typed.trim() })}>
        <label for="words">What do you remember of it?</label>
        <div class="line">
          <input
            id="words"
            type="search"
            maxLength={1000}
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
          <button type="submit" class="main">
            Search
          </button>
        </div>
      </Form>
      {text !== '' && <Waiting of={loaded}>{(answer) => <Hits answer={answer} />}</Waiting>}
    </>
  )
}

function Hits({ answer: { hits, more, behind } }: { readonly answer: SearchAnswer }) {
  return (
    <>
      <p role="status">
        {hits.length === 0 ? 'Nothing was found.' : more ? 'The best, of more:' : `${hits.length} found:`}
        {behind > 0 ? ` ${behind} tasks are not looked at yet.` : ''}
      </p>
      <ul class="cards">
        {hits.map((hit) => (
          <Hit key={hit.task.id} hit={hit} />
        ))}
      </ul>
    </>
  )
}

function Hit({ hit: { task, snippets } }: { readonly hit: SearchHit }) {
  const now = useNow()
  return (
    <li class="card">
      <Link to={{ page: 'task', id: task.id, view: 'overview' }}>{firstLine(task.goal)}</Link>
      <p class="facts">
        <State task={task} />
        <span>{folderName(task.repository.path)}</span>
        <Moment at={task.updatedAt} now={now} />
        <code>{task.id}</code>
      </p>
      {snippets.map(({ kind, step, parts }, index) => (
        <p key={index} class="snippet">
          <span class="faint">
            {said[kind]}
            {step === null ? '' : `, ${stepName(step)}`}:
          </span>{' '}
          {parts.map(({ text, hit }, place) =>
            hit ? <mark key={place}>{text}</mark> : <span key={place}>{text}</span>,
          )}
        </p>
      ))}
    </li>
  )
}
