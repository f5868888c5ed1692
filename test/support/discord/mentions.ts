import type { MessageBody } from './shapes.ts'

/** Whom a message pings: what is in its content, as far as `allowed_mentions` lets it (everything where there is none). */
export function pingsOf(content: string, allowed: MessageBody['allowed_mentions']): readonly string[] {
  const found = {
    users: [...content.matchAll(/<@!?(\d+)>/g)].map(([, id]) => id ?? ''),
    roles: [...content.matchAll(/<@&(\d+)>/g)].map(([, id]) => id ?? ''),
    everyone: /@(everyone|here)\b/.test(content) ? ['everyone'] : [],
  }
  const may = (kind: keyof typeof found): readonly string[] => {
    if (allowed === undefined || allowed === null || allowed.parse?.includes(kind) === true)
      return found[kind]
    const named = kind === 'everyone' ? [] : (allowed[kind] ?? [])
    return found[kind].filter((id) => named.includes(id))
  }
  return [...new Set([...may('users'), ...may('roles'), ...may('everyone')])]
}
