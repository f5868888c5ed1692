// Prints the configuration for a first task whose model is a server with an address, which it gets as the agent pi asks it:
//   node deploy/first-config.mjs ORIGIN MODEL
// The data folder is that of the usual configuration. Ends with 3 where another process works on that, for that one has its
// own configuration.
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { thisProcess } from '../dist/src/config/environment.js'
import { loadConfig } from '../dist/src/config/load.js'

const [origin, model] = process.argv.slice(2)
const { dataFolder, runtimeFolder, controlSocket, engine, attestationKey } = loadConfig({}, thisProcess())

const isTaken = await new Promise((resolve) => {
  const socket = connect(controlSocket)
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
})
if (isTaken) process.exit(3)

const upstream = 'openai-compatible'
// JSON is YAML as well.
process.stdout.write(
  `${JSON.stringify(
    {
      data: dataFolder,
      // What is named is a folder of such folders.
      runtime: dirname(runtimeFolder),
      engine: { socket: engine.socket, ...(engine.runtime === null ? {} : { runtime: engine.runtime }) },
      ...(attestationKey === null ? {} : { attestation: { key: attestationKey } }),
      agents: { pi: { upstream, model } },
      upstreams: { [upstream]: { origin, plainHttp: true } },
    },
    null,
    2,
  )}\n`,
)
