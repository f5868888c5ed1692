import { dirname, isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import { branchProblem, type DeliveryDefaults, mergeWays } from '../domain/delivery/merge.ts'
import { deliveryWays, type ForgeKind, forgeKinds, type PullSettings } from '../domain/delivery/pull.ts'
import { Failure } from '../domain/failure.ts'
import { nameBarrier } from '../domain/host-reach.ts'
import { type OutsideNetwork, outsideNetworks } from '../domain/outside.ts'
import type { RemoteKey } from '../domain/remote.ts'
import { z } from 'zod'
import type { Environment } from './environment.ts'
import { expand } from './places.ts'
import { placeText, readSecret, secretPlaceSchema } from './secrets.ts'

/** What becomes of a task's work where nobody says otherwise. */
export const deliverySchema = z.strictObject({
  /** What is offered: a merge, or a pull request. */
  way: z.enum(deliveryWays, `"way" is one of ${deliveryWays.join(', ')}.`).optional(),
  /** The branch, here or there. */
  into: z
    .string()
    .refine((name) => branchProblem(name) === null, '"into" is the name of a branch.')
    .optional(),
  how: z.enum(mergeWays, `"how" is one of ${mergeWays.join(', ')}.`).optional(),
  /** Where branches are pushed to: an address, or the path of a bare repository. */
  remote: z.string().min(1).optional(),
  /** Whether pull requests are opened as drafts. */
  draft: z.boolean().optional(),
  forge: z
    .strictObject({
      kind: z.enum(forgeKinds, `A forge is one of ${forgeKinds.join(', ')}.`),
      /** Of its API; the usual one of GitHub and GitLab where it is not named. */
      address: z
        .url({ protocol: /^https?$/, error: 'A forge has an address such as https://host.' })
        .optional(),
      /** As the forge names it; read from the remote where it is not named. */
      project: z.string().optional(),
      token: secretPlaceSchema.optional(),
      /** Goes with the token when git pushes. */
      user: z
        .string()
        .regex(/^[\w.@+-]{1,100}$/, 'A user is a name without spaces.')
        .optional(),
      network: z
        .enum(outsideNetworks, `"network" is one of ${outsideNetworks.join(', ')}.`)
        .default('public'),
    })
    .optional(),
})

type Written = z.output<typeof deliverySchema>

interface Usual {
  readonly address: string | null
  readonly token: string
  readonly user: string
  readonly project: RegExp
}

const usual: Readonly<Record<ForgeKind, Usual>> = {
  github: {
    address: 'https://api.github.com',
    token: 'GITHUB_TOKEN',
    user: 'x-access-token',
    project: /^[\w.-]+\/[\w.-]+$/,
  },
  gitlab: {
    address: 'https://gitlab.com',
    token: 'GITLAB_TOKEN',
    user: 'oauth2',
    project: /^[\w.-]+(?:\/[\w.-]+)+$/,
  },
  // Everybody has their own.
  forgejo: { address: null, token: 'FORGEJO_TOKEN', user: 'cofferdam', project: /^[\w.-]+\/[\w.-]+$/ },
}

/**
 * What is configured for deliveries of a repository, checked for what can be known without a network.
 * @param repository its name as it stands in the configuration, for people, and its URL where it has one, to which is pushed
 * unless `remote` names another place
 */
export function deliveryOf(
  written: Written,
  {
    name,
    url,
    ssh,
  }: { readonly name: string; readonly url: string | undefined; readonly ssh: RemoteKey | null },
  path: string,
  around: Environment,
): DeliveryDefaults {
  const { way, into, how, forge } = written
  const remote = written.remote ?? (forge === undefined ? undefined : url)
  const bad = (problem: string): Failure =>
    new Failure('bad_config', `The configuration ${path} cannot be used. Delivery of ${name}: ${problem}`)
  if (way === 'pull-request' && (remote === undefined || forge === undefined))
    throw bad('A pull request needs a "remote" to push to and a "forge" to open it on: name both.')
  if ((remote === undefined) !== (forge === undefined))
    throw bad('"remote" and "forge" go together: name both, or neither.')
  const pull =
    remote === undefined || forge === undefined
      ? null
      : // What is fetched with a key is pushed with it.
        pullOf(written, { remote, ssh: remote === url ? ssh : null }, forge, path, around, bad)
  return {
    ...(way === undefined ? {} : { way }),
    ...(into === undefined ? {} : { into }),
    ...(how === undefined ? {} : { how }),
    ...(pull === null ? {} : { pull }),
  }
}

function pullOf(
  { draft = true }: Written,
  { remote, ssh }: { readonly remote: string; readonly ssh: RemoteKey | null },
  forge: NonNullable<Written['forge']>,
  path: string,
  around: Environment,
  bad: (problem: string) => Failure,
): PullSettings {
  const { kind, network } = forge
  const own = usual[kind]
  const address = forge.address ?? own.address
  if (address === null) throw bad(`A ${kind} has no usual address: name that of yours as "forge.address".`)
  const problem = addressProblem(address, network)
  if (problem !== null) throw bad(`The address of the forge ${problem}`)
  const to = ssh === null ? remoteOf(remote, network, path, around, bad) : remote
  const project = forge.project ?? projectIn(to)
  if (project === null || !own.project.test(project) || project.split('/').some((part) => /^\.+$/.test(part)))
    throw bad(`Name the project as the forge does, such as "owner/name", as "forge.project".`)
  const place = forge.token ?? { env: own.token }
  return {
    forge: kind,
    address,
    project,
    remote: to,
    ...(ssh === null ? {} : { ssh }),
    user: forge.user ?? own.user,
    token: readSecret(`${kind} token of ${project}`, place, path, around),
    tokenFrom: placeText(place),
    network,
    draft,
  }
}

function remoteOf(
  remote: string,
  network: OutsideNetwork,
  path: string,
  around: Environment,
  bad: (problem: string) => Failure,
): string {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(remote)) {
    if (/^[^/]*:/.test(remote)) throw bad(`"remote" ${overSsh}`)
    return expand(remote, dirname(path), around)
  }
  if (!URL.canParse(remote))
    throw bad('"remote" is no address: name one such as https://host/owner/name.git.')
  const url = new URL(remote)
  if (url.protocol === 'file:') {
    if (url.host !== '') throw bad('"remote" names a file of another machine.')
    return fileURLToPath(url)
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw bad(`"remote" ${overSsh}`)
  const problem = addressProblem(remote, network)
  if (problem !== null) throw bad(`The address of "remote" ${problem}`)
  if (url.search !== '') throw bad('The address of "remote" must not hold a "?".')
  return url.href
}

const overSsh = 'is reached over https: name an address such as https://host/owner/name.git.'

function addressProblem(address: string, network: OutsideNetwork): string | null {
  const { protocol, username, password, hostname, hash } = new URL(address)
  if (username !== '' || password !== '')
    return 'must not hold a user or a password: the token stands elsewhere.'
  if (hash !== '') return 'must not hold a "#".'
  if (protocol !== 'https:' && network !== 'loopback')
    return 'has to begin with https://, unless "network: loopback" says that it is of this machine.'
  const barrier = network === 'loopback' ? null : nameBarrier(hostname.replace(/\.$/, ''))
  return barrier === null
    ? null
    : `is ${hostname}, which ${barrier.what}: name another, or say "network: loopback" where it is this machine.`
}

/** `owner/name` of `https://host/owner/name.git`. */
function projectIn(remote: string): string | null {
  if (isAbsolute(remote)) return null
  const { pathname } = new URL(remote)
  return pathname.replace(/^\/+|\/+$/g, '').replace(/\.git$/, '')
}
