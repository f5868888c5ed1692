import type { RemoteMove, RemoteSettings } from '../../domain/remote.ts'
import { type PushTrouble, pushTrouble } from '../deliver/push-trouble.ts'
import { saidBy } from '../deliver/remote-refusal.ts'
import { remoteFailure, remoteName, withoutSecrets } from './refusal.ts'

/** @param said what the far end says itself, in brackets; '' where it says nothing */
type Text = (said: string, move: RemoteMove) => string

const hindered: Text = (said, { branch, back }) =>
  back
    ? `does not let ${branch} go back${said}. \`git revert\` in a clone of it takes the merge out (\`-m 1\` for a merge commit): bring that there as any other work.`
    : `does not let ${branch} be moved${said}. Mend that there, then try again, or have the work proposed as a pull request.`
const denied: Text = (said) =>
  `does not let these credentials push${said}. Give them that right there, then try again, or have the work proposed as a pull request.`

const texts: Readonly<Record<PushTrouble, Text>> = {
  full: (said) =>
    `has no room left, or nothing can be written there${said}. Make room there, then try again.`,
  checkedOut: hindered,
  moved: (_, { branch }) => `had somebody else at ${branch} at this very moment. Try again.`,
  backward: hindered,
  hindered,
  denied,
  readOnly: denied,
}

/**
 * Why a branch of a remote was not moved, in one or two sentences with what to do next; no secret is in them.
 * @param out what git printed with `--porcelain`
 * @param err the rest, with what the far end said behind `remote:`
 */
export function pushRefusal(remote: RemoteSettings, move: RemoteMove, out: string, err: string): string {
  const plain = withoutSecrets(remote, err)
  const trouble = pushTrouble(`${out}\n${plain}`)
  if (trouble === null) return remoteFailure(remote, plain).message
  return `${remoteName(remote)} ${texts[trouble](saidBy(plain) || reasonIn(out), move)}`
}

/** What git makes of a refusal, where the far end says nothing itself: `! <refs> [remote rejected] (why)`. */
function reasonIn(out: string): string {
  const reason = /\[(?:remote )?rejected\] \(([^)]*)\)/.exec(out)?.[1]?.replaceAll(/\p{Cc}+/gu, ' ')
  return reason === undefined ? '' : ` (${reason.slice(0, 200)})`
}
