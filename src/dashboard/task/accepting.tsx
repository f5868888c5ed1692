import { useState } from 'preact/hooks'
import type { AcceptRule, MarkRule } from '../../domain/marks/mark.ts'
import type { Task } from '../../domain/task.ts'

/** What whoever delivers it has ticked. */
export function useAccepted() {
  return useState<readonly AcceptRule[]>([])
}

/** Whether that is what a button accepts: what the work is marked with, and nothing else. */
export function isAsMarked(accepted: readonly AcceptRule[], rules: readonly MarkRule[]): boolean {
  return accepted.length === rules.length && rules.every((rule) => accepted.includes(rule))
}

interface AcceptingProps {
  readonly task: Task
  /** Tells several of a page apart. */
  readonly name: 'merge' | 'pull'
  readonly rules: readonly MarkRule[]
  readonly accepted: readonly AcceptRule[]
  readonly onChange: (accepted: readonly AcceptRule[]) => void
}

const unseen = ['Nobody has looked through what it changes.']
const foreign = [
  'The branch does not hold the commit that the work began from: what others have done since goes along, and nobody has looked at it here.',
]

/** What of the work whoever delivers it has to name, one by one; and what else they may, once a delivery was refused. */
export function Accepting({ task, name, rules, accepted, onChange }: AcceptingProps) {
  const { marks } = task
  const mayBeForeign = task[name]?.refusal === 'foreign'
  if (rules.length === 0 && !mayBeForeign) return null
  const choice = (rule: AcceptRule, why: readonly string[]) => (
    <div key={rule} class="accept">
      <input
        id={`${name}-${rule}`}
        type="checkbox"
        checked={accepted.includes(rule)}
        aria-describedby={`${name}-${rule}-why`}
        onChange={({ currentTarget: { checked } }) =>
          onChange(checked ? [...accepted, rule] : accepted.filter((each) => each !== rule))
        }
      />
      <label for={`${name}-${rule}`}>{rule}</label>
      <ul id={`${name}-${rule}-why`}>
        {why.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </div>
  )
  return (
    <>
      {rules.length > 0 && (
        <fieldset>
          <legend>Delivering it accepts each of these</legend>
          {rules.map((rule) => {
            const texts = (marks ?? []).filter((mark) => mark.rule === rule).map(({ text }) => text)
            return choice(rule, texts.length === 0 ? unseen : texts)
          })}
        </fieldset>
      )}
      {mayBeForeign && (
        <fieldset>
          <legend>It was refused for this</legend>
          {choice('foreign', foreign)}
        </fieldset>
      )}
    </>
  )
}
