import { useState } from 'preact/hooks'
import type { MarkRule } from '../../domain/marks/mark.ts'
import type { Task } from '../../domain/task.ts'

/** The rules whose marks whoever delivers it has ticked. */
export function useAccepted() {
  return useState<readonly MarkRule[]>([])
}

interface AcceptingProps {
  readonly task: Task
  /** Tells several of a page apart. */
  readonly name: string
  readonly rules: readonly MarkRule[]
  readonly accepted: readonly MarkRule[]
  readonly onChange: (accepted: readonly MarkRule[]) => void
}

/** What of the work whoever delivers it has to name, one by one. */
export function Accepting({ task: { marks }, name, rules, accepted, onChange }: AcceptingProps) {
  if (rules.length === 0) return null
  return (
    <fieldset>
      <legend>Delivering it accepts each of these</legend>
      {rules.map((rule) => {
        const texts = (marks ?? []).filter((mark) => mark.rule === rule).map(({ text }) => text)
        const said = texts.length === 0 ? ['Nobody has looked through what it changes.'] : texts
        return (
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
              {said.map((text) => (
                <li key={text}>{text}</li>
              ))}
            </ul>
          </div>
        )
      })}
    </fieldset>
  )
}

/** The rules of the work's marks; what nobody has looked at is unread. */
export function rulesOf({ marks }: Pick<Task, 'marks'>): readonly MarkRule[] {
  return marks === null ? ['unread'] : [...new Set(marks.map(({ rule }) => rule))]
}
