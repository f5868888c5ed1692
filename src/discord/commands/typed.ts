import type { Caller } from '../../domain/caller.ts'
import type { Act, ControlPlane } from '../../domain/control-plane.ts'
import type { DiscordSettings } from '../../domain/discord.ts'
import { mergeWays } from '../../domain/delivery/merge.ts'
import { pullEnds } from '../../domain/delivery/pull.ts'
import { Failure } from '../../domain/failure.ts'
import { parseTaskId, type TaskId } from '../../domain/ids.ts'
import type { BudgetRequest } from '../../domain/intake.ts'
import { type AcceptRule, acceptRules } from '../../domain/marks/mark.ts'
import type { MessageBook } from '../../domain/outbox/messages.ts'
import type { Task } from '../../domain/task.ts'
import { destinationOf } from '../telling.ts'
import { line } from '../text.ts'

/** What was typed into a command. */
export interface Typed {
  text(name: string): string | null
  number(name: string): number | null
  yes(name: string): boolean | null
}

export interface CommandDeps {
  readonly plane: () => ControlPlane
  readonly settings: DiscordSettings
  readonly book: MessageBook
}

export function namedTask({ plane }: CommandDeps, typed: Typed): Task {
  return plane().task(idIn(typed.text('task') ?? ''))
}

export function idIn(typed: string): TaskId {
  const text = typed.trim()
  const id = parseTaskId(text)
  if (id !== null) return id
  throw new Failure(
    'bad_request',
    `${line(text, 40)} is no task id: it has ten letters, as \`/task_list\` shows them.`,
  )
}

/**
 * A decision on a draft by a command is about what was shown of it here last; one on another task is bound to nothing.
 * What was not shown, and is not about to be, is offered anew: Discord may have been configured after it was made.
 */
export function shownRevision(
  { book, plane, settings }: CommandDeps,
  { id, status }: Task,
  caller: Caller,
): number | null {
  if (status !== 'DRAFT') return null
  const destination = destinationOf(settings)
  const shown = book.newest(destination, id, 'decision:')
  if (shown !== null) return shown.revision
  const onItsWay = plane().outbox.letters({ destination, task: id, states: ['waiting', 'sending'], limit: 1 })
  if (onItsWay.length === 0) plane().offer(id, caller)
  throw new Failure(
    'conflict',
    `Task ${id} has not been shown here yet: wait for its message in <#${settings.channel}>, then decide.`,
  )
}

/** @param said where a repository may be named in passing, by the name of its folder */
export function repositoryOf({ plane }: CommandDeps, named: string | null, said = ''): string {
  const known = plane().repositories()
  const configured = known.filter((one) => one.configured)
  if (named !== null) {
    const found =
      known.find(({ path }) => path === named) ?? known.find(({ path }) => path.split('/').at(-1) === named)
    return found?.path ?? named
  }
  const words = new Set(said.split(/[^\p{L}\p{N}._-]+/u))
  const meant = known.filter(({ path }) => words.has(path.split('/').at(-1) ?? ''))
  const only =
    meant.length === 1
      ? meant[0]
      : configured.length === 1
        ? configured[0]
        : known.length === 1
          ? known[0]
          : undefined
  if (only !== undefined) return only.path
  throw new Failure(
    'bad_request',
    known.length === 0
      ? 'No repository is configured: name one by its path, or put it under `repositories` in the configuration.'
      : `Several repositories are known: name one (${known.map(({ path }) => path.split('/').at(-1)).join(', ')}).`,
  )
}

/** The one that the repository gets anyway is taken with its arguments, which its name alone does not tell. */
export function agentOf(
  { plane }: CommandDeps,
  repository: string,
  named: string | null,
): { name: string } | null {
  const own = plane()
    .repositories()
    .find(({ path }) => path === repository)?.agent
  const usual =
    own ??
    plane()
      .agents()
      .find((one) => one.usual)?.name
  return named === null || named === usual ? null : { name: named }
}

/** A decision to merge, as it was typed. */
export function mergeOf(typed: Typed): Act {
  const how = mergeWays.find((way) => way === typed.text('how')) ?? null
  return { act: 'merge', into: typed.text('into'), how, accept: acceptedIn(typed) }
}

/** A decision to propose it, as it was typed. */
export function pullOf(typed: Typed): Act {
  return {
    act: 'pull-request',
    into: typed.text('into'),
    draft: typed.yes('draft'),
    accept: acceptedIn(typed),
  }
}

/** What has become of a pull request, as it was typed. */
export function pullEndedOf(typed: Typed): Act {
  const as = pullEnds.find((end) => end === typed.text('as'))
  if (as !== undefined) return { act: 'pull-ended', as }
  throw new Failure('bad_request', `Say what has become of it: \`as\` takes ${pullEnds.join(' or ')}.`)
}

function acceptedIn(typed: Typed): readonly AcceptRule[] {
  const words = (typed.text('accept') ?? '').split(/[\s,]+/).filter((word) => word !== '')
  const strange = words.find((word) => !acceptRules.some((rule) => rule === word))
  if (strange !== undefined)
    throw new Failure(
      'bad_request',
      `There is no mark ${line(strange, 40)}: \`accept\` takes ${acceptRules.join(', ')}.`,
    )
  return acceptRules.filter((rule) => words.includes(rule))
}

export function budgetOf(typed: Typed): BudgetRequest {
  const parts = ['steps', 'minutes', 'tokens', 'cost'] as const
  return Object.fromEntries(
    parts.flatMap((part) => [[part, typed.number(part)]]).filter(([, value]) => value !== null),
  )
}
