import type { Held, Opened, OpenOptions } from '../../control-plane/main.ts'
import type { Patience } from '../client/watchful.ts'
import type { Environment } from '../config/environment.ts'
import type { Config, ConfigFlags } from '../config/load.ts'
import type { BackupReport } from '../domain/backup.ts'
import type { Finding } from '../domain/control-plane.ts'
import type { WantedImage } from '../domain/image.ts'
import type { Terminal } from './terminal.ts'

/** What a command works with besides its options. */
export interface World {
  readonly around: Environment
  readonly terminal: Terminal
  loadConfig(flags: ConfigFlags): Config
  open(config: Config, options: OpenOptions): Promise<Opened | Held>
  /** What doctor finds where no process answers for the data folder; changes nothing. */
  diagnose(config: Config): Promise<readonly Finding[]>
  /** Copies a data folder into a new folder, as it is named on the command line; with `keep`, into one of so many within it. */
  backup(config: Config, folder: string, keep: number | null): Promise<BackupReport>
  /** Makes the data folder out of such a copy. */
  restore(config: Config, folder: string): Promise<BackupReport>
  /** Goes through what the front end on Discord needs. Throws `Failure('bad_config')` where there is none. */
  setUpDiscord(config: Config): AsyncIterable<Finding>
  buildImage(config: Config, progress: (line: string) => void, wanted: WantedImage): Promise<string>
  /** Calls `handler` for every signal that asks this process to end, instead of ending, until disposed of. */
  onSignal(handler: (signal: 'SIGINT' | 'SIGTERM') => void): Disposable
  /** Ends the process now. */
  exit(code: number): void
  /** With another process that holds the data folder. */
  readonly patience: Patience
  /** Epoch milliseconds. */
  now(): number
}

/** Whether people want to see the inside of things. */
export const debugging = (world: World): boolean => Boolean(world.around.env['COFFERDAM_DEBUG'])
