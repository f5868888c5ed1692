import type { RemoteMove, RemoteSettings } from '../../domain/remote.ts'
import { saidBy } from '../deliver/remote-refusal.ts'
import { remoteFailure, remoteName, withoutSecrets } from './refusal.ts'

interface Rule {
  readonly says: RegExp
  /** @param said what the far end says itself, in brackets; '' where it says nothing */
  text(said: string, move: RemoteMove): string
}

/** The first that fits counts. What is in none of them is about getting there at all. */
const rules: readonly Rule[] = [
  {
    says: /No space left on device|[Dd]isk quota exceeded|unable to write|file write error/,
    text: (said) =>
      `has no room left, or nothing can be written there${said}. Make room there, then try again.`,
  },
  {
    says: /stale info|fetch first|cannot lock ref|failed to update ref|incorrect old value/,
    text: (_, { branch }) => `had somebody else at ${branch} at this very moment. Try again.`,
  },
  {
    says: /\[remote rejected\]|hook declined|protected branch|denying non-fast-forward/,
    text: (said, { branch, back }) =>
      back
        ? `does not let ${branch} go back${said}. \`git revert\` in a clone of it takes the merge out (\`-m 1\` for a merge commit): bring that there as any other work.`
        : `does not let ${branch} be moved${said}. Mend that there, then try again, or have the work proposed as a pull request.`,
  },
  {
    says: /error: 403|not permitted|not allowed|read.only|[Pp]ermission.*denied to|denied to|[Aa]ccess denied/,
    text: (said) =>
      `does not let these credentials push${said}. Give them that right there, then try again, or have the work proposed as a pull request.`,
  },
]

/**
 * Why a branch of a remote was not moved, in one or two sentences with what to do next; no secret is in them.
 * @param out what git printed with `--porcelain`
 * @param err the rest, with what the far end said behind `remote:`
 */
export function pushRefusal(remote: RemoteSettings, move: RemoteMove, out: string, err: string): string {
  const plain = withoutSecrets(remote, err)
  const rule = rules.find(({ says }) => says.test(`${out}\n${plain}`))
  if (rule === undefined) return remoteFailure(remote, plain).message
  return `${remoteName(remote)} ${rule.text(saidBy(plain) || reasonIn(out), move)}`
}

/** What git makes of a refusal, where the far end says nothing itself: `! <refs> [remote rejected] (why)`. */
function reasonIn(out: string): string {
  const reason = /\[(?:remote )?rejected\] \(([^)]*)\)/.exec(out)?.[1]?.replaceAll(/\p{Cc}+/gu, ' ')
  return reason === undefined ? '' : ` (${reason.slice(0, 200)})`
}
