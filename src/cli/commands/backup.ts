import type { Command } from 'commander'
import type { BackupReport } from '../../domain/backup.ts'
import { counted } from '../../domain/text.ts'
import { plain } from '../render/text.ts'
import { type CommonOptions, onFolder, print, printJson, type Shell } from './common.ts'

/** `backup` and `restore`: both work on folders, and need no process that holds the data folder. */
export function backupCommands(program: Command, shell: Shell): void {
  const { world } = shell
  onFolder(
    program
      .command('backup <folder>')
      .description('copy database, keys and commits into a new folder, also while tasks are worked on'),
  ).action(async (folder: string, options: CommonOptions) => {
    const report = await world.backup(world.loadConfig(options), folder)
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

function tell(shell: Shell, options: CommonOptions, done: string, report: BackupReport): void {
  const { world } = shell
  if (options.json === true) printJson(world, report)
  else {
    const at = new Date(report.at).toISOString()
    const what = `${done} the record, and the work of ${counted(report.tasks, 'task')}, to ${report.path}, as of ${at}.`
    print(world, [plain(what), ...report.notes.map(plain)])
  }
  shell.end('done')
}
