import { useState } from 'preact/hooks'
import type { Task } from '../../domain/task.ts'
import { getText, query } from '../api.ts'
import { useLoaded } from '../hooks.ts'
import { Waiting } from '../parts.tsx'
import { filesOfDiff } from '../words.ts'
import { FileDiff, nameInDiff } from './diff.tsx'
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
    async () => filesOfDiff(await getText(`/v1/tasks/${task.id}/diff${query({ step })}`)),
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
      <Waiting of={loaded}>
        {(files) =>
          files.length === 0 ? (
            <p class="faint">Nothing is changed.</p>
          ) : (
            <>
              <p>{files.length === 1 ? '1 file' : `${files.length} files`}</p>
              {files.map((file, index) => (
                <FileDiff
                  key={`${step ?? ''} ${nameInDiff(file)}`}
                  text={file}
                  isWide={isWide}
                  isOpen={lengthBefore(files, index + 1) <= openCharacters}
                />
              ))}
            </>
          )
        }
      </Waiting>
    </>
  )
}

const lengthBefore = (files: readonly string[], end: number): number =>
  files.slice(0, end).reduce((sum, file) => sum + file.length, 0)

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
