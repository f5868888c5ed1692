import type { ComponentChildren } from 'preact'
import type { Terms } from '../../domain/task.ts'
import { laidOpen } from '../../domain/laid-open.ts'
import { moneyOf, numberOf, spanOf } from '../words.ts'

/** What an approval lets run, and where to: nobody can decide about what they are not shown. */
export function Approval({ task }: { readonly task: Terms }) {
  const { kind, repository, base, agent, setup, test, budget, policy } = task
  return (
    <dl class="approval">
      <Row name="Repository">
        <code>{laidOpen(repository.path)}</code> from <code>{laidOpen(base.ref)}</code> at{' '}
        <code>{base.commit.slice(0, 10)}</code>
      </Row>
      <Row name="Agent">
        <Command text={[agent.name, ...agent.argv].map(quoted).join(' ')} />
      </Row>
      {kind === 'change' && (
        <>
          <Row name="Setup">
            <Command text={setup} />
          </Row>
          <Row name="Test">
            <Command text={test} />
          </Row>
        </>
      )}
      <Row name="Budget">
        {numberOf(budget.steps)} {budget.steps === 1 ? 'step' : 'steps'}, {spanOf(budget.seconds * 1000)}
        {budget.tokens !== null && `, ${numberOf(budget.tokens)} tokens`}
        {budget.costUsd !== null && `, ${moneyOf(budget.costUsd)}`}
      </Row>
      <Row name="May reach">
        <Names
          of={policy.egress}
          none={setup === null ? 'nothing: its boxes have no network' : 'agent and test: nothing'}
        />
        {setup !== null && '; setup reaches the package registries'}
      </Row>
      <Row name="Models">
        <Names of={policy.upstreams} none="none" />
      </Row>
    </dl>
  )
}

function Row({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Command({ text }: { readonly text: string | null }) {
  return text === null ? <>none</> : <code class="words">{laidOpen(text)}</code>
}

function Names({ of, none }: { readonly of: readonly string[]; readonly none: string }) {
  return of.length === 0 ? <>{none}</> : <code>{laidOpen(of.join(', '))}</code>
}

/** An argument so that one can tell where it ends. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))
