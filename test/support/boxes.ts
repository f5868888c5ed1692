import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

/** Names of the boxes of a task that the engine has, running or not. */
export function boxesOf(id: string, ...filters: readonly string[]): readonly string[] {
  const args = ['ps', '-a', '--filter', `label=cofferdam.task=${id}`, ...filters, '--format', '{{.Names}}']
  return execFileSync('docker', args, { encoding: 'utf8' }).split('\n').filter(Boolean)
}

/** Waits until a box of this kind runs for a task. */
export async function running(id: string, kind: string): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(50)) {
    if (boxesOf(id, '--filter', 'status=running').some((name) => name.includes(`-${kind}-`))) return
  }
  throw new Error(`no ${kind} box of ${id} came up`)
}

/** How long it takes until a task has no box any more, ms; Infinity when longer than `withinMs`. */
export async function goneAfter(id: string, withinMs: number): Promise<number> {
  const start = Date.now()
  while (boxesOf(id).length > 0) {
    if (Date.now() - start > withinMs) return Infinity
    await sleep(20)
  }
  return Date.now() - start
}

/** When a box of a task started or ended, by the engine's clock: epoch milliseconds. */
interface Moment {
  readonly name: string
  readonly at: number
}

/** The starts of the boxes of a task since then, as the engine recorded them. */
export function startsOf(id: string, since: number): readonly Moment[] {
  return eventsOf(id, since, 'start')
}

/** The ends of the boxes of a task since then, as the engine recorded them. */
export function endsOf(id: string, since: number): readonly Moment[] {
  return eventsOf(id, since, 'die')
}

function eventsOf(id: string, since: number, event: 'start' | 'die'): readonly Moment[] {
  const span = ['--since', String(Math.floor(since / 1000)), '--until', String(Math.ceil(Date.now() / 1000))]
  const filters = ['--filter', `label=cofferdam.task=${id}`, '--filter', `event=${event}`]
  const format = '{{.Actor.Attributes.name}} {{.TimeNano}}'
  const told = execFileSync('docker', ['events', ...span, ...filters, '--format', format], {
    encoding: 'utf8',
  })
  return told
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(' '))
    .map(([name = '', nanos = '']) => ({ name, at: Math.ceil(Number(nanos) / 1e6) }))
}
