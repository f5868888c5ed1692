import { Failure } from '../domain/failure.ts'
import { quotedInline } from '../domain/shell.ts'
import type { Setting } from './hardening.ts'
import type { Source } from './source.ts'

/** What a user's repository may be set to, and what must not keep a branch out of it or happen in it. */
export function receiving(ref: string): readonly Setting[] {
  return [
    // A checkout of theirs is never written, also where they have the branch checked out.
    ['receive.denyCurrentBranch', 'refuse'],
    ['receive.denyNonFastForwards', 'true'],
    // A shallow source stays as shallow as it is.
    ['receive.shallowUpdate', 'true'],
    // Hidden refs can be neither seen nor written; the last rule wins.
    ['receive.hideRefs', `!${ref}`],
    ['receive.maxInputSize', '0'],
  ]
}

/** The settings of a repository, in their order; keys as git writes them: section and name in lower case. */
export function settingsFrom(out: Buffer): readonly Setting[] {
  return out
    .toString('utf8')
    .split('\0')
    .filter((text) => text !== '')
    .map((text) => {
      const end = text.indexOf('\n')
      return end === -1 ? [text, ''] : [text.slice(0, end), text.slice(end + 1)]
    })
}

/** Refuses a repository that leaves its branches to a hook, as no hook of a user runs: it could not be given a branch. */
export function refuseHook(source: Source, settings: readonly Setting[]): void {
  for (const [key, value] of settings) {
    if (key !== 'receive.procreceiverefs' || !leftToHook(value, 'refs/heads/cofferdam')) continue
    throw new Failure(
      'repository',
      `${source.top} leaves new branches to a hook (receive.procReceiveRefs = ${value}), which Cofferdam never runs: ` +
        `give a clone of it, or take the setting out with \`git -C ${quotedInline(source.top)} config --unset-all receive.procReceiveRefs\`.`,
    )
  }
}

/** Whether a value of `receive.procReceiveRefs` (`<a|d|m|!>:<prefix>`, or a prefix alone) means a ref. */
function leftToHook(value: string, ref: string): boolean {
  const colon = value.indexOf(':')
  const prefix = value.slice(colon + 1).replace(/\/+$/, '')
  const starts = ref === prefix || ref.startsWith(`${prefix}/`)
  return value.slice(0, Math.max(0, colon)).includes('!') ? !starts : starts
}
