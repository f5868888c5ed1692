import type { Command } from 'commander'
import { type AuditOutcome, auditOutcomes } from '../../domain/audit.ts'
import { Failure } from '../../domain/failure.ts'
import { withControlPlane } from '../connection.ts'
import { auditLines } from '../render/audit.ts'
import {
  common,
  type CommonOptions,
  idOf,
  limitOf,
  print,
  printJson,
  type Shell,
  targetOf,
} from './common.ts'

interface AuditOptions extends CommonOptions {
  readonly task?: string
  readonly outcome?: string
  readonly cursor?: string
  readonly limit: string
}

export function auditCommand(program: Command, shell: Shell): void {
  common(program.command('audit').description('who asked for what, and what became of it; newest first'))
    .option('--task <id>', 'of this task alone')
    .option('--outcome <outcome>', `only what was ${auditOutcomes.join(', ')}`)
    .option('--cursor <next>', 'go on where an answer in JSON ended')
    .option('--limit <n>', 'show this many at most', '50')
    .action(async (options: AuditOptions) => {
      const { world } = shell
      const { task, cursor } = options
      const filter = {
        limit: limitOf(options.limit, 1000),
        ...outcomeOf(options.outcome),
        ...(task === undefined ? {} : { taskId: idOf(task) }),
        ...(cursor === undefined ? {} : { cursor }),
      }
      const page = await withControlPlane(targetOf(shell, options, 'audit'), (client) => client.audit(filter))
      if (options.json === true) printJson(world, page)
      else if (page.rows.length === 0)
        world.terminal.error('Nothing of that kind has been asked for so far.\n')
      else print(world, auditLines(page.rows))
      shell.end('done')
    })
}

function outcomeOf(text: string | undefined): { outcome?: AuditOutcome } {
  if (text === undefined) return {}
  const outcome = auditOutcomes.find((known) => known === text)
  if (outcome !== undefined) return { outcome }
  throw new Failure('bad_request', `--outcome takes one of ${auditOutcomes.join(', ')}, not ${text}.`)
}
