import { useState } from 'preact/hooks'
import type { Explanation } from '../domain/control-plane.ts'
import { post } from './api.ts'
import { isKept, useKept, useSending } from './hooks.ts'
import { Form, Problem, Title } from './parts.tsx'
import { agentOf, StartFields, useRepositories, useStart } from './start-fields.tsx'
import { Answer, Notes, Reasons, useSubmitting } from './submitting.tsx'
import { Patterns, patternsOf } from './patterns.tsx'
import { BudgetFields, budgetOf, isBudgetKept, noBudget, useBudget } from './task/budget-fields.tsx'

/** Starts a task, or asks first what it would get. */
export function NewTask() {
  const repositories = useRepositories()
  const [goal, setGoal] = useKept('new:goal')
  const start = useStart('new')
  const [ref, setRef] = useKept('new:ref')
  const [test, setTest] = useKept('new:test')
  const [setup, setSetup] = useKept('new:setup')
  const [budget, setBudget] = useBudget('new')
  const [draft, setDraft] = useKept('new:draft')
  const isDraft = draft !== ''
  // What is kept goes along: nobody sends it unseen.
  const [hasMore] = useState(
    () => isBudgetKept('new') || ['new:setup', 'new:ref', 'new:draft'].some((name) => isKept(name)),
  )
  const [expected, setExpected] = useState<{ readonly about: string; readonly answer: Explanation } | null>(
    null,
  )
  const { submitted, submit } = useSubmitting('/v1/tasks')
  const sending = useSending()

  const request = {
    goal,
    repository: start.repository,
    draft: isDraft,
    budget: budgetOf(budget),
    ...agentOf(start),
    ...(ref.trim() === '' ? {} : { ref: ref.trim() }),
    ...(test.trim() === '' ? {} : { test }),
    ...(setup.trim() === '' ? {} : { setup }),
  }
  const about = JSON.stringify(request)
  const check = (): void =>
    sending.send(async () => setExpected({ about, answer: await post<Explanation>('/v1/explain', request) }))
  const send = (): void =>
    sending.send(async () => {
      await submit(request)
      for (const clear of [setGoal, setTest, setSetup, setRef, setDraft]) clear('')
      setBudget(noBudget)
      setExpected(null)
    })

  const known = repositories.value?.find(({ path }) => path === start.repository)
  return (
    <>
      <Title>New task</Title>
      {submitted !== null && <Answer submitted={submitted} />}
      <Form label="New task" onSend={send}>
        <label for="goal">Goal</label>
        <textarea
          id="goal"
          rows={5}
          required
          maxLength={20_000}
          placeholder="What is to be done, and how one can tell that it is"
          value={goal}
          onInput={(event) => setGoal(event.currentTarget.value)}
        />
        <StartFields texts={start} repositories={repositories.value ?? []} />
        <label for="test">Test command</label>
        <input
          id="test"
          class="code"
          placeholder={known?.test ?? 'none, so that the work is untested'}
          value={test}
          onInput={(event) => setTest(event.currentTarget.value)}
        />
        <details open={hasMore}>
          <summary>Budget, setup and more</summary>
          <BudgetFields name="new" texts={budget} onChange={setBudget} />
          <label for="setup">Setup command</label>
          <input
            id="setup"
            class="code"
            placeholder={known?.setup ?? 'none'}
            value={setup}
            onInput={(event) => setSetup(event.currentTarget.value)}
          />
          <label for="ref">Branch, tag or commit to begin at</label>
          <input
            id="ref"
            class="code"
            placeholder="what is checked out"
            value={ref}
            onInput={(event) => setRef(event.currentTarget.value)}
          />
          <p>
            <label class="choice">
              <input
                type="checkbox"
                checked={isDraft}
                onChange={(event) => setDraft(event.currentTarget.checked ? 'yes' : '')}
              />{' '}
              As a draft, which waits for approval
            </label>
          </p>
        </details>
        <Problem text={sending.error} />
        <p class="buttons">
          <button type="submit" class="main" aria-disabled={sending.busy}>
            Start
          </button>
          <button type="button" onClick={check} aria-disabled={sending.busy}>
            What would it get?
          </button>
        </p>
      </Form>
      {/* What was changed since would get something else. */}
      <div role="status">{expected?.about === about && <Expected answer={expected.answer} />}</div>
    </>
  )
}

function Expected({ answer: { risks, notes, hidden, policy } }: { readonly answer: Explanation }) {
  return (
    <section class="decision" aria-labelledby="expected">
      <h2 id="expected">What it would get</h2>
      {risks.length === 0 ? (
        <p>It would run by itself: no rule asks for a person.</p>
      ) : (
        <Reasons risks={risks} />
      )}
      <Notes notes={notes} />
      <details>
        <summary>Paths</summary>
        <Patterns of={{ ...patternsOf(policy), 'hidden files': hidden }} />
      </details>
    </section>
  )
}
