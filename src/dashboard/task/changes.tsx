import { useMemo, useState } from 'preact/hooks'
import type { Decisions } from '../../domain/decision.ts'
import type { Mark } from '../../domain/marks/mark.ts'
import type { Task, TaskEvent } from '../../domain/task.ts'
import { laidOpen } from '../../domain/laid-open.ts'
import { getText, query } from '../api.ts'
import { useLoaded } from '../hooks.ts'
import { Link } from '../navigation.tsx'
import { Waiting } from '../parts.tsx'
import { CommentDialog } from './comment-dialog.tsx'
import { type Comment, commentsIn, type Place, reviewsIn } from './comments.ts'
import { FileDiff } from './diff.tsx'
import { cutOf, factsOfDiff, filesOfDiff, isLeftOut, nameInDiff } from './diff-text.ts'
import type { Line } from './line-buttons.ts'
import { Review, useReviewing } from './review.tsx'
import { useCheckpoints } from './tests.tsx'

/** Files that are open from the beginning: as many as fit into so many characters. */
const openCharacters = 40_000

interface ChangesProps {
  readonly task: Task
  readonly events: readonly TaskEvent[]
  readonly decisions: Decisions | null
  readonly take: (task: Task) => void
}

interface Asked extends Place {
  readonly quote: string
}

const against = 'against'

/** What a task changed, as a whole, step by step or in a branch as it is now; and what people say about it. */
export function Changes({ task, events, decisions, take }: ChangesProps) {
  const [shown, setShown] = useState('')
  const [asked, setAsked] = useState<Asked | null>(null)
  const [isWide, setWide] = useState(() => matchMedia('(min-width: 70rem)').matches)
  const checkpoints = useCheckpoints(task)
  const steps = [
    ...new Set(
      (checkpoints.value ?? []).filter((row) => row.commit !== null && row.step > 0).map((row) => row.step),
    ),
  ]
  const branch = decisions?.merge?.into ?? task.merge?.into ?? task.base.ref
  const wanted = {
    step: shown === '' || shown === against ? null : shown,
    against: shown === against ? branch : null,
  }
  const address = `/v1/tasks/${task.id}/diff${query(wanted)}`
  const isReviewing = useReviewing(task)
  const comments = useMemo(() => commentsIn(events), [events])
  const reviews = useMemo(() => reviewsIn(events), [events])
  const say = (path: string, line: Line | null): void =>
    setAsked({ path, line: line?.number ?? null, quote: line?.text ?? '' })
  // Only here are lines counted as the work leaves them, which is what a comment names.
  const isWhole = shown === ''
  return (
    <>
      <Marks task={task} />
      <p class="choices">
        <label for="step">Show</label>
        <select id="step" value={shown} onChange={({ currentTarget: { value } }) => setShown(value)}>
          <option value="">all steps together</option>
          {steps.map((each) => (
            <option key={each} value={String(each)}>
              step {each} alone
            </option>
          ))}
          {task.status === 'APPLIED' && (
            <option value={against}>what a merge would change in {branch} now</option>
          )}
        </select>
        <label class="choice">
          <input
            type="checkbox"
            checked={isWide}
            onChange={(event) => setWide(event.currentTarget.checked)}
          />{' '}
          Side by side
        </label>
      </p>
      {task.parentTaskId !== null && shown !== against && (
        <p>
          This begins with what{' '}
          <Link to={{ page: 'task', id: task.parentTaskId, view: 'changes' }}>task {task.parentTaskId}</Link>{' '}
          has changed, which is delivered with it and is not shown here.
        </p>
      )}
      {isReviewing && !isWhole && (
        <p class="faint">
          Lines can be commented on under “all steps together” alone: here they are counted otherwise.
        </p>
      )}
      <Diff
        key={address}
        address={address}
        head={task.head}
        isWide={isWide}
        marks={task.marks ?? []}
        comments={isWhole ? comments : []}
        say={isReviewing && isWhole ? say : null}
      />
      {isReviewing && <Review task={task} reviews={reviews} take={take} />}
      {asked !== null && (
        <CommentDialog
          key={`${asked.path}:${asked.line ?? ''}`}
          task={task}
          about={asked}
          quote={asked.quote}
          take={take}
          close={() => setAsked(null)}
        />
      )}
    </>
  )
}

interface FilesProps {
  readonly text: string
  readonly isWide: boolean
  readonly marks: readonly Mark[]
  readonly comments: readonly Comment[]
  readonly say: ((path: string, line: Line | null) => void) | null
}

interface DiffProps extends Omit<FilesProps, 'text'> {
  readonly address: string
  readonly head: Task['head']
}

/** A diff of its own: while it is on its way, or is not to be had, nobody sees another in its place. */
function Diff({ address, head, ...props }: DiffProps) {
  const loaded = useLoaded(() => getText(address), [address, head])
  return <Waiting of={loaded}>{(text) => <Files text={text} {...props} />}</Waiting>
}

function Files({ text, isWide, marks, comments, say }: FilesProps) {
  const files = useMemo(
    () => filesOfDiff(laidOpen(text)).map((part) => ({ part, name: nameInDiff(part) })),
    [text],
  )
  const cut = cutOf(text)
  const leftOut = files.filter(({ part }) => isLeftOut(part)).length
  if (files.length === 0) return <p class="faint">Nothing is changed.</p>
  let length = 0
  return (
    <>
      <p>
        {files.length === 1 ? '1 file' : `${files.length} files`}
        {leftOut > 0 && `, of which ${leftOut} too large to be shown`}
      </p>
      {cut !== null && <p class="why">Not all of it is here: {cut}. The branch has the rest.</p>}
      {files.map(({ part, name }) => {
        length += part.length
        return (
          <FileDiff
            key={`${name} ${factsOfDiff(part).join()}`}
            text={part}
            isWide={isWide}
            isOpen={length <= openCharacters}
            marks={marks.filter(({ path }) => path === name)}
            comments={comments.filter(({ path }) => path === name)}
            say={say}
          />
        )
      })}
    </>
  )
}

function Marks({ task: { marks, delivery } }: { readonly task: Task }) {
  if (marks === null || marks.length === 0 || delivery === 'discarded') return null
  return (
    <section class="decision" aria-labelledby="marks">
      <h2 id="marks">Delivering it takes an owner's decision, because</h2>
      <ul>
        {marks.map(({ rule, text }) => (
          <li key={`${rule} ${text}`}>{text}</li>
        ))}
      </ul>
    </section>
  )
}
