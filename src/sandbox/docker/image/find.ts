import { type ImageAgent, type ImageNeed, isImageAgent } from '../../../domain/image.ts'
import { Failure } from '../../../domain/failure.ts'
import type { Api } from '../connect.ts'
import { statusOf } from '../failures.ts'
import { imageTag, tagsWith } from './agents.ts'

/** The image that the configuration has for a repository. */
export type ImagePlan =
  /** Made by `cofferdam image build`: with the agents that are configured, or what the operator's Dockerfile makes of that. */
  | { readonly from: 'ours' | 'dockerfile'; readonly tag: string; readonly agents: readonly ImageAgent[] }
  /** Somebody else's, of `engine.image`: what is in it, nobody knows. */
  | { readonly from: 'tag'; readonly tag: string }

/**
 * The id of the image for a box: the planned one, or where that is ours and has not the agent or is not built, the newest of
 * ours that has it. `known` remembers what was found. Rejects with `Failure('image')` and the command that helps.
 */
export async function findImage(
  connect: () => Promise<Api>,
  plan: ImagePlan,
  need: Pick<ImageNeed, 'agent'>,
  known: Map<string, string>,
): Promise<string> {
  const agent = plan.from === 'tag' || need.agent === null || !isImageAgent(need.agent) ? null : need.agent
  const key = agent === null ? plan.tag : `${plan.tag} ${imageTag([agent])}`
  const before = known.get(key)
  if (before !== undefined) return before
  const found = await lookFor(await connect(), plan, agent)
  known.set(key, found)
  return found
}

async function lookFor(api: Api, plan: ImagePlan, agent: ImageAgent | null): Promise<string> {
  const does = agent === null || plan.from === 'tag' || plan.agents.includes(agent)
  const planned = does ? await idAt(api, plan.tag) : null
  if (planned !== null) return planned
  const other = agent !== null && plan.from === 'ours' ? await newest(api, tagsWith(agent)) : null
  if (other !== null) return other
  throw new Failure('image', does ? missing(plan) : lacking(plan, agent))
}

/** Unlike `idOf` of a build it asks as a box's start does: within a time, over the connection that was chosen. */
async function idAt(api: Api, tag: string): Promise<string | null> {
  try {
    return (await api.ask('show its image', () => api.docker.getImage(tag).inspect())).Id
  } catch (error) {
    if (statusOf(error) === 404) return null
    throw error
  }
}

async function newest(api: Api, tags: readonly string[]): Promise<string | null> {
  const images = await api.ask('list its images', () =>
    api.docker.listImages({ filters: { reference: [...tags] } }),
  )
  return images.toSorted((a, b) => b.Created - a.Created || (a.Id < b.Id ? -1 : 1))[0]?.Id ?? null
}

export function missing({ tag, from }: ImagePlan): string {
  switch (from) {
    case 'ours':
      return 'The sandbox image is not built yet: run `cofferdam image build`.'
    case 'dockerfile':
      return 'The image of your Dockerfile is not built yet, or that has changed: run `cofferdam image build`.'
    case 'tag':
      return `The image ${tag} of engine.image is not on the engine: build or pull it, or remove the key.`
  }
}

function lacking({ from }: ImagePlan, agent: string): string {
  return from === 'dockerfile'
    ? `The image of your Dockerfile is without ${agent}: put "${agent}" into image.agents of the configuration, then run \`cofferdam image build\`.`
    : `No sandbox image of this version has ${agent}: run \`cofferdam image build --agents ${agent}\`.`
}
