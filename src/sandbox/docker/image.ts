import type Docker from 'dockerode'
import { messageOf } from '../../domain/failure.ts'
import { imageTag } from './image/agents.ts'
import { pullBase } from './image/base.ts'
import { bootstrapBase } from './image/bootstrap.ts'
import { layOutContext, packContext } from './image/context.ts'
import { idOf, idOfBuilt } from './image/id.ts'
import { hashOf, imageInputs } from './image/inputs.ts'
import { takeTurn } from './image/lock.ts'
import { fetchNode } from './image/node.ts'
import { runBuild } from './image/run-build.ts'
import type { BuildWatcher } from './image/watcher.ts'

export { imageTag }

/** The id (`sha256:…`) of the core that belongs to this version of Cofferdam, or null where it is not built yet. */
export async function builtImage(docker: Docker): Promise<string | null> {
  return idOf(docker, imageTag())
}

/**
 * Builds the image unless it is there, and resolves to its id. One build at a time: a second caller waits for the first
 * and finds its image. What a killed build left is cleared away by the next. `fresh` makes base and image anew in any case,
 * from what the sources offer today; until that is done the name stands for the image that was there.
 * Rejects with `Failure('image')`, or with `Failure('engine')` where the engine does not answer.
 */
export async function buildImage(docker: Docker, watcher: BuildWatcher, fresh = false): Promise<string> {
  const built = fresh ? null : await builtImage(docker)
  if (built !== null) return built
  await using turn = await takeTurn(watcher)
  const meanwhile = fresh ? null : await builtImage(docker)
  if (meanwhile !== null) return meanwhile

  const inputs = imageInputs()
  const image = imageTag()
  const base = { repo: 'cofferdam/base', tag: hashOf(inputs.base) }
  const baseTag = `${base.repo}:${base.tag}`
  await using work = await turn.scratch()

  const there = !fresh && (await idOf(docker, baseTag)) !== null
  const pulled = !there && (await pullBase(docker, inputs.base.pull, base, watcher))
  const [based, fetched] = await Promise.allSettled([
    there || pulled ? null : bootstrapBase(docker, inputs.base, base, work.path, watcher),
    fetchNode(inputs.node, work.path, watcher),
  ])
  if (based.status === 'rejected') throw based.reason
  if (fetched.status === 'rejected') throw fetched.reason
  const context = await layOutContext(inputs, fetched.value, work.path)
  try {
    await build()
  } catch (error) {
    // A pulled base brings its own apt sources, which may be out of reach where a registry is not.
    if (!pulled) throw error
    watcher.progress(`the pulled base does not do here: ${messageOf(error)}`)
    await bootstrapBase(docker, inputs.base, base, work.path, watcher)
    await build()
  }
  return await idOfBuilt(docker, image)

  async function build(): Promise<void> {
    await runBuild(
      docker,
      packContext(context, inputs.base.epoch),
      {
        t: image,
        target: 'core',
        buildargs: { BASE: baseTag, PACKAGES: inputs.base.packages.join(' ') },
        nocache: fresh,
      },
      watcher,
    )
  }
}
