import { useKept, useSending } from './hooks.ts'
import { go } from './navigation.tsx'
import { Form, Problem, Send, Title } from './parts.tsx'
import { agentOf, StartFields, useRepositories, useStart } from './start-fields.tsx'
import { useSubmitting } from './submitting.tsx'

/** Asks a question about a repository; its answer is on the page of its own. */
export function Ask() {
  const [question, setQuestion] = useKept('ask:question')
  const start = useStart('ask')
  const repositories = useRepositories()
  const { submit } = useSubmitting('/v1/questions')
  const sending = useSending()
  const send = (): void =>
    sending.send(async () => {
      const { task } = await submit({ question, repository: start.repository, ...agentOf(start) })
      setQuestion('')
      go({ page: 'task', id: task.id, view: 'overview' })
    })
  return (
    <>
      <Title>Ask</Title>
      <p>An agent reads the repository and answers. It can change nothing of it.</p>
      <Form label="Ask" onSend={send}>
        <label for="question">Question</label>
        <textarea
          id="question"
          rows={4}
          required
          maxLength={20_000}
          value={question}
          onInput={(event) => setQuestion(event.currentTarget.value)}
        />
        <StartFields texts={start} repositories={repositories.value ?? []} />
        <Problem text={sending.error} />
        <Send sending={sending} class="main">
          Ask
        </Send>
      </Form>
    </>
  )
}
