import { type ImageNeed, isImageAgent } from '../../../domain/image.ts'
import { Failure } from '../../../domain/failure.ts'
import type { Api } from '../connect.ts'
import { statusOf } from '../failures.ts'
import { agentLabel } from './agents.ts'

/** The image that the configuration has for a repository. */
export interface ImagePlan {
  readonly tag: string
  /**
   * `ours`: with the agents that are configured, made by `cofferdam image build`; `dockerfile`: what the operator's
   * Dockerfile makes of that; `tag`: somebody else's, of `engine.image`.
   */
  readonly from: 'ours' | 'dockerfile' | 'tag'
}

/**
 * The id of the image for a box: the planned one, or where that is ours and has not the agent, the newest of this version
 * that has it. What is in somebody else's image, nobody knows. `known` remembers what was found.
 */
export async function findImage(
  connect: () => Promise<Api>,
  plan: ImagePlan,
  { agent }: Pick<ImageNeed, 'agent'>,
  known: Map<string, string>,
): Promise<string> {
  const label =
    plan.from === 'tag' || agent === null || !isImageAgent(agent) ? null : { agent, ...agentLabel(agent) }
  const key = JSON.stringify([plan.tag, label])
  const before = known.get(key)
  if (before !== undefined) return before
  const api = await connect()
  const found =
    (await planned(api, plan, label)) ??
    (label === null || plan.from !== 'ours' ? null : await newest(api, `${label.key}=${label.value}`))
  if (found === null) throw new Failure('image', lacking(plan, label?.agent ?? null))
  known.set(key, found)
  return found
}

interface Label {
  readonly key: string
  readonly value: string
}

/** Rejects where there is none by this tag and no other will do; null where it has not the agent. */
async function planned(api: Api, plan: ImagePlan, label: Label | null): Promise<string | null> {
  try {
    const image = await api.ask('show its image', () => api.docker.getImage(plan.tag).inspect())
    return label === null || image.Config.Labels?.[label.key] === label.value ? image.Id : null
  } catch (error) {
    if (statusOf(error) !== 404) throw error
    if (label !== null && plan.from === 'ours') return null
    throw new Failure('image', missing(plan))
  }
}

async function newest(api: Api, label: string): Promise<string | null> {
  const images = await api.ask('list its images', () =>
    api.docker.listImages({ filters: { label: [label], reference: ['cofferdam/*'] } }),
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

function lacking(plan: ImagePlan, agent: string | null): string {
  if (agent === null) return missing(plan)
  return plan.from === 'dockerfile'
    ? `The image of your Dockerfile is without ${agent}: put "${agent}" into image.agents of the configuration, then run \`cofferdam image build\`.`
    : `No sandbox image of this version has ${agent}: run \`cofferdam image build --agents ${agent}\`.`
}
