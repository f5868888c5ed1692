import type { Command } from 'commander'
import type { Client } from '../../client/client.ts'
import { Failure } from '../../domain/failure.ts'
import { parseTaskId, type TaskId } from '../../domain/ids.ts'
import { type Reviewed, type ReviewRequest, reviewRequestSchema } from '../../domain/review/review.ts'
import type { Task } from '../../domain/task.ts'
import { allEvents } from '../all-events.ts'
import { Connection } from '../connection.ts'
import { budgetNumbers, type TaskOptions } from '../request.ts'
import { goOn } from './carry-out.ts'
import {
  common,
  type CommonOptions,
  idOf,
  print,
  printJson,
  several,
  type Shell,
  speller,
  targetOf,
} from './common.ts'

interface ReviewOptions extends CommonOptions, Pick<TaskOptions, 'steps' | 'minutes' | 'tokens' | 'cost'> {
  readonly comment?: readonly string[]
  readonly text?: string
  readonly requestChanges?: true
  readonly withdraw?: string
  readonly detach?: true
}

export function reviewCommand(task: Command, shell: Shell): void {
  common(task.command('review <id>').description('say something about the work of an applied task'))
    .option(
      '--comment <file:line:text>',
      'about a line as the work leaves it (FILE::TEXT: about the whole file); may be given several times',
      several,
    )
    .option('--text <text>', 'about all of it')
    .option(
      '--request-changes',
      'have a task make the changes; it begins at this work, and supersedes the task',
    )
    .option('--withdraw <n>', 'take back what was said in review n, and do nothing else')
    .option('--steps <n>', 'its limit of steps (default: that of this task)')
    .option('--minutes <n>', 'its limit of minutes')
    .option('--tokens <n>', 'its limit of model tokens')
    .option('--cost <usd>', 'its limit of US dollars')
    .option('--detach', 'return at once, and do not follow the task that makes the changes')
    .action(async (text: string, options: ReviewOptions) => {
      const id = idOf(text)
      if (options.withdraw !== undefined) {
        await takeBack(shell, id, options.withdraw, options)
        return
      }
      const request = requestFrom(options)
      const { world } = shell
      await using connection = await Connection.visit(targetOf(shell, options, 'task review'))
      const shown = await connection.persist((client) => client.task(id))
      const { reviewed, seq } = await connection.persist(async (client, sent) => {
        const found = sent ? await foundAgain(client, shown, request) : null
        if (found !== null) return found
        const done = await client.review(id, request, shown.revision)
        return { reviewed: done, seq: done.task.version }
      })
      const { followUp } = reviewed
      if (followUp !== null && options.detach !== true && followUp.status !== 'DRAFT') {
        shell.end(await goOn(shell, connection, followUp, 0, options))
        return
      }
      if (options.json === true) printJson(world, reviewed)
      else print(world, lines(reviewed, seq, id, speller(options)))
      shell.end(followUp?.status === 'DRAFT' ? 'person' : 'done')
    })
}

async function takeBack(shell: Shell, id: TaskId, given: string, options: ReviewOptions): Promise<void> {
  if (options.requestChanges === true || options.text !== undefined || options.comment !== undefined)
    throw new Failure('bad_request', 'Name --withdraw alone: what else is to be said comes afterwards.')
  if (!/^[1-9]\d{0,8}$/.test(given))
    throw new Failure('bad_request', `--withdraw takes the number of a review, not ${given}.`)
  const review = Number(given)
  await using connection = await Connection.visit(targetOf(shell, options, 'task review'))
  const task = await connection.persist(async (client, sent) => {
    const done = sent ? await allEvents(client, id) : []
    return done.some(({ type, data }) => type === 'review_withdrawn' && data['review'] === review)
      ? await client.task(id)
      : await client.withdraw(id, review)
  })
  if (options.json === true) printJson(shell.world, { task })
  else print(shell.world, [`What was said in review ${review} of task ${id} is withdrawn.`])
  shell.end('done')
}

function lines(
  { followUp, notes }: Reviewed,
  seq: number,
  id: TaskId,
  spell: (command: string) => string,
): readonly string[] {
  if (followUp === null)
    return [
      `What you said about task ${id} is on record. To have it changed, or to take that back:`,
      `  ${spell(`task review ${id} --request-changes`)}`,
      `  ${spell(`task review ${id} --withdraw ${seq}`)}`,
    ]
  const next = followUp.status === 'DRAFT' ? `task show ${followUp.id}` : `task watch ${followUp.id}`
  return [
    `Task ${followUp.id} changes what task ${id} has done; it is ${followUp.status}.`,
    ...notes,
    `  ${spell(next)}`,
  ]
}

/** A review with the `seq` of its event, which is also that of the task until something else happens to it. */
interface OnRecord {
  readonly reviewed: Reviewed
  readonly seq: number
}

/** Where the process that was sent it went away without an answer, the events say whether it was done. */
async function foundAgain(client: Client, shown: Task, request: ReviewRequest): Promise<OnRecord | null> {
  const since = (await allEvents(client, shown.id)).filter(({ seq }) => seq > shown.version)
  const wanted = request.requestChanges ? 'superseded' : 'reviewed'
  const event = since.find(({ type }) => type === wanted)
  if (event === undefined) return null
  const by = parseTaskId(typeof event.data['by'] === 'string' ? event.data['by'] : '')
  const followUp = by === null ? null : await client.task(by)
  return { reviewed: { task: await client.task(shown.id), followUp, notes: [] }, seq: event.seq }
}

function requestFrom({ comment = [], text, requestChanges, ...options }: ReviewOptions): ReviewRequest {
  const parsed = reviewRequestSchema.safeParse({
    text: text ?? null,
    comments: comment.map(commentFrom),
    requestChanges: requestChanges === true,
    budget: budgetNumbers(options),
  })
  if (parsed.success) return parsed.data
  throw new Failure('bad_request', parsed.error.issues.map(({ message }) => message).join(' '))
}

function commentFrom(given: string): { path: string; line: number | null; text: string } {
  const [, path, line, text] = /^(.+?):(\d*):(.+)$/s.exec(given) ?? []
  if (path === undefined || text === undefined)
    throw new Failure(
      'bad_request',
      `--comment takes FILE:LINE:TEXT, such as "src/a.ts:12:use let", and not ${JSON.stringify(given)}.`,
    )
  return { path, line: line === undefined || line === '' ? null : Number(line), text }
}
