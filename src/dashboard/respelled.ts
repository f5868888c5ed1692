import { retold } from '../domain/retold.ts'
import { plain } from './words.ts'

/** What there is here in place of a command; those with other options have nothing here. */
const places: readonly (readonly [RegExp, string])[] = [
  [/^task list$/, 'the board'],
  [/^task (?:show|watch) \S+$/, 'its page'],
  [/^task diff \S+$/, 'its page “Changes”'],
  [/^task diff \S+ --against (\S+)$/, 'its page “Changes” (what a merge would change in $1 now)'],
  [/^task merge \S+ --accept (\S+)$/, '“Merge” (ticked: $1)'],
  [/^task merge \S+ --into (\S+) --accept (\S+)$/, '“Merge” (into $1, ticked: $2)'],
  [/^task merge \S+ --how (\S+) --accept (\S+)$/, '“Merge” (by $1, ticked: $2)'],
  [/^task merge \S+ --into (\S+) --how (\S+) --accept (\S+)$/, '“Merge” (into $1 by $2, ticked: $3)'],
  [/^task pull-request \S+(?: --draft| --ready)? --accept (\S+)$/, '“Pull request” (ticked: $1)'],
  [
    /^task pull-request \S+ --into (\S+)(?: --draft| --ready)? --accept (\S+)$/,
    '“Pull request” (for $1, ticked: $2)',
  ],
  [
    /^task resume \S+(?: --instruction TEXT)? --(steps|minutes|tokens|cost) (\S+)$/,
    '“Resume” with a larger budget ($1: $2)',
  ],
  [/^task pull-ended \S+ --(merged|closed)$/, '“Merged or closed there” ($1)'],
  [/^task review \S+ --withdraw (\S+)$/, '“Withdraw review $1”'],
  [/^ask --follow-up \S+ QUESTION$/, '“Ask on” on its page'],
  [/^verify [a-z2-7]{10}$/, 'its page “Proof”'],
  [/^outbox list(?: --state dead)?$/, 'the page “Health”'],
  [/^schedule list$/, 'the page “Schedules”'],
]

/**
 * A sentence of the control plane with buttons and pages in place of commands; those that are not here stay as they are. Names
 * that an agent chose may stand in it, and turn nothing around.
 */
export function respelled(text: string): string {
  return retold(plain(text), (words) => {
    const found = places.find(([pattern]) => pattern.test(words))
    return found === undefined ? null : words.replace(...found)
  })
}
