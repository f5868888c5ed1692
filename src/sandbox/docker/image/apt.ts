import { existsSync } from 'node:fs'
import { Failure } from '../../../domain/failure.ts'
import { command } from './command.ts'

/** The machine's own apt sources, as far as a bare system of the same release needs them. */
export interface AptSources {
  /** `bookworm` */
  readonly suite: string
  /** One-line sources: `deb <uri> <release> <component>`. */
  readonly lines: readonly string[]
}

// Fields as apt itself reads them from every kind of source file.
const format = '$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)'

export async function aptSources(): Promise<AptSources> {
  if (!existsSync('/usr/bin/apt-get')) {
    throw new Failure(
      'image',
      'No image registry answers, and this machine has no apt to bootstrap a base image from: give the engine one ' +
        '(docker load) under the name in sandbox-image/pins.json, then run this again.',
    )
  }
  const sources = parseTargets(
    await command('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'], {}),
  )
  if (sources === null) {
    throw new Failure(
      'image',
      'apt knows no Debian or Ubuntu packages here: run `apt-get update` as root, then this again.',
    )
  }
  return sources
}

/** Picks the sources of the distribution itself out of what `apt-get indextargets` lists; null where there are none. */
export function parseTargets(listing: string): AptSources | null {
  const targets = listing
    .split('\n')
    .map((line) => line.split('|'))
    .map(([origin = '', uri = '', release = '', component = '']) => ({ origin, uri, release, component }))
    .filter(({ origin }) => origin === 'Debian' || origin === 'Ubuntu')
  const suite = targets.find(({ release }) => /^[a-z]+$/.test(release))?.release
  if (suite === undefined) return null
  const own = targets.filter(({ release }) => release === suite || release.startsWith(`${suite}-`))
  return {
    suite,
    lines: [...new Set(own.map(({ uri, release, component }) => `deb ${uri} ${release} ${component}`))],
  }
}

/** The machine's own way to its sources (proxy, certificates, checks), as a configuration file of apt. */
export async function aptSettings(): Promise<string> {
  const all = await command('apt-config', ['dump'], {})
  const access = /^Acquire::(https?|Check-|Retries|ForceIP)/
  return all
    .split('\n')
    .filter((line) => access.test(line) && !line.endsWith(' "";'))
    .map((line) => `${line}\n`)
    .join('')
}

/** The keys that distributions sign their releases with, where this machine has them. */
export function keyrings(): readonly string[] {
  return ['debian-archive-keyring.gpg', 'debian-archive-keyring.pgp', 'ubuntu-archive-keyring.gpg']
    .map((name) => `/usr/share/keyrings/${name}`)
    .filter((path) => existsSync(path))
}
