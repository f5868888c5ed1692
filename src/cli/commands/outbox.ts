import type { Command } from 'commander'
import type { Client, Filter } from '../../client/client.ts'
import { Failure } from '../../domain/failure.ts'
import {
  type Letter,
  type LetterAct,
  type LetterFilter,
  type LetterState,
  letterStates,
} from '../../domain/outbox/letter.ts'
import { withControlPlane } from '../connection.ts'
import { letterLines, letterTable } from '../render/outbox.ts'
import {
  common,
  type CommonOptions,
  idOf,
  print,
  printJson,
  type Shell,
  speller,
  tableWidth,
  targetOf,
} from './common.ts'
import { pageOf, type PageOptions, pages, someOf, tellMore } from './filters.ts'

interface ListOptions extends CommonOptions, PageOptions {
  readonly state?: string
  readonly destination?: string
  readonly task?: string
}

export function outboxCommand(program: Command, shell: Shell): void {
  const outbox = program.command('outbox').description('what webhooks are told, and what did not arrive')
  const { world } = shell

  pages(common(outbox.command('list').description('letters, newest first')), 50)
    .option('--state <list>', `only those, of ${letterStates.join(', ')}`)
    .option('--destination <name>', 'only to this one, such as webhook:ci')
    .option('--task <id>', 'only of this task')
    .action(async (options: ListOptions) => {
      const filter = filterOf(options)
      const { letters, next } = await withControlPlane(targetOf(shell, options, 'outbox list'), (client) =>
        client.letters(filter),
      )
      if (options.json === true) printJson(world, { letters, next })
      else if (letters.length === 0) world.terminal.error('No letters.\n')
      else {
        print(world, letterTable(letters, world.now(), tableWidth(shell)))
        tellMore(shell, next)
      }
      shell.end('done')
    })

  common(
    outbox.command('show <id>').description('a letter, with what is sent and why it was not taken'),
  ).action(async (id: string, options: CommonOptions) => {
    const letter = await withControlPlane(targetOf(shell, options, 'outbox show'), (client) =>
      client.letter(letterIdOf(id)),
    )
    if (options.json === true) printJson(world, letter)
    else print(world, letterLines(letter, speller(options)))
    shell.end('done')
  })

  const act = (name: LetterAct, description: string, said: (id: string) => string): void => {
    common(outbox.command(`${name} <ids...>`).description(description)).action(
      async (ids: readonly string[], options: CommonOptions) => {
        const known = ids.map(letterIdOf)
        const target = targetOf(shell, options, `outbox ${name}`)
        const letters = await withControlPlane(target, async (client, sent) => {
          const changed = []
          for (const id of known) changed.push(await actOn(client, id, name, sent))
          return changed
        })
        if (options.json === true) printJson(world, { letters })
        else
          print(
            world,
            letters.map(({ id }) => said(id)),
          )
        shell.end('done')
      },
    )
  }
  act('retry', 'have letters tried again at once', (id) => `Letter ${id} is tried again.`)
  act('discard', 'give letters up, so that those behind them go on', (id) => `Letter ${id} is discarded.`)
}

/** What a letter may be when the act on it is done. */
const done: Readonly<Record<LetterAct, readonly LetterState[]>> = {
  discard: ['discarded'],
  retry: ['sending', 'sent'],
}

/** Where an earlier try may have done it, it is not done again. */
async function actOn(client: Client, id: string, act: LetterAct, sent: boolean): Promise<Letter> {
  const now = sent ? await client.letter(id) : null
  return now !== null && done[act].includes(now.state) ? now : await client.actOnLetter(id, act)
}

function filterOf({ state, destination, task, ...page }: ListOptions): Filter<LetterFilter, 'before'> {
  return {
    ...pageOf(page),
    ...(state === undefined ? {} : { states: someOf('--state', state, letterStates) }),
    ...(destination === undefined ? {} : { destination }),
    ...(task === undefined ? {} : { task: idOf(task) }),
  }
}

function letterIdOf(text: string): string {
  if (/^msg_[a-z2-7]{20}$/.test(text)) return text
  throw new Failure('bad_request', `${text} is no letter: \`cofferdam outbox list\` shows their ids.`)
}
