import type { BoxSpec } from '../../domain/box.ts'
import { specHash } from '../hash.ts'

// How a box of ours is told from everything else on an engine, and from the boxes of another installation.
const managed = 'cofferdam.managed'
const installationLabel = 'cofferdam.installation'
const taskLabel = 'cofferdam.task'
const specLabel = 'cofferdam.spec'

export type Labels = Readonly<Record<string, string>>

/** On everything that belongs to an installation. */
export function installationLabels(installation: string): Labels {
  return { [managed]: '1', [installationLabel]: installation }
}

export function boxLabels(spec: BoxSpec, installation: string): Labels {
  return {
    ...installationLabels(installation),
    [taskLabel]: spec.task,
    'cofferdam.step': String(spec.step),
    'cofferdam.attempt': String(spec.attempt),
    'cofferdam.kind': spec.kind,
    [specLabel]: specHash(spec),
  }
}

/** The engine's filter for what carries the installation's labels. */
export function ours(installation: string): { label: string[] } {
  return { label: Object.entries(installationLabels(installation)).map(([key, value]) => `${key}=${value}`) }
}

/** The task and spec hash on a box; null on anything of ours that is no box. */
export function readBoxLabels(labels: Labels): { task: string; specHash: string } | null {
  const task = labels[taskLabel]
  const hash = labels[specLabel]
  return task === undefined || hash === undefined ? null : { task, specHash: hash }
}
