import { useMemo, useState } from 'preact/hooks'
import type { Task } from '../../domain/task.ts'
import { getText, query } from '../api.ts'
import { useLoaded } from '../hooks.ts'
import { Waiting } from '../parts.tsx'
import { FileDiff } from './diff.tsx'
import { cutOf, filesOfDiff, nameInDiff, seen } from './diff-text.ts'
import { useCheckpoints } from './tests.tsx'

/** Files that are open from the beginning: as many as fit into so many characters. */
const openCharacters = 40_000

/** What a task changed, as a whole or step by step. */
export function Changes({ task }: { readonly task: Task }) {
  const [step, setStep] = useState<number | null>(null)
  const [isWide, setWide] = useState(() => matchMedia('(min-width: 70rem)').matches)
  const checkpoints = useCheckpoints(task)
  const steps = [
    ...new Set(
      (checkpoints.value ?? []).filter((row) => row.commit !== null && row.step > 0).map((row) => row.step),
    ),
  ]
  const loaded = useLoaded(
    async () => ({ about: String(step), text: await getText(`/v1/tasks/${task.id}/diff${query({ step })}`) }),
    [task.id, task.head, step],
  )
  return (
    <>
      <Marks task={task} />
      <p class="choices">
        <label for="step">Show</label>
        <select
          id="step"
          value={step ?? ''}
          onChange={({ currentTarget: { value } }) => setStep(value === '' ? null : Number(value))}
        >
          <option value="">all steps together</option>
          {steps.map((each) => (
            <option key={each} value={each}>
              step {each} alone
            </option>
          ))}
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
      <Waiting of={loaded}>{({ about, text }) => <Files key={about} text={text} isWide={isWide} />}</Waiting>
    </>
  )
}

function Files({ text, isWide }: { readonly text: string; readonly isWide: boolean }) {
  const files = useMemo(() => filesOfDiff(seen(text)), [text])
  const cut = cutOf(text)
  if (files.length === 0) return <p class="faint">Nothing is changed.</p>
  let length = 0
  return (
    <>
      <p>{files.length === 1 ? '1 file' : `${files.length} files`}</p>
      {files.map((file) => {
        length += file.length
        return (
          <FileDiff key={nameInDiff(file)} text={file} isWide={isWide} isOpen={length <= openCharacters} />
        )
      })}
      {cut !== null && <p class="why">Not all of it is here: {cut}. The branch has the rest.</p>}
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
