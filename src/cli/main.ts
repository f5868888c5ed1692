#!/usr/bin/env node
import { growWithWork } from './small-heap.ts'
import { patience } from '../client/watchful.ts'
import { thisProcess } from '../config/environment.ts'
import { loadConfig } from '../config/load.ts'
import { cli } from './cli.ts'
import { processTerminal } from './terminal.ts'

const around = thisProcess()
const terminal = processTerminal()

/** Loaded where it is needed: most commands ask a control plane in another process, and take half the time without it. */
async function controlPlane() {
  const loaded = await import('../../control-plane/main.ts')
  growWithWork()
  return loaded
}

process.exitCode = await cli(process.argv.slice(2), {
  around,
  terminal,
  loadConfig: (flags) => loadConfig(flags, around),
  open: async (config, options) => await (await controlPlane()).open(config, around, options),
  diagnose: async (config) => await (await controlPlane()).diagnoseClosed(config, around),
  backup: async (config, folder, keep) =>
    await (await controlPlane()).backUpData(config, around, folder, keep),
  restore: async (config, folder) => await (await controlPlane()).restoreData(config, around, folder),
  async *setUpDiscord(config) {
    yield* (await controlPlane()).setUpDiscord(config)
  },
  buildImage: async (...asked) => await (await controlPlane()).buildImages(...asked),
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
