import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { BoxResult, BoxSpec } from '../../../domain/box.ts'
import { Failure, messageOf } from '../../../domain/failure.ts'
import { postureLevels, type Posture } from '../../../domain/posture.ts'
import { compileBox } from '../../spec.ts'
import type { Api } from '../connect.ts'
import { removeBox } from '../leftovers.ts'
import type { Parts } from '../parts.ts'
import { runBox } from '../run.ts'
import { canaryFolder, canaryGround } from './ground.ts'
import { judge, missingAround, nameOf, linesOf } from './judge.ts'
import { canaryRequest, canaryVersion, withScript } from './request.ts'

const postureSchema = z.object({
  level: z.enum(postureLevels),
  missing: z.array(z.string()),
  engine: z.string(),
  seen: z.record(z.string(), z.string()),
  at: z.number(),
}) satisfies z.ZodType<Posture>
const memorySchema = z.object({ of: z.string(), posture: postureSchema })

/**
 * Runs a canary box with the full spec and judges what it tells; remembered in the scratch folder for as long as engine,
 * runtime, kernel, image, user and canary are the same. Rejects where no box can be run, and where the runtime that was chosen
 * does not keep the walls.
 */
export async function findPosture(parts: Parts, image: () => Promise<string>): Promise<Posture> {
  const api = await parts.connect()
  const imageId = await image()
  const of = JSON.stringify([canaryVersion, imageId, api.host, parts.user])
  const path = join(parts.scratch, 'posture.json')
  const known = await recall(path, of)
  if (known !== null) return known
  const posture = await runAndJudge(parts, api, imageId).catch((error: unknown) =>
    refuse(api, messageOf(error), error),
  )
  if (api.host.runtime !== null && posture.level === 'degraded') refuse(api, posture.missing.join('; '))
  await mkdir(parts.scratch, { recursive: true })
  await writeFile(`${path}.new`, JSON.stringify({ of, posture }))
  await rename(`${path}.new`, path)
  return posture
}

function refuse({ host }: Api, why: string, cause?: unknown): never {
  if (host.runtime === null) throw cause
  throw new Failure(
    'engine',
    `The runtime ${host.runtime} does not do here: ${why.replace(/\.$/, '')}. Take another runtime, or none.`,
    { cause },
  )
}

async function recall(path: string, of: string): Promise<Posture | null> {
  try {
    const memory = memorySchema.parse(JSON.parse(await readFile(path, 'utf8')))
    return memory.of === of ? memory.posture : null
  } catch {
    return null
  }
}

async function runAndJudge(parts: Parts, api: Api, image: string): Promise<Posture> {
  const at = parts.now()
  const { installation, user } = parts
  const spec = withScript(compileBox(canaryRequest({ installation, image, user, fence: at })))
  const result = await runCanary(parts, spec)
  const engine = `${nameOf(api.host)}, Linux ${api.host.kernel}`
  // A box that refuses its own walls tells of the first that is missing.
  if (result.end === 'not_started' && result.message !== null)
    return { level: 'degraded', missing: [result.message, ...missingAround(api.host)], engine, seen: {}, at }
  if (result.end !== 'exited' || result.exitCode !== 0)
    throw new Failure(
      'engine',
      `No box can be run on the Docker engine: ${result.message ?? `it ended with code ${result.exitCode}`} ${result.output.trim().slice(-500)}`.trim(),
    )
  const seen = linesOf(result.output)
  return { ...judge(seen, spec, api.host), engine, seen, at }
}

async function runCanary(parts: Parts, spec: BoxSpec): Promise<BoxResult> {
  const { name } = spec
  parts.busy.add(name)
  parts.canaries.add(name)
  try {
    await using ground = await canaryGround(join(canaryFolder(parts.scratch), name), spec.user)
    const nobody = { started: () => undefined, output: () => undefined }
    try {
      return await runBox(parts, spec, ground, nobody, AbortSignal.timeout(60_000))
    } finally {
      await removeBox(parts, name)
    }
  } finally {
    parts.canaries.delete(name)
    parts.busy.delete(name)
  }
}
