import { randomUUID } from 'node:crypto'
import type { Command } from 'commander'
import { Failure } from '../../domain/failure.ts'
import { type Errand, withControlPlane } from '../connection.ts'
import { changedLines, scheduleLines, scheduleTable } from '../render/schedule.ts'
import {
  common,
  type CommonOptions,
  print,
  printJson,
  type Shell,
  speller,
  tableWidth,
  targetOf,
} from './common.ts'
import { writeCommand } from './schedule-write.ts'

export function scheduleCommand(program: Command, shell: Shell): void {
  const schedule = program.command('schedule').description('tasks that are made by the clock')
  listCommand(schedule, shell)
  showCommand(schedule, shell)
  writeCommand(schedule, shell, 'add', 'make a schedule of a task')
  writeCommand(schedule, shell, 'update', 'say all of a schedule anew: its times and its task')
  removeCommand(schedule, shell)
  runCommand(schedule, shell)
  switchCommand(schedule, shell, 'enable', 'have a schedule run again, from now on')
  switchCommand(schedule, shell, 'disable', 'have a schedule rest; runs that wait are skipped')
}

function listCommand(schedule: Command, shell: Shell): void {
  common(schedule.command('list').description('the schedules')).action(async (options: CommonOptions) => {
    const { world } = shell
    const schedules = await ask(shell, options, 'list', (client) => client.schedules.list())
    if (options.json === true) printJson(world, { schedules })
    else if (schedules.length === 0)
      print(world, [
        'No schedules yet. Make one with',
        `  ${speller(options)('schedule add NAME --cron "30 2 * * *" --repo PATH --goal TEXT')} -- PROGRAM`,
      ])
    else print(world, scheduleTable(schedules, tableWidth(shell)))
    shell.end('done')
  })
}

function showCommand(schedule: Command, shell: Shell): void {
  common(
    schedule.command('show <name>').description('a schedule, what it runs, and what became of its runs'),
  ).action(async (name: string, options: CommonOptions) => {
    const { world } = shell
    const shown = await ask(shell, options, 'show', async (client) => ({
      schedule: await client.schedules.show(name),
      occurrences: await client.schedules.occurrences(name, 20),
    }))
    if (options.json === true) printJson(world, shown)
    else {
      const { schedule, occurrences } = shown
      print(world, scheduleLines(schedule, occurrences, speller(options), world.terminal.paint))
    }
    shell.end('done')
  })
}

function removeCommand(schedule: Command, shell: Shell): void {
  common(schedule.command('remove <name>').description('remove a schedule; its tasks stay')).action(
    async (name: string, options: CommonOptions) => {
      await ask(shell, options, 'remove', async ({ schedules }, sent) => {
        try {
          await schedules.remove(name)
        } catch (error) {
          const isGone = error instanceof Failure && error.code === 'not_found'
          if (!sent || !isGone) throw error
        }
      })
      if (options.json === true) printJson(shell.world, { removed: name })
      else print(shell.world, [`Schedule ${name} is removed.`])
      shell.end('done')
    },
  )
}

function runCommand(schedule: Command, shell: Shell): void {
  common(schedule.command('run <name>').description('make a task of a schedule now')).action(
    async (name: string, options: CommonOptions) => {
      const { world } = shell
      // Under one key it is one task, however often it is asked for.
      const key = randomUUID()
      const ran = await ask(shell, options, 'run', (client) => client.schedules.run(name, key))
      const { id, status } = ran.task
      const spell = speller(options)
      const next = status === 'DRAFT' ? `task show ${id}` : `task watch ${id}`
      if (options.json === true) printJson(world, ran)
      else print(world, [`Task ${id} is ${status}. ${ran.occurrence.text}`, ...ran.notes, `  ${spell(next)}`])
      shell.end(status === 'DRAFT' ? 'person' : 'done')
    },
  )
}

function switchCommand(
  schedule: Command,
  shell: Shell,
  what: 'enable' | 'disable',
  description: string,
): void {
  common(schedule.command(`${what} <name>`).description(description)).action(
    async (name: string, options: CommonOptions) => {
      const { world } = shell
      const enabled = what === 'enable'
      const now = await ask(shell, options, what, (client) => client.schedules.enable(name, enabled))
      if (options.json === true) printJson(world, now)
      else print(world, changedLines(now, `${what}d`, speller(options)))
      shell.end('done')
    },
  )
}

async function ask<T>(shell: Shell, options: CommonOptions, what: string, errand: Errand<T>): Promise<T> {
  return await withControlPlane(targetOf(shell, options, `schedule ${what}`), errand)
}
