import type Docker from 'dockerode'
import type { ImageAgent } from '../../../domain/image.ts'
import { buildImage } from '../image.ts'
import { agentInputs, imageTag, inOrder } from './agents.ts'
import { packContext } from './context.ts'
import { fetchAgent } from './fetch-agent.ts'
import { idOf, idOfBuilt } from './id.ts'
import { imageInputs } from './inputs.ts'
import { takeTurn } from './lock.ts'
import { runBuild } from './run-build.ts'
import type { BuildWatcher } from './watcher.ts'

/**
 * Builds the image with these agents unless it is there, and resolves to its id. Each agent is a layer, and an image of its
 * own, on the one before it, so that what is there already is not fetched again. Rejects as `buildImage` does.
 */
export async function buildWithAgents(
  docker: Docker,
  agents: readonly ImageAgent[],
  watcher: BuildWatcher,
  fresh = false,
): Promise<string> {
  const all = inOrder(agents)
  const last = all.at(-1)
  if (last === undefined) return await buildImage(docker, watcher, fresh)
  const tag = imageTag(all)
  const built = fresh ? null : await idOf(docker, tag)
  if (built !== null) return built

  const under = all.slice(0, -1)
  await buildWithAgents(docker, under, watcher, fresh)
  await using turn = await takeTurn(watcher)
  const meanwhile = fresh ? null : await idOf(docker, tag)
  if (meanwhile !== null) return meanwhile
  await using work = await turn.scratch()
  const context = await fetchAgent(agentInputs(last), work.path, watcher)
  await runBuild(
    docker,
    packContext(context, imageInputs().base.epoch),
    {
      t: tag,
      buildargs: { ON: imageTag(under), AGENT: last },
      networkmode: 'none',
      nocache: fresh,
    },
    watcher,
  )
  return await idOfBuilt(docker, tag)
}
