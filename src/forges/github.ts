import { Octokit } from '@octokit/core'
import { z } from 'zod'
import type { Forge, PullState } from '../domain/delivery/forge.ts'
import type { PullSettings } from '../domain/delivery/pull.ts'
import { Failure } from '../domain/failure.ts'
import { refusalOf, strange, webAddress } from './answer.ts'
import type { ForgeFetch } from './fetch.ts'

const pullSchema = z.object({
  number: z.int().positive(),
  html_url: webAddress,
  state: z.enum(['open', 'closed']),
  merged_at: z.string().nullish(),
})

const repositorySchema = z.object({ repo: z.object({ id: z.int() }).nullable() })
const listedSchema = z.array(pullSchema.extend({ head: repositorySchema, base: repositorySchema }))

interface Answered {
  readonly status: number
  readonly data: unknown
}

/** GitHub, or a GitHub Enterprise Server, by its own client. */
export function github(settings: PullSettings, fetch: ForgeFetch): Forge {
  const { address, project, token } = settings
  const [owner = '', repo = ''] = project.split('/')
  const silent = (): undefined => undefined
  const octokit = new Octokit({
    baseUrl: address.replace(/\/+$/, ''),
    userAgent: 'Cofferdam',
    ...(token === null ? {} : { auth: token.reveal() }),
    request: { fetch },
    log: { debug: silent, info: silent, warn: silent, error: silent },
  })
  const asked = async <T>(call: () => Promise<Answered>, schema: z.ZodType<T>): Promise<T> => {
    const answered = await call().catch((error: unknown) => {
      throw failureOf(settings, error)
    })
    // A redirect is a success to the library.
    if (answered.status >= 300) throw refusalOf(settings, answered.status, '')
    const result = schema.safeParse(answered.data)
    if (!result.success) throw strange(settings)
    return result.data
  }
  return {
    async reach(signal) {
      await asked(
        () => octokit.request('GET /repos/{owner}/{repo}', { owner, repo, request: { signal } }),
        z.object({ full_name: z.string() }),
      )
    },

    async find(branch, into, signal) {
      const found = await asked(
        () =>
          octokit.request('GET /repos/{owner}/{repo}/pulls', {
            owner,
            repo,
            state: 'open',
            head: `${owner}:${branch}`,
            base: into,
            per_page: 100,
            request: { signal },
          }),
        listedSchema,
      )
      // The owner may have a fork of it too.
      const own = found.find(({ head, base }) => head.repo !== null && head.repo.id === base.repo?.id)
      return own === undefined ? null : stateOf(own)
    },

    async open({ branch, into, title, body, draft }, signal) {
      return stateOf(
        await asked(
          () =>
            octokit.request('POST /repos/{owner}/{repo}/pulls', {
              owner,
              repo,
              title,
              body,
              head: branch,
              base: into,
              draft,
              request: { signal },
            }),
          pullSchema,
        ),
      )
    },

    async look(number, signal) {
      return stateOf(
        await asked(
          () =>
            octokit.request('GET /repos/{owner}/{repo}/pulls/{pull_number}', {
              owner,
              repo,
              pull_number: number,
              request: { signal },
            }),
          pullSchema,
        ),
      )
    },
  }
}

function stateOf({
  number,
  html_url: url,
  state,
  merged_at: mergedAt,
}: z.output<typeof pullSchema>): PullState {
  return { number, url, state: mergedAt != null ? 'merged' : state }
}

const thrown = z.object({
  status: z.int(),
  response: z.object({ data: z.unknown() }).optional(),
})

/** The library wraps what `fetch` throws, and throws what is no success. */
function failureOf(settings: PullSettings, error: unknown): unknown {
  if (error instanceof Failure) return error
  if (error instanceof Error && error.cause instanceof Failure) return error.cause
  const parsed = thrown.safeParse(error)
  if (!parsed.success) return error
  const { status, response } = parsed.data
  const said = typeof response?.data === 'string' ? response.data : JSON.stringify(response?.data ?? '')
  return refusalOf(settings, status, said)
}
