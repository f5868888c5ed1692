#!/usr/bin/env node
import { z } from 'zod'
import { growWithWork } from './small-heap.ts'
import { patience } from '../client/watchful.ts'
import { thisProcess } from '../config/environment.ts'
import { loadConfig } from '../config/load.ts'
import { issueWords } from '../domain/issue-words.ts'
import { cli } from './cli.ts'
import { processTerminal } from './terminal.ts'

const around = thisProcess()
const terminal = processTerminal()
// Of every schema in this process.
z.config({ customError: issueWords })

// The control plane is loaded where it is needed: most commands ask one in another process, and answer a fifth sooner without it.
process.exitCode = await cli(process.argv.slice(2), {
  around,
  terminal,
  loadConfig: (flags) => loadConfig(flags, around),
  async open(config, options) {
    const { open } = await import('../../control-plane/main.ts')
    growWithWork()
    return await open(config, around, options)
  },
  async diagnose(config) {
    const { diagnoseClosed } = await import('../../control-plane/main.ts')
    return await diagnoseClosed(config, around)
  },
  async backup(config, folder, keep) {
    const { backUpData } = await import('../../control-plane/main.ts')
    return await backUpData(config, around, folder, keep)
  },
  async restore(config, folder) {
    const { restoreData } = await import('../../control-plane/main.ts')
    return await restoreData(config, around, folder)
  },
  async *setUpDiscord(config) {
    const { setUpDiscord } = await import('../../control-plane/main.ts')
    yield* setUpDiscord(config)
  },
  async buildImage(...asked) {
    const { buildImages } = await import('../../control-plane/main.ts')
    return await buildImages(...asked)
  },
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
