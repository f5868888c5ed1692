import { realpath } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import type { HostPath } from '../../src/domain/brand.ts'
import { Failure } from '../../src/domain/failure.ts'

/** A person's copy within the data folder would be lost with it, and is in the way of what looks at that. Changes nothing. */
export async function refuseInside(place: HostPath, data: HostPath): Promise<void> {
  const [copy, original] = await Promise.all([realPlace(place), realpath(data)])
  if (copy !== original && !copy.startsWith(`${original}${sep}`)) return
  throw new Failure(
    'data_folder',
    `${place} is in the data folder ${data} itself, and would be lost with it: name a folder elsewhere, best on another disk.`,
  )
}

/** Where a path would lead that need not be there. */
async function realPlace(path: string): Promise<string> {
  const parent = dirname(path)
  return await realpath(path).catch(async (error: unknown) => {
    if (parent === path) throw error
    return join(await realPlace(parent), basename(path))
  })
}
