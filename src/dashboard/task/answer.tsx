import type { Task } from '../../domain/task.ts'
import { useKept, useSending } from '../hooks.ts'
import { go } from '../navigation.tsx'
import { Form, Problem, Send } from '../parts.tsx'
import { useSubmitting } from '../submitting.tsx'
import { useMay } from '../who.ts'
import { plain } from '../words.ts'

/** What the agent said to a question, and a place to ask on. */
export function Answered({ task: { id, answer } }: { readonly task: Task }) {
  const may = useMay('start')
  const [question, setQuestion] = useKept(`${id}:follow-up`)
  const { submit } = useSubmitting('/v1/questions')
  const sending = useSending()
  if (answer === null) return null
  const send = (): void =>
    sending.send(async () => {
      const { task } = await submit({ question, followUp: id })
      setQuestion('')
      go({ page: 'task', id: task.id, view: 'overview' })
    })
  return (
    <>
      <h2>Answer</h2>
      <p class="words">{plain(answer)}</p>
      {may && (
        <Form label="Ask on" onSend={send}>
          <label for="follow-up">Ask on</label>
          <textarea
            id="follow-up"
            rows={2}
            required
            maxLength={20_000}
            value={question}
            onInput={(event) => setQuestion(event.currentTarget.value)}
          />
          <Problem text={sending.error} />
          <Send sending={sending}>Ask</Send>
        </Form>
      )}
    </>
  )
}
