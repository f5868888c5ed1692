import { useState } from 'preact/hooks'
import type { PullOffer } from '../../domain/decision.ts'
import { rulesOf } from '../../domain/standing.ts'
import type { Task } from '../../domain/task.ts'
import { post } from '../api.ts'
import { useKept, useSending } from '../hooks.ts'
import { Form, Problem, Send } from '../parts.tsx'
import { Accepting, isAsMarked, useAccepted } from './accepting.tsx'
import type { FormProps } from './merge-form.tsx'

/** A pull request as it is configured, or for another branch. */
export function PullForm({ task, offer, press, sent }: FormProps<PullOffer>) {
  const [into, setInto] = useKept(`${task.id}:pull:into`, offer.into)
  const [isDraft, setDraft] = useState(offer.draft)
  const [accepted, setAccepted] = useAccepted()
  const sending = useSending()
  const rules = rulesOf(task)
  const isUsual = offer.into === into && offer.draft === isDraft && isAsMarked(accepted, rules)
  const otherwise = (): Promise<Task> =>
    post<Task>(
      `/v1/tasks/${task.id}/pull-request`,
      { into: into.trim(), draft: isDraft, accept: accepted },
      { 'if-match': `"${task.revision}"` },
    )
  return (
    <Form
      label="Pull request"
      onSend={() =>
        sending.send(async () => {
          await sent(() => (isUsual && press !== null ? press() : otherwise()))
          setInto(offer.into)
        })
      }
    >
      <p>
        It is opened in <code>{offer.project}</code> ({offer.forge}).
      </p>
      <label for="pull-into">For the branch</label>
      <input
        id="pull-into"
        class="code"
        required
        maxLength={200}
        value={into}
        onInput={(event) => setInto(event.currentTarget.value)}
      />
      <p>
        <label class="choice">
          <input
            type="checkbox"
            checked={isDraft}
            onChange={(event) => setDraft(event.currentTarget.checked)}
          />{' '}
          As a draft
        </label>
      </p>
      <Accepting task={task} name="pull" rules={rules} accepted={accepted} onChange={setAccepted} />
      <Problem text={sending.error} />
      <Send sending={sending} class="main">
        Open the pull request
      </Send>
    </Form>
  )
}
