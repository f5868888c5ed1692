#!/usr/bin/env node
import { growWithWork } from './small-heap.ts'
import {
  backUpData,
  buildImages,
  diagnoseClosed,
  open,
  restoreData,
  setUpDiscord,
} from '../../control-plane/main.ts'
import { patience } from '../client/watchful.ts'
import { thisProcess } from '../config/environment.ts'
import { loadConfig } from '../config/load.ts'
import { cli } from './cli.ts'
import { processTerminal } from './terminal.ts'

growWithWork()
const around = thisProcess()
const terminal = processTerminal()

process.exitCode = await cli(process.argv.slice(2), {
  around,
  terminal,
  loadConfig: (flags) => loadConfig(flags, around),
  open: (config, options) => open(config, around, options),
  diagnose: (config) => diagnoseClosed(config, around),
  backup: (config, folder, keep) => backUpData(config, around, folder, keep),
  restore: (config, folder) => restoreData(config, around, folder),
  setUpDiscord,
  buildImage: buildImages,
  onSignal(handler) {
    const interrupt = (): void => handler('SIGINT')
    const terminate = (): void => handler('SIGTERM')
    process.on('SIGINT', interrupt).on('SIGTERM', terminate).on('SIGHUP', terminate)
    return {
      [Symbol.dispose]: () => {
        process.off('SIGINT', interrupt).off('SIGTERM', terminate).off('SIGHUP', terminate)
      },
    }
  },
  exit: (code) => process.exit(code),
  patience,
  now: Date.now,
})
