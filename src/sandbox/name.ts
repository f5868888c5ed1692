import type { BoxRequest } from '../domain/box.ts'

/** The name of a box on its engine. Deterministic, so that the same attempt under the same fence cannot be made twice. */
export function boxName(
  request: Pick<BoxRequest, 'installation' | 'task' | 'step' | 'attempt' | 'kind' | 'fence'>,
): string {
  const { installation, task, step, attempt, kind, fence } = request
  if (!/^[a-z0-9]{1,12}$/.test(installation)) throw new Error(`not an installation name: ${installation}`)
  return `cofferdam-${installation}-${task}-s${step}-a${attempt}-${kind}-f${fence}`
}
