import type { Command } from 'commander'
import type { BackupReport } from '../../domain/backup.ts'
import { Failure } from '../../domain/failure.ts'
import { counted } from '../../domain/text.ts'
import { plain } from '../render/text.ts'
import { type CommonOptions, onFolder, print, printJson, type Shell } from './common.ts'

/** `backup` and `restore`: both work on folders, and need no process that holds the data folder. */
export function backupCommands(program: Command, shell: Shell): void {
  const { world } = shell
  onFolder(
    program
      .command('backup <folder>')
      .description('copy database, keys and commits into a new folder, also while tasks are worked on')
      .option(
        '--keep <n>',
        'name the copy by its time, within the folder, and keep the newest so many of them',
      ),
  ).action(async (folder: string, options: CommonOptions & { readonly keep?: string }) => {
    const keep = options.keep === undefined ? null : countOf(options.keep)
    const report = await world.backup(world.loadConfig(options), folder, keep)
    tell(shell, options, 'Backed up', report)
  })
  onFolder(
    program
      .command('restore <folder>')
      .description('make the data folder out of a backup, where there is none'),
  ).action(async (folder: string, options: CommonOptions) => {
    const report = await world.restore(world.loadConfig(options), folder)
    tell(shell, options, 'Restored', report)
  })
}

function countOf(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text)
  throw new Failure('bad_request', '--keep takes how many copies are to be left, from 1 to 9999.')
}

function tell(shell: Shell, options: CommonOptions, done: string, report: BackupReport): void {
  const { world } = shell
  if (options.json === true) printJson(world, report)
  else {
    const at = new Date(report.at).toISOString()
    const what = `${done} the record, and the work of ${counted(report.tasks, 'task')}, to ${report.path}, as of ${at}.`
    print(world, [plain(what), ...report.notes.map(plain)])
  }
  // It is made, and yet nothing to rely on.
  if (report.incomplete !== undefined) throw new Failure('data_folder', report.incomplete)
  shell.end('done')
}
