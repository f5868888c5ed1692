import { hasOwnWords, retold } from '../domain/retold.ts'
import type { TaskEvent } from '../domain/task.ts'

/** What there is here in place of a command; those with other options have nothing here. */
const places: readonly (readonly [RegExp, string])[] = [
  [/^task list$/, 'the board'],
  [/^task (?:show|watch) \S+$/, 'its page'],
  [/^task diff \S+$/, 'its page “Changes”'],
  [/^task diff \S+ --against (\S+)$/, 'its page “Changes” (what a merge would change in $1 now)'],
  [/^task merge \S+ --accept (\S+)$/, '“Merge” (ticked: $1)'],
  [/^task merge \S+ --into (\S+) --accept (\S+)$/, '“Merge” (into $1, ticked: $2)'],
  [/^task pull-request \S+ --accept (\S+)$/, '“Pull request” (ticked: $1)'],
  [/^task pull-request \S+ --into (\S+) --accept (\S+)$/, '“Pull request” (for $1, ticked: $2)'],
  [
    /^task resume \S+(?: --instruction TEXT)? --(steps|minutes|tokens|cost) (\S+)$/,
    '“Resume” with a larger budget ($1: $2)',
  ],
  [/^ask --follow-up \S+ QUESTION$/, '“Ask on” on its page'],
  [/^verify [a-z2-7]{10}$/, 'its page “Proof”'],
  [/^outbox list(?: --state dead)?$/, 'the page “Health”'],
  [/^schedule list$/, 'the page “Schedules”'],
]

/** A sentence of the control plane with buttons and pages in place of commands; those that are not here stay as they are. */
export function respelled(text: string): string {
  return retold(text, (words) => {
    const found = places.find(([pattern]) => pattern.test(words))
    return found === undefined ? null : words.replace(...found)
  })
}

/** The sentence of an event, unless it is somebody's own. */
export function eventText(event: Pick<TaskEvent, 'type' | 'text'>): string {
  return hasOwnWords(event) ? event.text : respelled(event.text)
}
