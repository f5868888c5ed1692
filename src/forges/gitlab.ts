import { MergeRequests, Projects } from '@gitbeaker/core'
import { createRequesterFn } from '@gitbeaker/requester-utils'
import { z } from 'zod'
import type { Forge, PullState } from '../domain/delivery/forge.ts'
import type { PullSettings } from '../domain/delivery/pull.ts'
import { refusalOf, strange, webAddress } from './answer.ts'
import type { ForgeFetch } from './fetch.ts'

const mergeRequestSchema = z.object({
  iid: z.int().positive(),
  web_url: webAddress,
  // `locked`: it is being merged at this moment.
  state: z.enum(['opened', 'closed', 'merged', 'locked']),
})

const listedSchema = z.array(
  z.object({ source_project_id: z.int().nullable(), target_project_id: z.int() }).loose(),
)

/** GitLab, by its own client, which is given our `fetch`: its own follows redirects and reads without end. */
export function gitlab(settings: PullSettings, fetch: ForgeFetch): Forge {
  const { address, project, token } = settings
  const requester = (signal: AbortSignal) =>
    createRequesterFn(
      (_, options) => Promise.resolve(options),
      async (endpoint, options = {}) => {
        const { prefixUrl = '', searchParams, method, headers, body } = wanted.parse(options)
        const url = new URL(endpoint, prefixUrl.endsWith('/') ? prefixUrl : `${prefixUrl}/`)
        url.search = searchParams ?? ''
        const response = await fetch(url, {
          method,
          headers: { ...headers, accept: 'application/json', 'user-agent': 'Cofferdam' },
          body,
          signal,
        })
        const text = await response.text()
        if (!response.ok) throw refusalOf(settings, response.status, text)
        return {
          body: jsonOf(text),
          headers: Object.fromEntries(response.headers.entries()),
          status: response.status,
        }
      },
    )
  const options = (signal: AbortSignal) => ({
    host: address.replace(/\/+$/, ''),
    requesterFn: requester(signal),
    ...(token === null ? {} : { token: token.reveal() }),
  })
  const client = (signal: AbortSignal) => new MergeRequests(options(signal))
  const stateOf = (answer: unknown): PullState => {
    const parsed = mergeRequestSchema.safeParse(answer)
    if (!parsed.success) throw strange(settings)
    const { iid, web_url: url, state } = parsed.data
    return { number: iid, url, state: state === 'opened' || state === 'locked' ? 'open' : state }
  }
  return {
    async reach(signal) {
      const found: unknown = await new Projects(options(signal)).show(project)
      if (!z.object({ path_with_namespace: z.string() }).safeParse(found).success) throw strange(settings)
    },

    async find(branch, into, signal) {
      const found: unknown = await client(signal).all({
        projectId: project,
        sourceBranch: branch,
        targetBranch: into,
        state: 'opened',
        perPage: 100,
        maxPages: 1,
      })
      const listed = listedSchema.safeParse(found)
      if (!listed.success) throw strange(settings)
      // Anybody's fork may have a branch of that name.
      const own = listed.data.find((each) => each.source_project_id === each.target_project_id)
      return own === undefined ? null : stateOf(own)
    },

    async open({ branch, into, title, body, draft }, signal) {
      const named = draft ? `Draft: ${title}` : title
      return stateOf(await client(signal).create(project, branch, into, named, { description: body }))
    },

    async look(number, signal) {
      return stateOf(await client(signal).show(project, number))
    },
  }
}

/** What the library hands to whoever asks in its place. */
const wanted = z.object({
  prefixUrl: z.string().optional(),
  searchParams: z.string().optional(),
  method: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.string().optional(),
})

function jsonOf(text: string): Record<string, unknown> | null {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return null
  }
}
