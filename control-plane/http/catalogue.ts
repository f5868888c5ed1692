import { createRoute } from '@hono/zod-openapi'
import { agentsSchema, repositoriesSchema } from '../../src/domain/answers.ts'
import { json, type Routes } from './contract.ts'

const repositories = createRoute({
  method: 'get',
  path: '/v1/repositories',
  summary: 'The repositories that are configured, or that tasks were made on',
  responses: { 200: json(repositoriesSchema, 'In order of their paths.') },
})
const agents = createRoute({
  method: 'get',
  path: '/v1/agents',
  summary: 'The agents that a task may name',
  responses: { 200: json(agentsSchema, 'The agents.') },
})

/** What a task can be made of. */
export function catalogueRoutes({ app, plane }: Routes): void {
  app.openapi(repositories, (context) => context.json({ repositories: [...plane.repositories()] }, 200))
  app.openapi(agents, (context) => context.json({ agents: [...plane.agents()] }, 200))
}
