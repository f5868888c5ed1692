import type { BoxRequest } from './box.ts'

/** The name of a box on its engine. Deterministic, so that the same attempt under the same fence cannot be made twice. */
export function boxName(
  request: Pick<BoxRequest, 'installation' | 'task' | 'step' | 'attempt' | 'kind' | 'fence'>,
): string {
  const { installation, task, step, attempt, kind, fence } = request
  if (!/^[a-z0-9]{1,12}$/.test(installation)) throw new Error(`not an installation name: ${installation}`)
  return `cofferdam-${installation}-${task}-s${step}-a${attempt}-${kind}-f${fence}`
}

/** What the name of a box says of whose it is; null where it is no such name. */
export function readBoxName(name: string): { task: string; step: number; attempt: number } | null {
  const found = /^cofferdam-[a-z0-9]{1,12}-([a-z2-7]{10})-s(\d+)-a(\d+)-/.exec(name)
  const [, task, step, attempt] = found ?? []
  return task === undefined ? null : { task, step: Number(step), attempt: Number(attempt) }
}
