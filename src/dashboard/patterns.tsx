import type { Policy } from '../domain/policy.ts'
import { plain } from './words.ts'

type Lists = Readonly<Record<string, readonly string[]>>

/** What a policy says of paths and hosts. */
export const patternsOf = ({ deny, readonly, allow, egress, upstreams }: Policy): Lists => ({
  deny,
  readonly,
  allow,
  egress,
  upstreams,
})

/** More than so many are folded, so that what comes after them is in sight. */
const mostShown = 12

/** Lists, each under its name. */
export function Patterns({ of }: { readonly of: Lists }) {
  return (
    <dl>
      {Object.entries(of).map(([name, list]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <List of={list} />
          </dd>
        </div>
      ))}
    </dl>
  )
}

function List({ of }: { readonly of: readonly string[] }) {
  const text = of.length === 0 ? 'none' : plain(of.join(', '))
  if (of.length <= mostShown) return <>{text}</>
  return (
    <details>
      <summary>{of.length} patterns</summary>
      {text}
    </details>
  )
}
