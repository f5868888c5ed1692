import type { Policy } from '../domain/policy.ts'
import { submoduleMode, type Entry } from './entries.ts'
import { pace } from './pace.ts'
import { textOf } from './raw.ts'
import type { Site } from './site.ts'

/** Those entries of a tree that a policy denies. */
export async function deniedEntries(
  site: Site,
  entries: readonly Entry[],
  policy: Policy,
): Promise<readonly Entry[]> {
  const matcher = site.policyMatcher(policy)
  const slices = pace()
  const denied: Entry[] = []
  for (const entry of entries) {
    if (matcher.verdict(textOf(entry.path), entry.mode === submoduleMode).kind === 'deny') denied.push(entry)
    if (slices.due()) await slices.rest()
  }
  return denied
}
