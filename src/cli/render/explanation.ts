import type { Explanation } from '../../domain/control-plane.ts'
import type { BoxMount, BoxSource, BoxSpec } from '../../domain/box.ts'
import type { Egress } from '../../domain/egress.ts'
import type { Policy } from '../../domain/policy.ts'
import { quoted } from '../../domain/shell.ts'
import type { Paint } from '../terminal.ts'
import { columns, plain, wrapped } from './text.ts'

/** What a task would get, for people. */
export function explanationLines(explanation: Explanation, paint: Paint): readonly string[] {
  const { notes, hidden, risks, boxes, policy } = explanation
  return [
    ...list('Notes', notes, paint),
    ...list('Hidden from the boxes', hidden, paint),
    ...list(
      risks.length === 0 ? 'Runs by itself: no rule asks for a person.' : 'Wants a person, because',
      risks.map(({ rule, text }) => `${rule}: ${text}`),
      paint,
    ),
    ...policyLines(policy, paint),
    ...boxes.flatMap((box) => boxLines(box, paint)),
  ]
}

/** The patterns that hold, those of the defaults included, whether they match anything or not. */
export function policyLines(
  { deny, except, readonly, allow, egress }: Policy,
  paint: Paint,
): readonly string[] {
  const rows = Object.entries({ deny, except, readonly, allow, egress }).flatMap(([name, patterns]) =>
    wrapped(patterns.map(plain), 100).map((line, index) => [index === 0 ? name : '', line]),
  )
  return [paint.bold('Policy'), ...columns(rows).map((line) => `  ${line}`), '']
}

function list(title: string, items: readonly string[], paint: Paint): readonly string[] {
  if (items.length === 0 && !title.endsWith('.')) return []
  return [paint.bold(title), ...items.map((item) => `  ${plain(item)}`), '']
}

function boxLines(box: BoxSpec, paint: Paint): readonly string[] {
  const { limits } = box
  const rows = [
    ['command', box.argv.map(quoted).join(' ')],
    ['network', egressText(box.egress)],
    ['user', `${box.user.uid}:${box.user.gid}, no capabilities, read-only root`],
    ['image', box.image],
    [
      'limits',
      `${limits.memoryMb} MiB memory, ${limits.cpus} CPUs, ${limits.pids} processes, ${limits.seconds} s, ${limits.outputMb} MiB output`,
    ],
  ]
  return [
    paint.bold(`Box: ${box.kind}`),
    ...columns(rows).map((line) => `  ${plain(line)}`),
    '',
    ...columns([['TARGET', 'MODE', 'SOURCE', 'WHY'], ...box.mounts.map(mountRow)]).map(
      (line) => `  ${plain(line)}`,
    ),
    '',
  ]
}

/** What a box may reach, in a line. */
function egressText(egress: Egress | null): string {
  if (egress === null) return 'none, and no gateway'
  const { tunnels, upstreams } = egress
  const hosts = tunnels.map(({ host, ports, why }) => `${host}:${ports.join(',')} (${why})`)
  const all = [...upstreams.map((name) => `upstream ${name}`), ...hosts]
  return all.length === 0 ? 'a gateway that allows nothing' : `by the gateway alone: ${all.join(', ')}`
}

function mountRow(mount: BoxMount): readonly string[] {
  const made = mount.placeholder === undefined ? '' : ` (makes the ${mount.placeholder})`
  return [mount.target, mount.readonly ? 'ro' : 'rw', sourceOf(mount.source), mount.why + made]
}

function sourceOf(source: BoxSource): string {
  if (source.kind === 'tree') {
    return `tree:${source.commit.slice(0, 10)} (${source.writes === 'keep' ? 'writes stay' : 'writes are lost'})`
  }
  return 'path' in source && source.path !== '' ? `${source.kind}:${source.path}` : source.kind
}
