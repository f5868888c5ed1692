import type { Actor, Task } from '../../src/domain/task.ts'
import type { Lost, Surface } from '../store/store.ts'

/** Why what a person did to a task was not written, for that person: what became of it and what to do next. Pure. */
export function tooLate(task: Task, { reason, now, surface }: Lost): string {
  const state = now === null ? `Task ${task.id} is gone` : `Task ${task.id} is ${now.status} now`
  const again = `${state}: look at it and decide again.`
  switch (reason) {
    case 'used':
      return surface === null ? again : `${whoDecided(surface)} ${state}.`
    case 'closed':
      return `The task moved on before this was decided. ${again}`
    case 'expired':
      return `That offer has expired: \`cofferdam task show ${task.id}\` shows the task as it is. ${again}`
    case 'stale':
      return `The task changed since that was shown. ${again}`
    case 'not_offered':
      return `That was not offered there. ${again}`
    case 'unknown':
      return `Nothing was offered there to decide on. ${again}`
    case 'task':
    case 'schedule':
    case 'decided':
    case 'overlap':
      return `Task ${task.id} changed at the same moment. ${again}`
  }
}

/** Who decided what, in a sentence; '' where nobody has. */
export function whoDecided({ usedAction, usedBy, text }: Surface): string {
  if (usedAction === null || usedBy === null) return ''
  const said = text === null ? '' : `: ${JSON.stringify(text)}`
  return `${nameOf(usedBy)} has decided already (${usedAction}${said}).`
}

function nameOf({ kind, id }: Actor): string {
  return kind === 'local' ? id : `The ${kind} (${id})`
}
