import { createRequire } from 'node:module'
import { loadDockerode } from '../../../../src/sandbox/docker/load.ts'

const Docker = await loadDockerode()
const loaded = Object.keys(createRequire(import.meta.url).cache)
const packages = new Set(
  loaded.flatMap((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []),
)
const answer: unknown = await new Docker({ socketPath: '/nowhere/docker.sock' })
  .version()
  .catch((error: unknown) => error)
const refused = answer instanceof Error && 'code' in answer ? answer.code : answer
process.stdout.write(JSON.stringify({ packages: [...packages], refused }))
