import type { MergeOffer } from '../../domain/decision.ts'
import type { MergeWay } from '../../domain/delivery/merge.ts'
import { rulesOf } from '../../domain/standing.ts'
import type { Task } from '../../domain/task.ts'
import { post } from '../api.ts'
import { useKept, useSending } from '../hooks.ts'
import { Form, Problem, Send } from '../parts.tsx'
import { Accepting, isAsMarked, useAccepted } from './accepting.tsx'
import { mergeText } from './delivery-words.ts'

export interface FormProps<Given> {
  readonly task: Task
  /** What it comes to where nothing else is said. */
  readonly offer: Given
  /** Decides by the button, which is good once; null where the other way has the button. */
  readonly press: (() => Promise<Task>) | null
  /** Takes what a decision came to. */
  readonly sent: (work: () => Promise<Task>) => Promise<void>
}

const ways: readonly (readonly [MergeWay, string])[] = [
  ['merge', 'a merge commit'],
  ['squash', 'one commit with all of it'],
  ['fast-forward', 'the branch moved forward, with no commit of its own'],
]

/** A merge as it is configured, or into another branch or in another way. */
export function MergeForm({ task, offer, press, sent }: FormProps<MergeOffer>) {
  const [into, setInto] = useKept(`${task.id}:merge:into`, offer.into)
  const [kept, setHow] = useKept(`${task.id}:merge:how`, offer.how)
  const how = ways.find(([way]) => way === kept)?.[0] ?? offer.how
  const [accepted, setAccepted] = useAccepted()
  const sending = useSending()
  const rules = rulesOf(task)
  const isUsual = offer.into === into && offer.how === how && isAsMarked(accepted, rules)
  const otherwise = (): Promise<Task> =>
    post<Task>(
      `/v1/tasks/${task.id}/merge`,
      { into: into.trim(), how, accept: accepted },
      { 'if-match': `"${task.revision}"` },
    )
  return (
    <Form
      label="Merge"
      onSend={() =>
        sending.send(async () => {
          await sent(() => (isUsual && press !== null ? press() : otherwise()))
          setInto(offer.into)
          setHow(offer.how)
        })
      }
    >
      <p>{mergeText(task)}</p>
      <label for="merge-into">Into the branch</label>
      <input
        id="merge-into"
        class="code"
        required
        maxLength={200}
        value={into}
        onInput={(event) => setInto(event.currentTarget.value)}
      />
      <label for="merge-how">As</label>
      <select id="merge-how" value={how} onChange={(event) => setHow(event.currentTarget.value)}>
        {ways.map(([way, words]) => (
          <option key={way} value={way}>
            {words}
          </option>
        ))}
      </select>
      <Accepting task={task} name="merge" rules={rules} accepted={accepted} onChange={setAccepted} />
      <Problem text={sending.error} />
      <Send sending={sending} class="main">
        Merge it now
      </Send>
    </Form>
  )
}
