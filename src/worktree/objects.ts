import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { deflateSync, inflateSync } from 'node:zlib'
import type { CommitId, HostPath, Millis, TreeId } from '../domain/brand.ts'
import type { TaskId } from '../domain/ids.ts'
import { drop, exists, isErrno } from './files.ts'
import type { Author } from './hardening.ts'
import { at } from './layout.ts'

// A commit is a few lines of text that we know in full, so it is written without a process. Blobs and trees are git's.

export interface NewCommit {
  readonly tree: TreeId
  readonly parent: CommitId | null
  readonly author: Author
  readonly at: Millis
  readonly message: string
}

/** Where a folder of objects keeps one that is in no pack. */
export function looseFile(id: string): string {
  return `${id.slice(0, 2)}/${id.slice(2)}`
}

/**
 * Writes a commit into a folder of objects. `lasting`: it is on the disk when this resolves. `by`: the task that does;
 * two of them may make the same commit at once.
 */
export function writeCommit(
  objects: HostPath,
  by: TaskId,
  commit: NewCommit,
  lasting: boolean,
): Promise<CommitId> {
  return writeBody(objects, by, Buffer.from(textOf(commit)), formatOf(commit.tree), lasting)
}

/** The same for a commit whose bytes are known. */
export async function writeBody(
  objects: HostPath,
  by: TaskId,
  body: Buffer,
  format: ObjectFormat,
  lasting: boolean,
): Promise<CommitId> {
  const id = objectId('commit', body, format) as CommitId
  const file = at(objects, looseFile(id))
  if (exists(file)) return id
  mkdirSync(dirname(file), { recursive: true })
  // Named like git's own: a sweep takes it away after a kill.
  const half = `${dirname(file)}/tmp_obj_${by}`
  drop(half)
  const options = { mode: 0o444 }
  const content = deflateSync(whole('commit', body))
  if (lasting) await writeFile(half, content, { ...options, flush: true })
  else writeFileSync(half, content, options)
  renameSync(half, file)
  return id
}

/** Bytes; what is longer was made to be. */
const mostBytes = 16 * 1024 * 1024

/** The body of an object that is in no pack, if it is no larger than a commit is; null where it is in one, or nowhere. */
export function readLoose(objects: HostPath, id: string): Buffer | null {
  try {
    const content = inflateSync(readFileSync(at(objects, looseFile(id))), { maxOutputLength: mostBytes })
    return content.subarray(content.indexOf(0) + 1)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null
    throw error
  }
}

/** How a repository names its objects. */
export type ObjectFormat = 'sha1' | 'sha256'

/** The format of a repository that has an object of this id. */
export function formatOf(id: string): ObjectFormat {
  return id.length === 40 ? 'sha1' : 'sha256'
}

/** The id of an object by its bytes. */
export function objectId(type: string, body: Buffer, format: ObjectFormat): string {
  return createHash(format).update(whole(type, body)).digest('hex')
}

function whole(type: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${type} ${body.length}\0`), body])
}

function textOf({ tree, parent, author, at: time, message }: NewCommit): string {
  const who = `${plain(author.name)} <${plain(author.email)}> ${Math.floor(time / 1000)} ${zoneAt(time)}`
  const lines = [
    `tree ${tree}`,
    ...(parent === null ? [] : [`parent ${parent}`]),
    `author ${who}`,
    `committer ${who}`,
    '',
    message.replaceAll('\0', '').replace(/\n?$/, '\n'),
  ]
  return lines.join('\n')
}

/** A name or an address as git takes it: without what would end it, and without signs around it. */
function plain(text: string): string {
  return text.replaceAll(/[<>\n\0]/g, '').replaceAll(/^[\0-\x20.,:;"'\\]+|[\0-\x20.,:;"'\\]+$/g, '')
}

/** This machine's difference to UTC then, as git writes it: `+0200`. */
function zoneAt(time: Millis): string {
  const minutes = -new Date(time).getTimezoneOffset()
  const digits = (value: number): string => String(Math.trunc(value)).padStart(2, '0')
  return `${minutes < 0 ? '-' : '+'}${digits(Math.abs(minutes) / 60)}${digits(Math.abs(minutes) % 60)}`
}
