// Makes the configuration for a first task whose model is a server with an address, which it gets as the agent pi asks it, and
// prints where it is:
//   node deploy/first-config.mjs ORIGIN MODEL FOLDER
// It is the usual configuration with that model, so that all holds that it says of what is in the data folder: how long
// that is kept, who is told of it. It lies beside that one, as paths are seen from there; in FOLDER where there is none.
// Ends with 3 where another process works on the data folder, for that one has its own configuration; with 4, and why, where
// it cannot be written.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'
import { thisProcess } from '../dist/src/config/environment.js'
import { loadConfig } from '../dist/src/config/load.js'

const [origin, model, folder] = process.argv.slice(2)
const { file, dataFolder, runtimeFolder, controlSocket } = loadConfig({}, thisProcess())

const isTaken = await new Promise((resolve) => {
  const socket = connect(controlSocket)
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
})
if (isTaken) process.exit(3)

const upstream = 'openai-compatible'
const { agents, upstreams, task = {}, ...usual } = (file && parse(readFileSync(file, 'utf8'))) ?? {}
// A model that nobody named a price of is refused where there is a limit on cost; this task has one on tokens.
const { cost: _, ...limits } = task
const before = upstreams?.[upstream]
const config = {
  ...usual,
  data: dataFolder,
  // What is named is a folder of such folders.
  runtime: dirname(runtimeFolder),
  task: limits,
  agents: { ...agents, pi: { upstream, model } },
  // Its key is for it alone.
  upstreams: {
    ...upstreams,
    [upstream]: { ...(before?.origin === origin ? before : {}), origin, plainHttp: true },
  },
}

const place = join(file === null ? folder : dirname(file), 'cofferdam-first-task.yaml')
try {
  rmSync(place, { force: true })
  // JSON is YAML as well.
  writeFileSync(place, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
} catch (error) {
  console.error(error.message)
  process.exit(4)
}
console.log(place)
