import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { type ImageAgent, imageAgents } from '../../../domain/image.ts'
import { contextFolder, hashOf, imageInputs } from './inputs.ts'

/** All that makes one agent's layer, from this side. Plain data. */
export interface AgentInputs {
  readonly name: ImageAgent
  /** Counts the ways in which fetch-agent.ts has laid an agent out: another number makes another image. */
  readonly recipe: number
  /** The Dockerfile that all agents share. */
  readonly dockerfile: string
  readonly manifest: string
  /** Names every package with version and integrity. */
  readonly lock: string
  /** The machine's architecture, as npm calls it. */
  readonly arch: string
  /** Where its program is among the packages: `node_modules/…`. */
  readonly program: string
}

const manifestSchema = z.object({
  cofferdam: z.object({ program: z.union([z.string(), z.record(z.string(), z.string())]) }),
})

export function agentInputs(name: ImageAgent, arch: string = process.arch): AgentInputs {
  const folder = join(contextFolder(), 'agents')
  const manifest = readFileSync(join(folder, name, 'package.json'), 'utf8')
  const { program } = manifestSchema.parse(JSON.parse(manifest)).cofferdam
  return {
    name,
    recipe: 1,
    dockerfile: readFileSync(join(folder, 'Dockerfile'), 'utf8'),
    manifest,
    lock: readFileSync(join(folder, name, 'package-lock.json'), 'utf8'),
    arch,
    program: typeof program === 'string' ? program : (program[arch] ?? ''),
  }
}

/**
 * `cofferdam/claude-pi:<12 hex>` for an image with these agents on the core of this version; without any it is the core.
 * The hash is over the core's and what makes each agent's layer.
 */
export function imageTag(agents: readonly ImageAgent[] = []): string {
  return tagOf(
    hashOf(imageInputs()),
    inOrder(agents).map((name) => agentInputs(name)),
  )
}

/** The tags of all images of this version that have this agent, with whatever others. */
export function tagsWith(agent: ImageAgent): readonly string[] {
  const core = hashOf(imageInputs())
  const others = imageAgents.filter((name) => name !== agent)
  const sets = others.reduce<readonly (readonly ImageAgent[])[]>(
    (before, name) => [...before, ...before.map((set) => [...set, name])],
    [[agent]],
  )
  const inputs = new Map(imageAgents.map((name) => [name, agentInputs(name)]))
  return sets.map((set) =>
    tagOf(
      core,
      inOrder(set).flatMap((name) => inputs.get(name) ?? []),
    ),
  )
}

function tagOf(core: string, agents: readonly AgentInputs[]): string {
  if (agents.length === 0) return `cofferdam/core:${core}`
  return `cofferdam/${agents.map(({ name }) => name).join('-')}:${hashOf([core, agents])}`
}

/** Each once, in the order in which they are laid on the core: the same ones are the same image. */
export function inOrder(agents: readonly ImageAgent[]): readonly ImageAgent[] {
  return [...new Set(agents)].toSorted()
}
