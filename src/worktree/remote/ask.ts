import { Failure } from '../../domain/failure.ts'
import type { RemoteSettings } from '../../domain/remote.ts'
import { timeOf } from '../../domain/text.ts'
import type { Git, GitAnswer, GitOptions } from '../git.ts'
import { farEnd, type GitPlace } from '../hardening.ts'
import { connectionTo } from './connect.ts'
import { progressIn } from './progress.ts'
import { remoteFailure, remoteName } from './refusal.ts'

/** How long, and what is told meanwhile. */
interface Limits {
  readonly ms: number
  readonly progress?: (text: string) => void
}

// More refs than any repository is worked on with.
const mostListed = 64 * 1024 * 1024

/**
 * Runs `git ls-remote` or `git fetch` against a remote, within its limits.
 * @param before what stands before the URL in the command line, and `after` what follows it
 */
export async function askRemote(
  git: Git,
  remote: RemoteSettings,
  place: GitPlace | null,
  { before, after = [] }: { readonly before: readonly string[]; readonly after?: readonly string[] },
  { ms, progress = () => undefined }: Limits,
): Promise<GitAnswer> {
  const onErr = (text: string): void => {
    const now = progressIn(text)
    if (now !== null) progress(now)
  }
  const local = remote.url.startsWith('file:') ? [`--upload-pack=${farEnd('upload-pack', null, [])}`] : []
  const answer = await callRemote(git, remote, place, [...before, ...local, '--', remote.url, ...after], ms, {
    ...connectionTo(remote),
    onErr,
    mostFileBytes: mostBytesOf(remote),
  })
  if (answer.code !== 0) throw remoteFailure(remote, answer.err)
  return answer
}

/** Runs git against a remote, and leaves it where that takes too long. Answers whatever the exit code is. */
export async function callRemote(
  git: Git,
  remote: RemoteSettings,
  place: GitPlace | null,
  args: readonly string[],
  ms: number,
  options: GitOptions,
): Promise<GitAnswer> {
  if (missingPassword(remote)) throw new Failure('repository', missingPasswordText(remote))
  const ending = new AbortController()
  const timer = setTimeout(() => ending.abort(), ms)
  try {
    return await git
      .until(ending.signal)
      .ask(place, args, { timeoutMs: ms + 60_000, mostBytes: mostListed, ...options })
  } catch (error) {
    if (!ending.signal.aborted) throw error
    throw new Failure(
      'remote',
      `${remoteName(remote)} did not come to an end within ${timeOf(ms / 1000)}, and was left.`,
      { cause: error },
    )
  } finally {
    clearTimeout(timer)
  }
}

/** What it may send at once is one file. */
export function mostBytesOf({ mostMb }: RemoteSettings): number {
  return mostMb * 1024 * 1024
}

function missingPassword({ login }: RemoteSettings): boolean {
  return login !== null && login.password === null
}

function missingPasswordText({ name, login }: RemoteSettings): string {
  return `What ${name} is fetched with is missing: ${login?.from ?? ''}, which repositories.${name}.login names, is not set. Set it, and start Cofferdam anew.`
}
