import type { Command } from 'commander'
import { type AuditOutcome, auditOutcomes } from '../../domain/audit.ts'
import { Failure } from '../../domain/failure.ts'
import { withControlPlane } from '../connection.ts'
import { auditLines } from '../render/audit.ts'
import { common, type CommonOptions, idOf, print, printJson, type Shell, targetOf } from './common.ts'
import { type PageOptions, pageOf, pages, tellMore } from './filters.ts'

interface AuditOptions extends CommonOptions, PageOptions {
  readonly task?: string
  readonly outcome?: string
}

export function auditCommand(program: Command, shell: Shell): void {
  const audit = program
    .command('audit')
    .description('who asked for what, and what became of it; newest first')
  pages(common(audit), 50)
    .option('--task <id>', 'of this task alone')
    .option('--outcome <outcome>', `only what was ${auditOutcomes.join(', ')}`)
    .action(async (options: AuditOptions) => {
      const { world } = shell
      const { task } = options
      const filter = {
        ...pageOf(options),
        ...outcomeOf(options.outcome),
        ...(task === undefined ? {} : { taskId: idOf(task) }),
      }
      const page = await withControlPlane(targetOf(shell, options, 'audit'), (client) => client.audit(filter))
      if (options.json === true) printJson(world, page)
      else if (page.rows.length === 0)
        world.terminal.error('Nothing of that kind has been asked for so far.\n')
      else {
        print(world, auditLines(page.rows))
        tellMore(shell, page.next)
      }
      shell.end('done')
    })
}

function outcomeOf(text: string | undefined): { outcome?: AuditOutcome } {
  if (text === undefined) return {}
  const outcome = auditOutcomes.find((known) => known === text)
  if (outcome !== undefined) return { outcome }
  throw new Failure('bad_request', `--outcome takes one of ${auditOutcomes.join(', ')}, not ${text}.`)
}
