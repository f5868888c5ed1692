import { lchownSync } from 'node:fs'
import { chmod, copyFile, lstat, mkdir, opendir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { HostPath } from '../domain/brand.ts'
import { systemCodeOf } from '../domain/failure.ts'
import type { TaskPlace } from '../domain/worktree.ts'
import { exists } from './files.ts'
import { at, layoutOf } from './layout.ts'
import { isForeign, type Site } from './site.ts'
import { throwAway } from './throw-away.ts'

const mostFiles = 64
const mostBytes = 64 * 1024 * 1024
/** An agent that leaves more entries than this is not searched to the end. */
const mostEntries = 20_000

/**
 * The folder is the box's own, so all of it but the conversation is thrown away before each step: what an agent wrote there
 * as settings, hooks or memory must not speak to the next.
 */
export async function openAgentFolder(
  site: Site,
  task: TaskPlace,
  files: Readonly<Record<string, string>>,
  from: string | null,
  of: TaskPlace,
): Promise<boolean> {
  const { agentFolder } = layoutOf(site.data, task)
  if (exists(agentFolder)) throwAway(site.data, agentFolder)
  await mkdir(agentFolder, { recursive: true, mode: 0o755 })
  const kept = from === null ? null : at(layoutOf(site.data, of).conversations, nameOf(from))
  const found = kept === null || !exists(kept) ? [] : await filesIn(kept)
  for (const { path } of found) await copy(join(kept ?? '', path), join(agentFolder, path))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(agentFolder, path)), { recursive: true })
    await writeFile(join(agentFolder, path), text)
  }
  await giveToBox(site, agentFolder)
  return found.length > 0
}

export async function keepConversation(
  site: Site,
  task: TaskPlace,
  name: string,
  keeps: (path: string) => boolean,
  also: string | null,
): Promise<void> {
  const { agentFolder, conversations } = layoutOf(site.data, task)
  const into = at(conversations, nameOf(name))
  // From an attempt at it that was broken off.
  if (exists(into)) throwAway(site.data, into)
  const found = exists(agentFolder) ? (await filesIn(agentFolder)).filter(({ path }) => keeps(path)) : []
  const bytes = found.reduce((sum, { size }) => sum + size, 0)
  await mkdir(into, { recursive: true, mode: 0o700 })
  try {
    if (found.length <= mostFiles && bytes <= mostBytes)
      for (const { path } of found) await copy(join(agentFolder, path), join(into, path))
  } catch (error) {
    // A name that is no UTF-8, a file without rights, no room: the work is worth more, and the next step begins afresh.
    if (systemCodeOf(error) === '') throw error
    throwAway(site.data, into)
  }
  for (const old of await readdir(conversations))
    if (old !== name && old !== also) throwAway(site.data, at(conversations, old))
}

/** Plain files below a folder, by their paths there. No symlink is followed; nothing writes there meanwhile. */
async function filesIn(
  folder: HostPath,
): Promise<readonly { readonly path: string; readonly size: number }[]> {
  const found: { path: string; size: number }[] = []
  const waiting = ['']
  let entries = 0
  for (let inner = waiting.pop(); inner !== undefined; inner = waiting.pop()) {
    try {
      for await (const entry of await opendir(join(folder, inner))) {
        entries += 1
        if (entries > mostEntries) return found
        const path = inner === '' ? entry.name : `${inner}/${entry.name}`
        if (entry.isDirectory()) waiting.push(path)
        else if (entry.isFile()) found.push({ path, size: (await lstat(join(folder, path))).size })
      }
    } catch (error) {
      // A folder without rights, or deeper than a path may be long: what cannot be read is no conversation.
      if (systemCodeOf(error) === '') throw error
    }
  }
  return found
}

async function copy(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  await copyFile(from, to)
}

/** Whatever our umask is: the boxes' user writes there, and nobody else needs to read it. */
async function giveToBox(site: Site, folder: HostPath): Promise<void> {
  const own = async (path: string, mode: number): Promise<void> => {
    await chmod(path, mode)
    if (isForeign(site)) lchownSync(path, site.user.uid, site.user.gid)
  }
  for (const { path } of await filesIn(folder)) {
    await own(join(folder, path), 0o600)
    for (let up = dirname(path); up !== '.'; up = dirname(up)) await own(join(folder, up), 0o700)
  }
  await own(folder, 0o700)
}

function nameOf(name: string): string {
  if (!/^[\w-]+$/.test(name)) throw new Error(`no name of a conversation: ${JSON.stringify(name)}`)
  return name
}
