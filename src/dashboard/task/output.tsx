import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Task } from '../../domain/task.ts'
import { getText, query } from '../api.ts'
import { useSettled } from '../hooks.ts'
import { Problem } from '../parts.tsx'
import { asError } from '../persist.ts'
import { joined, plain } from '../words.ts'
import type { Watched } from './use-task.ts'

/** So much of an output is shown, characters; `logs` of the API has all of it. */
const most = { short: 8000, long: 400_000 } as const

/** Whether nothing of it is beneath what is in sight. */
const isAtEnd = ({ scrollTop, scrollHeight, clientHeight }: HTMLElement): boolean =>
  scrollHeight - clientHeight - scrollTop < 2

interface OutputProps {
  readonly task: Task
  readonly watched: Watched
  readonly isShort?: boolean
}

/** What the boxes of a task print, live. */
export function Output({ task, watched, isShort = false }: OutputProps) {
  const room = isShort ? most.short : most.long
  const [text, setText] = useState<string | null>(null)
  const [error, setError] = useState<string | null>(null)
  const [follows, setFollows] = useState(true)
  const place = useRef<HTMLPreElement>(null)
  const meanwhile = useRef('')
  const address = `/v1/tasks/${task.id}/logs${query({ last: room })}`

  const load = async (): Promise<void> => {
    meanwhile.current = ''
    try {
      const log = await getText(address)
      setText(joined(log, meanwhile.current).slice(-room))
      setError(null)
    } catch (failure) {
      setError(asError(failure).message)
    }
  }
  const look = useSettled(() => void load())
  useEffect(
    () =>
      watched.onPrinted(({ text: piece }) => {
        meanwhile.current = (meanwhile.current + piece).slice(-room)
        setText((before) => ((before ?? '') + piece).slice(-room))
      }),
    [address],
  )
  // With each event boxes begin and end, and after a break something may have been missed.
  useEffect(look, [address, task.version, watched.state])
  // With the text, before it is seen: else what comes in between would look like somebody's scrolling.
  useLayoutEffect(() => {
    if (follows) place.current?.scrollTo({ top: place.current.scrollHeight })
  }, [text, follows])

  return (
    <>
      <Problem text={error} />
      {text === null && error === null && <p class="faint">Loading…</p>}
      {text === '' && <p class="faint">Nothing was printed yet.</p>}
      {text !== null && text !== '' && (
        <>
          <pre
            class={isShort ? 'output short' : 'output'}
            ref={place}
            tabIndex={0}
            role="region"
            aria-label="Output of the boxes"
            // Who scrolls back reads there, and who comes to the end again looks on.
            onScroll={({ currentTarget }) => setFollows(isAtEnd(currentTarget))}
          >
            {plain(text)}
          </pre>
          <label class="choice">
            <input
              type="checkbox"
              checked={follows}
              onChange={(event) => setFollows(event.currentTarget.checked)}
            />{' '}
            Follow
          </label>
        </>
      )}
    </>
  )
}
