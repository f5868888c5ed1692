import type { ControlPlane } from '../../domain/control-plane.ts'
import { canFollowUp } from '../../domain/question/follow-up.ts'
import type { Status, Task } from '../../domain/task.ts'
import { cut, most, plain } from '../text.ts'

export interface Choice {
  readonly name: string
  readonly value: string
}

/** For which tasks a command makes sense; the others take any. */
const sensible: Readonly<Record<string, readonly Status[]>> = {
  task_approve: ['DRAFT'],
  task_reject: ['DRAFT', 'BLOCKED'],
  task_suggest: ['DRAFT', 'APPLIED', 'BLOCKED', 'FAILED', 'TIMEOUT', 'STOPPED'],
  task_resume: ['BLOCKED', 'FAILED', 'TIMEOUT', 'STOPPED'],
  task_stop: ['DRAFT', 'PENDING', 'RUNNING', 'VALIDATING', 'BLOCKED'],
  task_merge: ['APPLIED'],
  task_pull_request: ['APPLIED'],
  task_pull_ended: ['APPLIED'],
  task_undo: ['APPLIED'],
  task_discard: ['APPLIED', 'BLOCKED', 'FAILED', 'TIMEOUT', 'STOPPED', 'REJECTED'],
  task_withdraw: ['APPLIED'],
  task_pause: ['PENDING', 'RUNNING', 'VALIDATING'],
}

/** What is offered while somebody types; at most 25, as Discord takes them. */
export function completions(
  plane: Pick<ControlPlane, 'tasks' | 'repositories' | 'agents' | 'schedules'>,
  command: string,
  option: string,
  typed: string,
): readonly Choice[] {
  const wanted = typed.toLowerCase()
  return all(plane, command, option)
    .filter(({ name, value }) => name.toLowerCase().includes(wanted) || value.toLowerCase().includes(wanted))
    .filter(({ value }) => value.length <= most.choice)
    .slice(0, 25)
    .map(({ name, value }) => ({ name: cut(name, most.choice), value }))
}

function all(
  plane: Pick<ControlPlane, 'tasks' | 'repositories' | 'agents' | 'schedules'>,
  command: string,
  option: string,
): readonly Choice[] {
  switch (option) {
    case 'task': {
      const statuses = sensible[command]
      return named(plane.tasks({ limit: 200, ...(statuses === undefined ? {} : { statuses }) }))
    }
    case 'follow_up':
      return named(plane.tasks({ limit: 50, kind: 'question', statuses: ['APPLIED'] }).filter(canFollowUp))
    case 'repository':
      return plane.repositories().map(({ path }) => ({
        name: path,
        value: path.length <= most.choice ? path : (path.split('/').at(-1) ?? path),
      }))
    case 'agent':
      return (
        plane
          .agents()
          // A question names no program that could answer it.
          .filter(({ name }) => command !== 'ask' || name !== 'command')
          .map(({ name, usual, answers }) => ({
            name: (command === 'ask' ? answers : usual) ? `${name} (usual)` : name,
            value: name,
          }))
      )
    case 'schedule':
      return plane.schedules.list().map(({ name }) => ({ name, value: name }))
    default:
      return []
  }
}

const named = (tasks: readonly Task[]): readonly Choice[] =>
  tasks.map(({ id, status, goal }) => ({
    name: `${id} ${status} ${plain(goal).replaceAll(/\s+/g, ' ')}`,
    value: id,
  }))
