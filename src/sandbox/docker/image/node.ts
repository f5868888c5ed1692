import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readFile, rename, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { extract } from 'tar-fs'
import { Failure } from '../../../domain/failure.ts'
import { command } from './command.ts'
import type { ImageInputs, NpmPin } from './inputs.ts'
import type { BuildWatcher } from './watcher.ts'

/**
 * Fetches Node and npm by the host's own npm and its settings, checks them against the pins, and lays them out as they
 * stand in `/usr/local` of the image. Returns that folder.
 */
export async function fetchNode(
  pins: ImageInputs['node'],
  folder: string,
  watcher: BuildWatcher,
): Promise<string> {
  const wanted = [pins.node, pins.npm]
  watcher.progress(
    `fetching ${wanted.map(({ name, version }) => `${name}@${version}`).join(' and ')} with npm`,
  )
  const downloads = join(folder, 'npm')
  await mkdir(downloads)
  // Its own folder: no project's npm settings come into it.
  await command('npm', ['pack', '--silent', ...wanted.map(({ name, version }) => `${name}@${version}`)], {
    folder: downloads,
  })

  const local = join(folder, 'local')
  const modules = join(local, 'lib', 'node_modules')
  await mkdir(join(local, 'bin'), { recursive: true })
  await mkdir(modules, { recursive: true })

  const unpacked = await unpack(pins.node, downloads)
  await rename(join(unpacked, 'bin', 'node'), join(local, 'bin', 'node'))
  await rename(join(unpacked, 'include'), join(local, 'include'))
  const archs = join(local, 'include', 'node', 'openssl', 'archs')
  await command(
    'find',
    [archs, '-mindepth', '1', '-maxdepth', '1', '!', '-name', pins.headers, '-exec', 'rm', '-r', '{}', '+'],
    {},
  )

  await rename(await unpack(pins.npm, downloads), join(modules, 'npm'))
  for (const name of ['npm', 'npx']) {
    await symlink(`../lib/node_modules/npm/bin/${name}-cli.js`, join(local, 'bin', name))
  }
  return local
}

/** Unpacks a downloaded package that is what its pin says, and returns where. */
export async function unpack(pin: NpmPin, folder: string): Promise<string> {
  const file = join(folder, `${pin.name}-${pin.version}.tgz`)
  const found = `sha512-${createHash('sha512')
    .update(await readFile(file))
    .digest('base64')}`
  if (found !== pin.integrity) {
    throw new Failure(
      'image',
      `${pin.name}@${pin.version} is not the file that sandbox-image/pins.json names (${found}): the registry or ` +
        'something between it and here changed it. Nothing was built.',
    )
  }
  const target = join(folder, pin.name)
  await pipeline(createReadStream(file), createGunzip(), extract(target, { strip: 1 }))
  return target
}
