import type Docker from 'dockerode'
import { createHash } from 'node:crypto'
import { lstatSync, readFileSync, readdirSync, readlinkSync, type Stats } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { HostPath } from '../../../domain/brand.ts'
import { Failure, messageOf } from '../../../domain/failure.ts'
import { packAsItIs } from './context.ts'
import { idOf, idOfBuilt } from './id.ts'
import { hashOf } from './inputs.ts'
import { takeTurn } from './lock.ts'
import { runBuild } from './run-build.ts'
import type { BuildWatcher } from './watcher.ts'

/** The most that may lie beside an operator's Dockerfile: all of it is read whenever the image is looked for. */
const most = { files: 1000, bytes: 64 * 1024 * 1024 }

/**
 * `cofferdam/own:<12 hex>`: what an operator's Dockerfile makes of the image `base`. The hash is over the folder that the
 * Dockerfile is in, which is its build context, and the tag of the base. Throws `Failure('image')` where it cannot be read.
 */
export function ownTag(dockerfile: HostPath, base: string): string {
  return `cofferdam/own:${hashOf([base, basename(dockerfile), filesAround(dockerfile)])}`
}

/** Builds that image unless it is there, on a base that is. Resolves to its id. */
export async function buildOwn(
  docker: Docker,
  dockerfile: HostPath,
  base: string,
  watcher: BuildWatcher,
  fresh = false,
): Promise<string> {
  const tag = ownTag(dockerfile, base)
  const built = fresh ? null : await idOf(docker, tag)
  if (built !== null) return built
  await using _turn = await takeTurn(watcher)
  const options = {
    t: tag,
    dockerfile: basename(dockerfile),
    buildargs: { BASE: base },
    nocache: fresh,
  }
  await runBuild(docker, packAsItIs(dirname(dockerfile)), options, watcher)
  const [own, under] = await Promise.all([tag, base].map((name) => docker.getImage(name).inspect()))
  const layers = own?.RootFS.Layers ?? []
  if (under?.RootFS.Layers?.every((layer, at) => layers[at] === layer) === true)
    return await idOfBuilt(docker, tag)
  await docker.getImage(tag).remove()
  throw new Failure(
    'image',
    `What ${dockerfile} makes does not stand on the sandbox image: begin it with "ARG BASE" and "FROM \${BASE}", then run this again.`,
  )
}

function filesAround(dockerfile: HostPath): readonly (readonly string[])[] {
  const folder = dirname(dockerfile)
  try {
    readFileSync(dockerfile)
    const seen = entriesIn(folder)
    if (seen.length > most.files || seen.reduce((sum, { stat }) => sum + stat.size, 0) > most.bytes)
      throw new Failure(
        'image',
        `There is too much beside ${dockerfile}, whose folder is what it is built from: give it a folder of its own, of at most ${most.files} files and 64 MiB.`,
      )
    return seen.map(({ name, stat }) => [name, stat.mode.toString(8), contentOf(join(folder, name), stat)])
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure(
      'image',
      `The Dockerfile ${dockerfile} of the configuration cannot be read: ${messageOf(error)}. Mend that, or remove the key.`,
    )
  }
}

/** All below a folder, no link followed, by name; one more than may be there where there are too many. */
function entriesIn(folder: string): readonly { readonly name: string; readonly stat: Stats }[] {
  const seen: { name: string; stat: Stats }[] = []
  const waiting = ['']
  for (let inner = waiting.pop(); inner !== undefined; inner = waiting.pop())
    for (const entry of readdirSync(join(folder, inner))) {
      const name = join(inner, entry)
      const stat = lstatSync(join(folder, name))
      seen.push({ name, stat })
      if (seen.length > most.files) return seen
      if (stat.isDirectory()) waiting.push(name)
    }
  return seen.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function contentOf(path: string, stat: { isFile(): boolean; isSymbolicLink(): boolean }): string {
  if (stat.isSymbolicLink()) return readlinkSync(path)
  return stat.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : ''
}
